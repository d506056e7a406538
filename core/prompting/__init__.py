"""Prompting: the one place where messages are built, rendered, masked for training, counted and shown.

The app, the trainer and the host all use it, so what is trained, what is previewed and what is served are
the same tokens. It needs `tokenizers` and `jinja2` only.
"""

from core.prompting.drafting import drafting_hash, questions_prompt, rewordings_prompt
from core.prompting.judging import claim_prompt, judging_hash, pair_prompt, scale_prompt
from core.prompting.masking import IGNORED, TrainingRow
from core.prompting.messages import (
    Message,
    Passage,
    PromptInput,
    build_messages,
    examples_in,
    passages_in,
    template_hash,
)
from core.prompting.template import ChatTemplate

__all__ = [
    "IGNORED",
    "ChatTemplate",
    "Message",
    "Passage",
    "PromptInput",
    "TrainingRow",
    "build_messages",
    "claim_prompt",
    "drafting_hash",
    "examples_in",
    "judging_hash",
    "pair_prompt",
    "passages_in",
    "questions_prompt",
    "rewordings_prompt",
    "scale_prompt",
    "template_hash",
]
