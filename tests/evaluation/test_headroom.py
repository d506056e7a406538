"""Headroom: what search or tuning could gain, told before anyone pays for training."""

from __future__ import annotations

import numpy as np

from core.evaluation.headroom import headroom

NAN = float("nan")
PRESETS = {"b": "base", "r": "rag", "o": "oracle_context", "f": "fine_tuned"}


def values(**columns: list[float]) -> dict[str, np.ndarray]:
    return {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}


def test_a_wrong_answer_that_the_gold_passages_mend_is_searchs_to_gain() -> None:
    found = headroom(PRESETS, values(b=[0, 0], r=[1, 0], o=[1, 1], f=[1, 1]), ["documents"] * 2, [False] * 2)
    assert found is not None and found.reference == "r" and found.ceiling == "o" and found.n == 2
    assert (found.right.estimate, found.retrieval.estimate, found.tuning_at_most.estimate) == (0.5, 0.5, 0.0)
    assert found.retrieval_at_most.estimate == 0.5


def test_what_training_holds_as_well_is_either_ones_to_gain() -> None:
    found = headroom(PRESETS, values(b=[0, 0], r=[0, 0], o=[1, 1], f=[0, 0]), ["both", "changed"], [False] * 2)
    assert found is not None
    assert (found.either.estimate, found.retrieval.estimate) == (0.5, 0.5)
    assert found.tuning_at_most.estimate == 0.5 and found.retrieval_at_most.estimate == 1.0


def test_what_stays_wrong_with_the_gold_passages_only_tuning_might_mend() -> None:
    wrong = values(b=[0, 0, 0], r=[0, 0, 0], o=[0, 0, 0], f=[1, 1, 1])
    found = headroom(PRESETS, wrong, ["documents", "neither", "neither"], [False, True, False])
    assert found is not None
    # an invented answer where none exists is a habit; where nothing holds the answer, nothing helps
    assert found.tuning.estimate == 2 / 3 and found.neither.estimate == 1 / 3 and found.retrieval.estimate == 0


def test_the_shares_add_up_and_carry_their_intervals() -> None:
    rng = np.random.default_rng(3)
    drawn = {name: rng.integers(0, 2, 100).astype(float) for name in "brof"}
    names = ["taught", "documents", "both", "changed", "neither", None]
    covered = [names[int(place)] for place in rng.integers(0, 6, 100)]
    found = headroom(PRESETS, drawn, covered, [False] * 100)
    assert found is not None
    parts = (found.right, found.retrieval, found.either, found.tuning, found.neither)
    assert abs(sum(part.estimate for part in parts) - 1) < 1e-9
    for part in (*parts, found.tuning_at_most, found.retrieval_at_most):
        assert part.low is not None and part.high is not None and part.low <= part.estimate <= part.high


def test_unmeasured_questions_are_left_out() -> None:
    found = headroom(PRESETS, values(b=[1, NAN], r=[1, 1], o=[1, 1], f=[1, 1]), [None] * 2, [False] * 2)
    assert found is not None and found.n == 1


def test_without_the_gold_passages_nothing_is_claimed() -> None:
    without = {name: preset for name, preset in PRESETS.items() if preset != "oracle_context"}
    assert headroom(without, values(b=[0], r=[0], f=[0]), [None], [False]) is None
    assert headroom({"o": "oracle_context"}, values(o=[1]), [None], [False]) is None


def test_tuned_approaches_never_serve_as_the_reference() -> None:
    found = headroom(PRESETS, values(b=[0, 1], r=[0, 0], o=[1, 1], f=[1, 1]), [None] * 2, [False] * 2)
    assert found is not None and found.reference == "b"
