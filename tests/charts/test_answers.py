"""Figures of live answers: titles say the finding, parts keep their colours, what is unknown is never drawn as 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.charts import (
    PART_COLOURS,
    AnswerFigures,
    alt_of,
    answer_costs,
    answer_tokens,
    latency_parts,
    look,
    parts_seen,
    spans_by_part,
)
from core.i18n import use_language

SPANS = {"connect": 0.1, "prepare": 0.1, "embed": 0.2, "search": 0.3, "rerank": 0.4, "queue": 0.5, "first_token": 0.6}


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    use_language("en")
    yield


def answered(label: str, *seconds: float, **fields: Any) -> AnswerFigures:
    """An approach whose answers took so long, all of it writing."""
    counts = {"preset": "rag", "prompt_tokens": 100.0, "context_tokens": 60.0, "completion_tokens": 10.0}
    spans = tuple({"decode": each} for each in seconds)
    return AnswerFigures(label=label, spans=spans, **{**counts, "asked": len(seconds) or 1, **fields})


def title(figure: Any) -> str:
    return str(figure.layout.title.text)


def notes(figure: Any) -> list[str]:
    return [str(note.text) for note in figure.layout.annotations]


def bars(figure: Any) -> dict[str, list[float]]:
    return {str(trace.name): list(trace.x) for trace in figure.data if trace.type == "bar" and trace.name}


def test_every_part_of_a_waiting_time_is_told_apart_and_they_sum_to_it() -> None:
    parts = spans_by_part({**SPANS, "generate": 0.7, "raw": {"asked": 9.0}})
    assert list(parts) == ["connect", "embed", "search", "rerank", "queue", "first_token", "decode"]
    assert sum(parts.values()) == pytest.approx(2.9) and parts["connect"] == pytest.approx(0.2)
    assert len(set(PART_COLOURS.values())) == len(PART_COLOURS) and set(PART_COLOURS) == set(parts)


def test_a_part_has_the_same_colour_whatever_else_is_drawn() -> None:
    for spans in (SPANS, {"search": 1.0}):
        figure = latency_parts([AnswerFigures("A", "rag", (spans,))])
        assert {t.marker.color for t in figure.data if t.name == "search"} == {PART_COLOURS["search"]}
    assert parts_seen([{"search": 1.0, "embed": 0.001}]) == ["search"] and parts_seen([]) == []


def test_the_fastest_is_named_and_an_answer_that_never_came_is_not_it() -> None:
    figure = latency_parts([answered("Slow", 2.0), answered("Gone"), answered("Quick", 1.0)])
    assert title(figure) == "Quick was first with its whole answer: 1.0 s"
    assert notes(figure) == ["2.0 s", "no finished answer", "1.0 s"]
    assert "Gone: no finished answer" in alt_of(figure)
    assert figure.layout.xaxis.title.text == "seconds" and figure.layout.showlegend


def test_repetitions_are_means_with_whiskers_from_the_fastest_to_the_slowest_and_n_is_named() -> None:
    figure = latency_parts([answered("A", 1.0, 2.0, 6.0), answered("B", 4.0, 4.0, asked=3)])
    assert title(figure) == "A took the least time on average: 3.0 s (n = 3)"
    assert notes(figure) == ["3.0 s (n = 3)", "4.0 s (n = 2 of 3)"]
    [whiskers] = [trace for trace in figure.data if trace.type == "scatter"]
    assert list(whiskers.x) == [3.0, 4.0]
    assert list(whiskers.error_x.array) == [3.0, 0.0] and list(whiskers.error_x.arrayminus) == [2.0, 0.0]
    words = title(figure) + str(figure.layout.xaxis.title.text) + alt_of(figure)
    assert "median" not in words and "percentile" not in words and "p95" not in words
    assert figure.layout.xaxis.range[1] > 6.0, "the slowest answer is inside the drawing"


def test_a_single_answer_has_no_whiskers() -> None:
    assert [trace.type for trace in latency_parts([answered("A", 1.0)]).data] == ["bar"]


def test_uncounted_tokens_are_said_and_are_not_the_fewest() -> None:
    figure = answer_tokens([answered("A", 1.0), answered("B", 1.0, prompt_tokens=None), answered("C", 1.0)])
    assert title(figure) == "One answer takes 110 tokens" and notes(figure) == ["110", "tokens not counted", "110"]
    real = [trace for trace in figure.data if not trace.name]
    assert [list(trace.x) for trace in real] == [[40.0, 0.0, 40.0], [60.0, 0.0, 60.0], [10.0, 0.0, 10.0]]
    assert set(bars(figure)) == {"question and rules", "passages or examples", "answer"}
    assert title(answer_tokens([answered("B", 1.0, completion_tokens=None)])) == "Nobody counted the tokens"


def test_reasoning_is_drawn_apart_from_the_answer() -> None:
    figure = answer_tokens([answered("A", 1.0, completion_tokens=50.0, reasoning_tokens=45.0)])
    assert "reasoning" in bars(figure) and sum(trace.x[0] for trace in figure.data if not trace.name) == 150.0


def test_the_cheapest_is_named_and_an_unknown_price_is_not_it() -> None:
    dear = answered("Dear", 1.0, costs={"prompt": 0.002, "context": 0.003, "completion": 0.005})
    cheap = answered("Cheap", 1.0, costs={"device": 0.001})
    figure = answer_costs([dear, answered("Unknown", 1.0), cheap])
    assert title(figure) == "Cheap costs least at today's prices: $1.00 per 1,000 answers"
    assert notes(figure) == ["$10.00 · $0.01 each", "price not known", "$1.00 · $0.0010 each"]
    real = [list(trace.x) for trace in figure.data if not trace.name]
    assert [sum(column) for column in zip(*real, strict=True)] == pytest.approx([10.0, 0.0, 1.0])
    assert set(bars(figure)) == {"question and rules", "passages or examples", "answer", "computing time"}
    assert "USD" in figure.layout.xaxis.title.text


def test_approaches_of_the_same_name_stand_in_rows_of_their_own_in_their_colours() -> None:
    figure = answer_tokens([answered("Same", 1.0), answered("Same", 1.0, preset="base")])
    assert len(figure.layout.yaxis.ticktext) == 2
    for preset, text in zip(("rag", "base"), figure.layout.yaxis.ticktext, strict=True):
        assert look(preset).colour in text
    assert list(figure.data[0].marker.color) == [look("rag").colour, look("base").colour]


def test_a_name_that_looks_like_markup_is_shown_as_it_stands() -> None:
    figure = latency_parts([answered("<b>bold</b>", 1.0)])
    assert "<b>" not in title(figure) + "".join(figure.layout.yaxis.ticktext)
