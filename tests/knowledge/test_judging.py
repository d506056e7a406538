"""A search is judged by where it brings the passages that hold the answers."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from core import datasets, knowledge
from core.errors import KurabeError
from core.knowledge import AskedOf
from core.knowledge.judging import MEASURES, Ranks, _details, _judged, _pairs
from tests.knowledge.test_knowledge import TEXT_ONLY, manuals

__all__ = ["manuals"]


def found(*ranks: int | None) -> Ranks:
    return Ranks(AskedOf("?", (("a", "b"),)), ranks)


def test_the_measures_are_those_of_the_textbook() -> None:
    one = found(3)
    assert (one.recall(5), one.recall(2), one.hit(5), one.hit(2)) == (1.0, 0.0, 1.0, 0.0)
    assert one.reciprocal() == pytest.approx(1 / 3) and one.ndcg(5) == pytest.approx(1 / log2(4))
    two = found(1, None)
    assert (two.recall(5), two.hit(5), two.reciprocal()) == (0.5, 1.0, 1.0)
    assert two.ndcg(5) == pytest.approx(1 / (1 + 1 / log2(3)))
    assert found(None).ndcg(5) == found(None).reciprocal() == found(7).ndcg(5) == 0.0


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6, unique=True), st.integers(1, 20))
def test_ndcg_is_scikit_learns(ranks: list[int], k: int) -> None:
    relevant = [float(place in ranks) for place in range(1, 21)]
    expected = ndcg_score([relevant], [list(range(20, 0, -1))], k=k)
    assert found(*ranks).ndcg(k) == pytest.approx(expected)


def test_a_passage_that_holds_two_places_is_no_worse_than_one_for_each() -> None:
    assert found(1, 1).ndcg(5) == found(1).ndcg(5) == 1.0


def test_questions_are_judged_by_quote_or_by_document_and_slices_apart(manuals: str) -> None:
    index = knowledge.build_index(manuals, TEXT_ONLY)
    asked = [
        AskedOf("How heavy is the Koridel 205?", (("koridel-205.md", "weighs 7 kg"),), "weight"),
        AskedOf("Tell me about the Koridel 212", (("koridel-212.md", ""),), "any"),
        AskedOf("Is there a Koridel 299?", (("koridel-299.md", "weighs 99 kg"),), "weight"),
        AskedOf("Nobody knows where this stands", ()),
        AskedOf("Which bulb does the Koridel 206 take?", (("koridel-205.md", "weighs 7 kg"),), "weight"),
    ]
    steps: list[tuple[int, int]] = []
    report = knowledge.judge_search(index.id, asked, k=1, progress=lambda *step: steps.append(step))
    assert (report.questions, report.without_gold, steps) == (3, 1, [(1, 3), (2, 3), (3, 3)])
    [text] = report.modes
    assert text.mode == "text" and report.pairs == ()
    assert text.recall.estimate == pytest.approx(2 / 3) and text.recall.low is not None
    assert {name: interval.estimate for name, interval in text.slices.items()} == {"weight": 0.5, "any": 1.0}
    assert [miss.asked.question for miss in text.missed(1)] == ["Which bulb does the Koridel 206 take?"]
    assert report.not_indexed == (asked[2],)


def test_a_quote_that_a_cut_divided_is_found_on_either_side(manuals: str) -> None:
    index = knowledge.build_index(manuals, TEXT_ONLY)
    divided = (
        "The Koridel 205 weighs 7 kg without its box and stands safely. The warranty of the Koridel 205 lasts 1 years"
    )
    report = knowledge.judge_search(index.id, [AskedOf("Koridel 205 warranty", (("koridel-205.md", divided),))], k=4)
    assert report.best.recall.estimate == 1.0


def test_without_any_place_nothing_is_judged(manuals: str) -> None:
    index = knowledge.build_index(manuals, TEXT_ONLY)
    with pytest.raises(KurabeError, match="no_gold"):
        knowledge.judge_search(index.id, [AskedOf("?", ())])


def test_every_measure_is_compared_in_pairs_over_all_questions_and_within_slices() -> None:
    def ranks(slice_: str, *places: int | None) -> list[Ranks]:
        return [Ranks(AskedOf(f"{slice_}{n}", (("a", "b"),), slice_), (place,)) for n, place in enumerate(places)]

    good = _judged("text", [*ranks("a", *[1] * 12), *ranks("b", *[1] * 12)], 3)
    bad = _judged("vector", [*ranks("a", *[None, 2] * 6), *ranks("b", *[1] * 12)], 3)
    assert {name: set(by) for name, by in good.by_slice.items()} == {"a": set(MEASURES), "b": set(MEASURES)}
    assert bad.by_slice["a"]["mrr"].estimate == pytest.approx(0.25)
    assert bad.by_slice["a"]["ndcg"].estimate == pytest.approx(0.5 / log2(3))
    details = {(pair.measure, pair.slice): pair for pair in _details((good, bad), 3)}
    assert set(details) == {(m, s) for m in MEASURES for s in (None, "a", "b")} - {("recall", None)}
    worse = details["mrr", "a"]
    assert worse.difference.estimate == pytest.approx(0.75) and worse.difference.low is not None
    assert worse.difference.low > 0 and worse.verdict == "better"
    assert details["ndcg", "b"].difference.estimate == 0.0
    assert [pair.measure for pair in _pairs((good, bad), 3)] == ["recall"]


def test_questions_that_name_only_a_document_are_judged(manuals: str) -> None:
    rows = "question,answer,gold\nHow heavy is the Koridel 205?,7 kg,koridel-205.md\n"
    index = knowledge.build_index(manuals, TEXT_ONLY)
    questions = datasets.import_file(index.project_id, rows.encode(), "q.csv", split="test")
    report = knowledge.judge_search(index.id, knowledge.questions_with_gold(questions.id), k=4)
    assert report.best.recall.estimate == 1.0
