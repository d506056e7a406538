"""Headroom: what search or tuning could gain at most, told before anyone pays for training."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation import Headroom
from core.evaluation.headroom import Measured, headroom

NAN = float("nan")


def column(values: list[float]) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


def told(
    base: list[float],
    rag: list[float],
    gold: list[float],
    coverage: list[str | None],
    *,
    found: list[float] | None = None,
    has_gold: list[float] | None = None,
    absent: list[bool] | None = None,
) -> Headroom:
    """The headroom of the plain model, retrieval (which found the passages or not) and perfect search."""
    n = len(base)
    measured = {
        "b": Measured("base", column(base), column([NAN] * n)),
        "r": Measured("rag", column(rag), column(found or [0.0] * n)),
        "o": Measured("oracle_context", column(gold), column(has_gold or [1.0] * n)),
        "f": Measured("fine_tuned", column([1.0] * n), column([NAN] * n)),
    }
    result = headroom(measured, coverage, absent or [False] * n)
    assert result is not None
    return result


def test_a_passage_that_was_missed_is_searchs_to_gain() -> None:
    found = told([0, 0], [1, 0], [1, 1], ["documents"] * 2)
    assert (found.reference, found.ceiling, found.n) == ("r", "o", 2)
    assert (found.right.estimate, found.retrieval.estimate, found.tuning_at_most.estimate) == (0.5, 0.5, 0.0)
    assert found.retrieval_at_most.estimate == 0.5


@pytest.mark.parametrize(
    ("why", "coverage", "found"),
    [
        ("the training data holds it too", "both", 0.0),
        ("nobody worked out where it stands", None, 0.0),
        ("it was in the prompt, beside others that led astray", "documents", 1.0),
    ],
)
def test_what_tuning_could_mend_as_well_counts_for_both(why: str, coverage: str | None, found: float) -> None:
    result = told([0], [0], [1], [coverage], found=[found])
    assert result.either.estimate == 1 and result.tuning_at_most.estimate == 1, why


def test_what_changed_since_training_only_search_can_bring() -> None:
    assert told([0], [0], [1], ["changed"]).retrieval.estimate == 1


def test_what_stays_wrong_with_the_gold_passages_only_tuning_might_mend() -> None:
    found = told([0] * 3, [0] * 3, [0] * 3, ["documents", "neither", "neither"], absent=[False, True, False])
    # an invented answer where none exists is a habit; where nothing holds the answer, nothing helps
    assert found.tuning.estimate == 2 / 3 and found.neither.estimate == 1 / 3 and found.retrieval.estimate == 0


def test_where_no_gold_passage_is_known_perfect_search_proves_nothing() -> None:
    found = told([0] * 3, [0] * 3, [0, 0, 1], ["documents", "taught", None], has_gold=[NAN] * 3)
    assert (found.either.estimate, found.tuning.estimate, found.retrieval.estimate) == (2 / 3, 1 / 3, 0)


def test_the_shares_add_up_and_carry_their_intervals() -> None:
    rng = np.random.default_rng(3)
    base, rag, gold, seen = (rng.integers(0, 2, 100).astype(float).tolist() for _ in range(4))
    names = ["taught", "documents", "both", "changed", "neither", None]
    found = told(base, rag, gold, [names[int(place)] for place in rng.integers(0, 6, 100)], found=seen)
    parts = (found.right, found.retrieval, found.either, found.tuning, found.neither)
    assert sum(part.estimate for part in parts) == pytest.approx(1)
    for part in (*parts, found.tuning_at_most, found.retrieval_at_most):
        assert part.low is not None and part.high is not None and part.low <= part.estimate <= part.high


def test_unmeasured_questions_are_left_out_and_tuned_approaches_never_serve_as_reference() -> None:
    found = told([1, NAN], [0, 0], [1, 1], [None] * 2)
    assert found.n == 1 and found.reference == "b"


def test_without_the_gold_passages_nothing_is_claimed() -> None:
    base = Measured("base", column([0]), column([NAN]))
    assert headroom({"b": base}, [None], [False]) is None
    assert headroom({"o": Measured("oracle_context", column([1]), column([1]))}, [None], [False]) is None
