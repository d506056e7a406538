"""Questions drafted by a model from documents or trained questions: asked, doubted, reviewed by people, added."""

from .config import DraftingConfig, DraftingPlan
from .needs import Need, Needs, questions_missing
from .planning import draftings, plan_drafting, start_drafting
from .reviewing import DRAFT_SHOW, DraftPage, add_accepted, count_drafts, decide, drafts, unreadable

__all__ = [
    "DRAFT_SHOW",
    "DraftPage",
    "DraftingConfig",
    "DraftingPlan",
    "Need",
    "Needs",
    "add_accepted",
    "count_drafts",
    "decide",
    "draftings",
    "drafts",
    "plan_drafting",
    "questions_missing",
    "start_drafting",
    "unreadable",
]
