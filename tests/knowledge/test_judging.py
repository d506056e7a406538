"""A search is judged by where it brings the passages that hold the answers."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from core import knowledge
from core.errors import KurabeError
from core.knowledge import AskedOf
from core.knowledge.judging import Ranks
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
