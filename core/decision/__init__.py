"""Decision: hard requirements, measured evidence per criterion, costs over time, the verdict and its report."""

from core.decision.costs import Running, break_even, cost_of_pass, total_cost
from core.decision.criterion import CRITERIA, Criterion, Gate, GateResult, check_gate
from core.decision.records import (
    decide_experiment,
    decision_inputs,
    decisions,
    latest_decision,
    record_decision,
    running_costs,
    save_decision_inputs,
)
from core.decision.report import report_html
from core.decision.verdict import DecisionInputs, Ranked, Verdict, decide
from core.decision.words import (
    approach_name,
    called,
    failure_texts,
    finding,
    headline,
    note_text,
    reason,
    share_text,
    verdict_word,
)

__all__ = [
    "CRITERIA",
    "Criterion",
    "DecisionInputs",
    "Gate",
    "GateResult",
    "Ranked",
    "Running",
    "Verdict",
    "approach_name",
    "break_even",
    "called",
    "check_gate",
    "cost_of_pass",
    "decide",
    "decide_experiment",
    "decision_inputs",
    "decisions",
    "failure_texts",
    "finding",
    "headline",
    "latest_decision",
    "note_text",
    "reason",
    "record_decision",
    "report_html",
    "running_costs",
    "save_decision_inputs",
    "share_text",
    "total_cost",
    "verdict_word",
]
