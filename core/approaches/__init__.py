"""Approaches: model × context × prompt, how each answers, and the record of every answer."""

from .again import Changed, ask_after_edit, ask_with_prompts, change_before, prompts_of, tried_prompts
from .answering import AnswerRequest, answer, answer_row, derived_seed, perform
from .batch import Keeper, Task, answer_many, ask_all, ask_patiently, may_pass, pause_after, wait_unless
from .context import Context, Demonstration, Gathered, GatherInput
from .library import (
    approaches,
    ensure_presets,
    get_approach,
    save_approach,
    spec_of_row,
    unavailable,
    why_unavailable,
)
from .live import LiveComparison, comparison, is_running, recent_comparisons, start_comparison, stop_answer
from .parts import CONTEXTS, Parts, Prompter, Server, budget_for, context_tokens, load_parts, prompter, weights_hash
from .presets import PRESETS, PresetInfo
from .rows import MEASURED, RUNNING, insert_rows, mark_measured, new_row, save_rows, settle_lost, store_rows
from .sources import ProjectSources
from .spec import ApproachSpec, Decoding, ModelChoice, PromptChoice, check_key_name

__all__ = [
    "CONTEXTS",
    "MEASURED",
    "PRESETS",
    "RUNNING",
    "AnswerRequest",
    "ApproachSpec",
    "Changed",
    "Context",
    "Decoding",
    "Demonstration",
    "GatherInput",
    "Gathered",
    "Keeper",
    "LiveComparison",
    "ModelChoice",
    "Parts",
    "Prompter",
    "PresetInfo",
    "ProjectSources",
    "PromptChoice",
    "Server",
    "Task",
    "answer",
    "answer_many",
    "answer_row",
    "approaches",
    "ask_after_edit",
    "budget_for",
    "context_tokens",
    "ask_all",
    "ask_patiently",
    "ask_with_prompts",
    "change_before",
    "check_key_name",
    "comparison",
    "derived_seed",
    "ensure_presets",
    "get_approach",
    "insert_rows",
    "is_running",
    "load_parts",
    "prompter",
    "weights_hash",
    "mark_measured",
    "may_pass",
    "pause_after",
    "new_row",
    "perform",
    "prompts_of",
    "recent_comparisons",
    "save_approach",
    "save_rows",
    "settle_lost",
    "spec_of_row",
    "start_comparison",
    "stop_answer",
    "store_rows",
    "tried_prompts",
    "unavailable",
    "why_unavailable",
    "wait_unless",
]
