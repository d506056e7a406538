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
    cost_by_part,
    headroom_chart,
    latency_distribution,
    loss_comparison,
    margin_curve,
    quality_by_slice,
    quality_overview,
    tokens_per_answer,
    tradeoff,
    tradeoff_latency,
)
from core.charts.tradeoff import _DRAWING, _LINE, _SPAN
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


@pytest.mark.parametrize("language", ["en", "ja"])
def test_both_ways_of_the_tradeoff_have_whiskers_and_the_frontier(language: Any) -> None:
    shown = [
        MeasuredApproach(
            "A", "rag", True, Bar(0.6, 0.5, 0.7), cost_per_1000=Bar(2.0, 1.8, 2.4), total=Bar(2.0, 1.5, 3.0)
        ),
        MeasuredApproach(
            "B", "base", True, Bar(0.3, 0.2, 0.4), cost_per_1000=Bar(1.0, 0.9, 1.1), total=Bar(3.0, 2.5, 3.5)
        ),
        MeasuredApproach("C", "fine_tuned", True, Bar(0.2, 0.1, 0.3), cost_per_1000=Bar(3.0), total=Bar(4.0)),
    ]
    cost, wait = tradeoff(shown, language), tradeoff_latency(shown, language)
    assert list(cost.data[0].x) == [1.0, 2.0] and list(wait.data[0].x) == [2.0], "who is beaten by none"
    for figure, low, high in ((cost, 0.2, 0.4), (wait, 0.5, 1.0)):
        mark = figure.data[1]
        assert mark.error_x.arrayminus[0] == pytest.approx(low) and mark.error_x.array[0] == pytest.approx(high)
        assert mark.error_y.array[0] == pytest.approx(0.1)
    assert cost.layout.xaxis.title.text != wait.layout.xaxis.title.text and "(USD)" in cost.layout.xaxis.title.text
    assert {trace.opacity for trace in cost.data[1:]} == {1.0, 0.55}
    assert title(wait).count("A") >= 1 and "50% – 70%" in cost.layout.meta["alt"]


def test_a_name_keeps_clear_of_the_whiskers_across() -> None:
    wide = [measured(name, share, cost_per_1000=Bar(1.0, 0.2, 2.0)) for name, share in (("One", 0.5), ("Two", 0.62))]
    for note, approach in zip(tradeoff(wide, "en").layout.annotations, wide, strict=True):
        assert note.ay != 0, f"{approach.label} would lie on its own whisker"


def test_every_timed_answer_is_a_mark_and_a_median_only_where_there_are_enough() -> None:
    many = measured("A", 0.5, seconds=tuple(float(n) for n in range(1, 13)), total=Bar(6.5, 3.0, 10.0))
    few = measured("B", 0.5, preset="base", seconds=(2.0, 0.5), total=None)
    figure = latency_distribution([many, few, measured("C", 0.4)], "en")
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert [list(trace.x) for trace in marks] == [[float(n) for n in range(1, 13)], [0.5, 2.0]]
    assert len([trace for trace in figure.data if trace.mode == "lines"]) == 1
    assert [note.text for note in figure.layout.annotations] == ["n = 12", "n = 2"]
    assert title(figure) == "The slowest timed answer took 12.0 s (A); B never took more than 2.0 s"
    assert [name[-1] for name in figure.layout.yaxis.ticktext] == ["A", "B"] and len(
        {t.marker.symbol for t in marks}
    ) == 2


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_cost_stack_adds_up_and_says_what_the_dearest_pays_for(language: Any) -> None:
    listed = measured("A", 0.5, cost_parts={"question": 1.0, "context": 6.0, "answer": 3.0})
    own = measured("B", 0.5, preset="base", cost_parts={"device": 2.0})
    figure = cost_by_part([listed, own], language)
    assert [sum(column) for column in zip(*(trace.x for trace in figure.data), strict=True)] == [10.0, 2.0]
    assert "60%" in title(figure) and t("charts.cost.part.context", language) in title(figure)
    assert t("charts.cost.key.device", language) in figure.layout.xaxis.title.text
    assert title(cost_by_part([own], language)) == t("charts.cost.parts.title.device", language)


def test_a_slice_keeps_its_name_and_its_number_of_questions_on_short_lines() -> None:
    bar = Bar(0.4, 0.28, 0.54)
    figure = quality_by_slice(
        [measured("A", 0.5, slices={"学習にも文書にもない (12問)": bar, "House format (n=7)": bar})], "ja"
    )
    assert list(figure.data[0].x) == ["学習にも文<br>書にもない<br>(12問)", "House<br>format<br>(n=7)"]


def test_thinking_is_a_part_of_its_own_where_there_was_any() -> None:
    thinks = MeasuredApproach("A", "rag", True, None, prompt_tokens=50.0, context_tokens=20.0, completion_tokens=30.0,
                              reasoning_tokens=24.0)  # fmt: skip
    plain = MeasuredApproach("B", "base", True, None, prompt_tokens=10.0, completion_tokens=5.0)
    drawn = tokens_per_answer([thinks, plain], "en")
    parts = [list(trace.x) for trace in drawn.data if trace.y]
    assert parts == [[30.0, 10.0], [20.0, 0.0], [24.0, 0.0], [6.0, 5.0]]
    assert [bool(trace.marker.pattern.shape) for trace in drawn.data if trace.y] == [False, False, True, False]
    assert "reasoning" in drawn.layout.xaxis.title.text
    alone = tokens_per_answer([plain], "en")
    assert len([trace for trace in alone.data if trace.y]) == 3 and "reasoning" not in alone.layout.xaxis.title.text
