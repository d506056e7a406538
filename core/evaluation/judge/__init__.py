"""A judge model's opinion of stored answers: planned, asked in both orders, kept in full, summed up with its flaws."""

from .calls import judged_names
from .config import JudgeConfig, JudgePlan
from .outcome import JudgedApproach, JudgedPair, JudgementPage, JudgeOutcome, judge_outcome, judged_pairs, judgements
from .planning import check_judge, judgings, plan_judging, start_judging

__all__ = [
    "JudgeConfig",
    "JudgeOutcome",
    "JudgePlan",
    "JudgedApproach",
    "JudgedPair",
    "JudgementPage",
    "check_judge",
    "judge_outcome",
    "judged_names",
    "judged_pairs",
    "judgements",
    "judgings",
    "plan_judging",
    "start_judging",
]
