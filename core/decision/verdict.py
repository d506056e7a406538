"""From measured results to a recommendation that can be checked: requirements first, then quality, then cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Literal

from core.decision.costs import Running, break_even, total_cost
from core.decision.criterion import Gate, GateResult, check_gate
from core.evaluation import ApproachResult, Comparison, Results
from core.measures import Verdict as Word

__all__ = ["DecisionInputs", "Verdict", "decide"]

Standing = Literal["recommended", "tied", "behind", "excluded", "undecided", "reference"]
Code = Literal["clear", "tied", "undecided", "single", "only", "none_passes", "unmeasured", "incomplete"]


@dataclass(frozen=True, slots=True)
class DecisionInputs:
    """What the team brings to the decision; nothing here is measured."""

    answers_per_month: int = 10_000
    months: int = 12
    """How far ahead costs are summed."""
    refreshes_per_month: float = 1.0
    """How often the knowledge changes so much that it must be indexed, or trained, again."""
    labour: dict[str, float] = field(default_factory=dict)
    """People's cost to set an approach up, by preset, in the project's currency."""
    hosting: dict[str, float] = field(default_factory=dict)
    """Monthly cost whatever the volume, by preset, in the project's currency."""
    gates: tuple[Gate, ...] = ()
    """Hard requirements."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DecisionInputs:
        """Rebuild inputs from JSON values; names that are not known are left out."""
        known = {key: values[key] for key in cls.__dataclass_fields__ if key in values}
        known["gates"] = tuple(Gate(**gate) for gate in values.get("gates", ()))
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Where one approach stands, and why."""

    approach_id: str
    preset: str
    name: str
    standing: Standing
    against_leader: Word | None
    """How it compares with the leader: worse, no difference found, not enough data; None for the leader itself."""
    total: float | None
    """Cost over the period in the inputs' currency; setup, standing and answers together. None: nobody knows."""
    breaks_even_at: float | None
    """Answers a month above which it is cheaper than the recommended one; None: never."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The recommendation; every sentence is a code with parameters, worded in the reader's language."""

    code: Code
    """Sentence ``decision.verdict.<code>``."""
    recommended: str | None
    """Approach id."""
    leader: str | None
    """Approach with the highest measured quality among those that keep the requirements."""
    tied: tuple[str, ...]
    """Approaches not shown to be worse than the leader, the leader included."""
    ranking: tuple[Ranked, ...]
    gates: tuple[GateResult, ...]
    against_baseline: Word | None
    """How the recommended one compares with the baseline."""
    difference: tuple[float, float | None, float | None] | None
    """Its difference from the baseline with interval, in shares."""
    notes: tuple[dict[str, Any], ...]
    """Codes with parameters: what a reader must know before acting on it."""
    inputs: DecisionInputs

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def decide(
    results: Results, costs: dict[str, Running], inputs: DecisionInputs, notes: Sequence[dict[str, Any]] = ()
) -> Verdict:
    """Work the recommendation out.

    1. Approaches that surely break a hard requirement are out; "unclear" ones stay and are named.
    2. The leader is the one with the highest measured quality; all that the paired test does not show to be worse stand
       level with it. With the baseline it is the planned comparison that counts, as everywhere else in the results;
       between others Holm over all pairs.
    3. Of those the one with the lowest cost over the period is recommended; level in cost too, the leader is. An
       approach on which there is not enough data is preferred for its cost only where that is so of all of them.

    Args:
        results: a finished experiment.
        costs: cost parts by approach id; between approaches that are level, one without a known cost comes last.
        inputs: volumes, period, requirements.
        notes: findings from elsewhere that belong beside the verdict.
    """
    ranked = [a for a in results.ranked if a.correct is not None]
    gates = tuple(check_gate(gate, approach) for approach in ranked for gate in inputs.gates)
    failed = {gate.approach_id for gate in gates if gate.outcome == "fail"}
    candidates = [approach for approach in ranked if approach.approach_id not in failed]
    if not results.complete or not ranked:
        return _nothing(results, "unmeasured" if results.complete else "incomplete", gates, inputs, notes)
    if not candidates:
        return _nothing(results, "none_passes", gates, inputs, notes)
    leader = candidates[0]
    known = (*results.comparisons, *results.pairs)
    words = {a.approach_id: _word(known, a.approach_id, leader.approach_id) for a in candidates[1:]}
    tied = [leader, *(a for a in candidates[1:] if words[a.approach_id] != "worse")]
    totals = {a.approach_id: _total(costs.get(a.approach_id), inputs) for a in ranked}
    shown_level = [leader, *(a for a in tied[1:] if words[a.approach_id] != "not_enough")]
    chosen = min(shown_level if len(shown_level) > 1 else tied, key=lambda a: (totals[a.approach_id], a is not leader))
    order = _ranking(ranked, chosen, tied, failed, words, totals, costs, inputs)
    base = _pair(results.comparisons, chosen.approach_id, results.baseline_id)
    return Verdict(
        code=_code(ranked, candidates, tied, words),
        recommended=chosen.approach_id,
        leader=leader.approach_id,
        tied=tuple(a.approach_id for a in tied),
        ranking=order,
        gates=gates,
        against_baseline=base.verdict if base else None,
        difference=(base.estimate, base.low, base.high) if base else None,
        notes=(*_own_notes(results, chosen, gates), *notes),
        inputs=inputs,
    )


