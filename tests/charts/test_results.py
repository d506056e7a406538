"""Figures of a test run: their titles say what was found, and nothing that they write runs into something else."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from core.charts import (
    Bar,
    MeasuredApproach,
    accuracy_curve,
    confusion_chart,
    headroom_chart,
    loss_comparison,
    margin_curve,
    quality_by_slice,
    quality_overview,
    tradeoff,
)
from core.charts.results import _DRAWING, _LINE, _SPAN
from core.i18n import t


def measured(label: str, share: float, cost: float = 0.001, **fields: Any) -> MeasuredApproach:
    bar = Bar(share, max(0.0, share - 0.05), min(1.0, share + 0.05))
    values = {"preset": "rag", "ranked": True, "cost_per_1000": Bar(cost), **fields}
    return MeasuredApproach(label=label, correct=bar, **values)


def title(figure: Any) -> str:
    return str(figure.layout.title.text)


def test_the_title_names_the_best() -> None:
    figure = quality_overview([measured("Plain", 0.2), measured("Retrieval", 0.61)], "en")
    assert title(figure) == "Retrieval is right most often: 61% of the questions"


def test_the_title_names_all_that_are_level_at_the_top_best_first() -> None:
    shown = [measured("Plain", 0.2), measured("A", 0.47, level=True), measured("B", 0.5, level=True)]
    assert title(quality_overview(shown, "en")) == "B and A lead with 47–50%; no difference between them was found"
    assert title(quality_overview(shown, "ja")) == "先頭はB、A(47–50%)、互いの差は確認できず"


def test_many_that_are_level_are_counted() -> None:
    shown = [measured(name, 0.5, level=True) for name in "ABCDE"]
    assert title(quality_overview(shown, "en")).startswith("5 approaches lead with 50%;")


def test_a_reference_never_leads() -> None:
    shown = [measured("Perfect search", 0.9, ranked=False), measured("Retrieval", 0.5)]
    assert title(quality_overview(shown, "en")).startswith("Retrieval is")


def boxes(figure: Any) -> list[tuple[float, float, float, float]]:
    """Boxes of the names in a drawing as narrow as the narrowest page."""
    width, height = _DRAWING
    low, high = figure.layout.xaxis.range
    found = []
    for note in figure.layout.annotations:
        long = 6.6 * sum(1 if sign.isascii() else 1.9 for sign in note.text)
        x = (
            width * (note.x - low) / (high - low)
            + note.ax
            - {"left": 0, "center": long / 2, "right": long}[note.xanchor]
        )
        y = height * (1 - note.y / 1.05) + note.ay
        found.append((x, y - _LINE / 2, x + long, y + _LINE / 2))
    return found


@pytest.mark.parametrize("language", ["en", "ja"])
def test_names_of_marks_that_lie_close_together_do_not_overlap(language: str) -> None:
    names = {
        "en": (
            "Plain model",
            "Examples in prompt",
            "Retrieval",
            "Both",
            "Tuned with retrieval (RAFT)",
            "Perfect search",
        ),
        "ja": ("素のモデル", "例示あり", "文書検索 (RAG)", "併用", "検索込み学習 (RAFT)", "完全な検索"),
    }[language]
    places = ((0.17, 0.0003), (0.16, 0.0006), (0.47, 0.0012), (0.47, 0.00148), (0.5, 0.00146), (0.57, 0.0008))
    figure = tradeoff([measured(name, *place) for name, place in zip(names, places, strict=True)], language)  # type: ignore[arg-type]  # a language
    found = boxes(figure)
    assert len(found) == len(names)
    for first, second in combinations(found, 2):
        apart = first[2] <= second[0] or second[2] <= first[0] or first[3] <= second[1] or second[3] <= first[1]
        assert apart, (first, second)
    assert all(left >= 0 and right <= _DRAWING[0] for left, _, right, _ in found)
    assert tuple(figure.layout.xaxis.range) == tuple(share * 0.00148 for share in _SPAN)


def test_every_cell_of_the_slices_tells_its_share_and_interval() -> None:
    figure = quality_by_slice([measured("A", 0.5, slices={"House format": Bar(0.4, 0.28, 0.54)})], "en")
    [cell] = figure.layout.annotations
    assert "40%" in cell.text and "28–54%" in cell.text


def test_the_headroom_says_what_can_be_gained_at_most() -> None:
    names = ("right", "retrieval", "either", "tuning", "neither")
    parts = {name: Bar(share, share, share) for name, share in zip(names, (0.5, 0.1, 0.1, 0.2, 0.1), strict=True)}
    figure = headroom_chart(parts, Bar(0.3), Bar(0.2), "en")
    assert title(figure) == "Tuning can gain at most 30 of 100 questions, better search at most 20"
    assert [note.text for note in figure.layout.annotations] == ["50%", "10%", "10%", "20%", "10%"]
    assert len(set(figure.data[0].marker.color)) == len(names)


def test_the_confusion_figure_counts_and_names_the_answers_without_a_category() -> None:
    figure = confusion_chart("A finding", ["A1", "<b>"], ["A1", "<b>", ""], [[3, 1, 0], [0, 2, 4]], "en")
    assert title(figure) == "A finding"
    assert list(figure.data[0].x) == ["A1", "&lt;b&gt;", "none or several"]
    assert [list(row) for row in figure.data[0].text] == [["3", "1", "·"], ["·", "2", "4"]]
    assert [list(row) for row in figure.data[0].z] == [[3, -1, 0], [0, 2, -4]]


def test_curves_of_runs_end_with_their_names_apart_from_each_other() -> None:
    curves = {"a": [(0, 1.0), (9, 0.30)], "b <i>": [(0, 1.0), (9, 0.31)], "never evaluated": []}
    figure = loss_comparison(curves, "en")
    assert title(figure) == "a reaches the lowest validation loss: 0.300"
    apart = loss_comparison(curves, "en", comparable=False)
    assert title(apart) == "Validation loss of each run, on rows of its own"
    names = {note.text: note.yshift for note in figure.layout.annotations}
    assert set(names) == {"a", "b &lt;i&gt;"} and names["b &lt;i&gt;"] - names["a"] >= 14
    assert len({(trace.line.color, trace.line.dash) for trace in figure.data}) == 2


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_curves_of_a_training_on_pairs_say_whether_the_preference_is_learned(language: Any) -> None:
    grown = margin_curve([(1, 0.1), (2, 0.4)], [(0, 0.0), (2, 0.35)], language)
    fallen = margin_curve([], [(0, 0.0), (2, -0.5)], language)
    for figure, course in ((grown, "rising"), (fallen, "falling")):
        beginning = t(f"charts.margin.title.{course}", language, first="§", last="§").split("§")[0]
        assert title(figure).startswith(beginning)
    shares = accuracy_curve([(1, 0.5)], [(0, 0.0), (2, 0.92)], language)
    assert "92%" in title(shares) and len(shares.data) == 2
