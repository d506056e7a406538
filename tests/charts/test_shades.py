"""Approaches of one kind: told apart by lightness and marker, the same wherever they are drawn, on either ground."""

from __future__ import annotations

from itertools import combinations

import pytest

from core.approaches import ApproachSpec, ModelChoice, change_approach, save_approach, variants
from core.charts import (
    LOOKS,
    MeasuredApproach,
    answer_tokens,
    cost_by_part,
    cost_per_1000,
    latency_distribution,
    latency_overview,
    look,
    quality_by_slice,
    quality_overview,
    tokens_per_answer,
    tradeoff,
)
from core.charts.answers import AnswerFigures
from core.charts.results import Bar
from core.charts.theme import VARIANTS, distinct
from core.decision.figures import measured_approaches
from core.evaluation import results
from tests.approaches.world import make_project
from tests.evaluation.test_results import Written

WHITE, DARK = "#FFFFFF", "#0E1117"
BASE = ModelChoice(ref="starter", base_ref="starter")

# Machado, Oliveira and Fernandes 2009, severity 1: what is left of linear red, green and blue
BLIND = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}


def luminance(colour: str, seen_by: str = "none") -> float:
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    seen = [min(1.0, max(0.0, sum(w * v for w, v in zip(row, linear, strict=True)))) for row in BLIND[seen_by]]
    return 0.2126 * seen[0] + 0.7152 * seen[1] + 0.0722 * seen[2]


def contrast(one: str, two: str, seen_by: str = "none") -> float:
    low, high = sorted((luminance(one, seen_by), luminance(two, seen_by)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("preset", LOOKS)
def test_the_first_of_a_kind_has_the_fixed_look_and_the_others_differ_in_lightness_for_every_eye(preset: str) -> None:
    assert look(preset) == look(preset, 0) == LOOKS[preset]
    shades = [look(preset, number) for number in range(6)]
    for one, two in combinations(shades, 2):
        for eye in BLIND:
            assert contrast(one.colour, two.colour, eye) >= 1.12, (one, two, eye)
    assert all(min(contrast(a.colour, b.colour, eye) for eye in BLIND) >= 1.4 for a, b in combinations(shades[:3], 2))
    assert len({shade.symbol for shade in shades[:3]}) == 3


@pytest.mark.parametrize("preset", LOOKS)
def test_every_shade_is_seen_on_a_white_and_on_a_dark_page(preset: str) -> None:
    for number in range(1, 6):
        colour = look(preset, number).colour
        assert contrast(colour, WHITE) >= 2 and contrast(colour, DARK) >= 2, colour


@pytest.mark.parametrize("preset", LOOKS)
def test_no_two_approaches_of_a_kind_look_alike_however_many_there_are(preset: str) -> None:
    looks = [look(preset, number) for number in range(2 * VARIANTS + 3)]
    assert len(set(looks)) == len(looks)
    assert len({(seen.colour, seen.symbol) for seen in looks[:VARIANTS]}) == VARIANTS
    assert len({(seen.colour, seen.mark) for seen in looks}) == len(looks), "what stands before a name in text"
    assert looks[VARIANTS].mark == f"{looks[0].mark}2" and not looks[VARIANTS - 1].mark[1:]


def test_every_figure_names_the_seventh_approach_of_a_kind_behind_another_marker_than_the_first() -> None:
    values = {"cost_per_1000": Bar(1.0), "total": Bar(0.1), "seconds": (0.1, 0.2), "cost_parts": {"device": 1.0}}
    counts = {"prompt_tokens": 9.0, "completion_tokens": 1.0, "slices": {"all": Bar(0.5)}}
    two = [MeasuredApproach("A", "rag", True, Bar(0.5), variant=n, **values, **counts) for n in (0, 6)]
    first, seventh = look("rag", 0), look("rag", 6)
    assert first.colour == seventh.colour and first.mark != seventh.mark
    for draw in (quality_overview, quality_by_slice, tokens_per_answer, cost_per_1000, cost_by_part, latency_overview,
                 latency_distribution):  # fmt: skip
        names = draw(two, "en").layout.yaxis.ticktext
        assert [first.mark in names[0], seventh.mark in names[1]] == [True, True], draw
        assert names[0].endswith(" A") and names[1].endswith(" A (2)"), "bars of one name would be drawn as one"
    asked = [AnswerFigures("A", "rag", prompt_tokens=9, completion_tokens=1, variant=n) for n in (0, 6)]
    assert seventh.mark in answer_tokens(asked).layout.yaxis.ticktext[1]


def test_names_that_are_alike_are_numbered_and_a_number_that_somebody_gave_is_kept() -> None:
    assert distinct(["A", "A", "A (2)", "B", "A"]) == ["A", "A (2)", "A (2) (2)", "B", "A (3)"]


def test_no_marker_means_two_kinds() -> None:
    marks = [look(preset, number).symbol for preset in LOOKS for number in range(3)]
    assert len(set(marks)) == len(marks)


def test_an_approach_keeps_its_number_when_it_is_changed_and_when_others_come() -> None:
    project = make_project(index=False)
    spec = ApproachSpec(name="short index", preset="rag", model=BASE, context={"name": "retrieved", "k": 2})
    first = save_approach(project.id, spec)
    second = save_approach(project.id, spec.model_copy(update={"name": "long index"}))
    changed = save_approach(project.id, spec.model_copy(update={"context": {"name": "retrieved", "k": 5}}))
    other = save_approach(project.id, ApproachSpec(name="plain", preset="base", model=BASE))
    found = variants(project.id)
    assert [found[row.id] for row in (first, second, changed, other)] == [0, 1, 0, 0] and changed.id != first.id


def test_a_renamed_approach_keeps_its_look_and_its_old_name_is_free_for_one_that_looks_otherwise() -> None:
    project = make_project(index=False)
    spec = ApproachSpec(name="short", preset="rag", model=BASE, context={"name": "retrieved", "k": 2})
    first = save_approach(project.id, spec)
    save_approach(project.id, spec.model_copy(update={"name": "other"}))
    renamed = change_approach(first.id, spec.model_copy(update={"name": "shorter"}))
    again = change_approach(renamed.id, spec.model_copy(update={"name": "shortest"}))
    newcomer = save_approach(project.id, spec)
    found = variants(project.id)
    assert [found[row.id] for row in (first, renamed, again, newcomer)] == [0, 0, 0, 2]


def test_results_report_and_compare_draw_an_approach_alike() -> None:
    made = Written("rag", "base")
    spec = ApproachSpec(name="other index", preset="rag", model=BASE, context={"name": "retrieved", "k": 2})
    other = save_approach(made.experiment.project_id, spec)
    which = variants(made.experiment.project_id)
    assert (which[made.approaches["rag"].id], which[other.id]) == (0, 1)
    shown = {approach.label: approach for approach in measured_approaches(results(made.experiment.id))}
    assert {approach.look for approach in shown.values()} == {look("rag"), look("base")}
    two = [MeasuredApproach("A", "rag", True, Bar(0.5), cost_per_1000=Bar(1.0), variant=number) for number in range(2)]
    marks = [trace.marker.color for trace in quality_overview(two, "en").data]
    assert marks == [look("rag", 0).colour, look("rag", 1).colour]
    assert {look("rag", 1).colour} <= {getattr(t.marker, "color", None) for t in tradeoff(two, "en").data}
    asked = [AnswerFigures("A", "rag", prompt_tokens=9, completion_tokens=1, variant=number) for number in range(2)]
    assert list(answer_tokens(asked).data[0].marker.color) == marks