def _code(
    ranked: Sequence[ApproachResult],
    candidates: Sequence[ApproachResult],
    tied: Sequence[ApproachResult],
    words: dict[str, Word],
) -> Code:
    if len(ranked) == 1:
        return "single"
    if len(candidates) == 1:
        return "only"
    if len(tied) == 1:
        return "clear"
    undecided = all(words[approach.approach_id] == "not_enough" for approach in tied[1:])
    return "undecided" if undecided else "tied"


def _nothing(
    results: Results,
    code: Literal["incomplete", "unmeasured", "none_passes"],
    gates: tuple[GateResult, ...],
    inputs: DecisionInputs,
    notes: Sequence[dict[str, Any]],
) -> Verdict:
    failed = {gate.approach_id for gate in gates if gate.outcome == "fail"}
    order = tuple(
        Ranked(
            approach_id=a.approach_id,
            preset=a.preset,
            name=a.name,
            standing="excluded" if a.approach_id in failed else "undecided",
            against_leader=None,
            total=None,
            breaks_even_at=None,
        )
        for a in results.ranked
    )
    return Verdict(code, None, None, (), order, gates, None, None, tuple(notes), inputs)


def _word(pairs: Sequence[Comparison], approach_id: str, leader_id: str) -> Word:
    """Return how an approach compares with the leader."""
    pair = _pair(pairs, approach_id, leader_id)
    return pair.verdict if pair is not None else "not_enough"


_TURNED: dict[Word, Word] = {"better": "worse", "worse": "better"}


def _pair(pairs: Sequence[Comparison], first: str, second: str) -> Comparison | None:
    """Return a paired comparison the right way round, whichever way it was stored."""
    for pair in pairs:
        if (pair.first, pair.second, pair.slice) == (first, second, None):
            return pair
        if (pair.first, pair.second, pair.slice) == (second, first, None):
            return _turned(pair)
    return None


def _turned(pair: Comparison) -> Comparison:
    return Comparison(
        first=pair.second,
        second=pair.first,
        slice=pair.slice,
        estimate=-pair.estimate,
        low=None if pair.high is None else -pair.high,
        high=None if pair.low is None else -pair.low,
        p_value=pair.p_value,
        adjusted_p=pair.adjusted_p,
        verdict=_TURNED.get(pair.verdict, pair.verdict),
        up=pair.down,
        down=pair.up,
        equal=pair.equal,
        n=pair.n,
    )


def _total(cost: Running | None, inputs: DecisionInputs) -> Decimal:
    if cost is None:
        return Decimal("Infinity")
    return total_cost(
        cost,
        months=inputs.months,
        refreshes_per_month=inputs.refreshes_per_month,
        answers_per_month=inputs.answers_per_month,
    )


def _ranking(
    ranked: Sequence[ApproachResult],
    chosen: ApproachResult,
    tied: Sequence[ApproachResult],
    failed: set[str],
    words: dict[str, Word],
    totals: dict[str, Decimal],
    costs: dict[str, Running],
    inputs: DecisionInputs,
) -> tuple[Ranked, ...]:
    level = {approach.approach_id for approach in tied}
    rows = []
    for approach in ranked:
        key = approach.approach_id
        standing: Standing = "tied" if key in level else "excluded" if key in failed else "behind"
        rows.append(
            Ranked(
                key,
                approach.preset,
                approach.name,
                "recommended" if approach is chosen else standing,
                words.get(key),
                float(totals[key]) if totals[key].is_finite() else None,
                _crossing(costs.get(key), costs.get(chosen.approach_id), inputs),
            )
        )
    return tuple(rows)


def _crossing(cost: Running | None, chosen: Running | None, inputs: DecisionInputs) -> float | None:
    if cost is None or chosen is None or cost is chosen:
        return None
    volume = break_even(cost, chosen, months=inputs.months, refreshes_per_month=inputs.refreshes_per_month)
    return None if volume is None else float(volume)


def _own_notes(results: Results, chosen: ApproachResult, gates: Sequence[GateResult]) -> list[dict[str, Any]]:
    """Return what the results themselves say against acting on the verdict at once."""
    notes: list[dict[str, Any]] = []
    unclear = [g for g in gates if g.approach_id == chosen.approach_id and g.outcome in ("unclear", "unmeasured")]
    notes += [{"code": f"gate_{gate.outcome}", "params": {"criterion": gate.criterion}} for gate in unclear]
    for twins in results.twins:
        notes.append({"code": "twins", "params": {"first": twins.first, "second": twins.second, "same": twins.same}})
    if chosen.attribution.invented:
        params = {"count": chosen.attribution.invented, "of": results.questions}
        notes.append({"code": "invents", "params": params})
    changed, taught = chosen.coverage.get("changed"), chosen.coverage.get("both") or chosen.coverage.get("taught")
    if changed and taught and changed.high is not None and taught.low is not None and changed.high < taught.low:
        notes.append({"code": "stale", "params": {"changed": changed.estimate, "taught": taught.estimate}})
    if results.smallest_detectable is not None:
        notes.append({"code": "detectable", "params": {"difference": results.smallest_detectable}})
    return notes
