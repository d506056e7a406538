"""An approach in full: model × context × prompt with pinned decoding; what is stored, hashed and compared."""

from __future__ import annotations

import os
import re
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.errors import KurabeError
from core.i18n import Language
from core.identity import content_hash

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
"""A variable of the environment that a shell can set, and no longer than people make them."""
_DRAWN: Final = re.compile(r"(?=[A-Z]*[0-9])[A-Z0-9]{16,}")
"""A part of a name that nobody would write: letters and digits as drawn by lot."""

Preset = Literal[
    "base",
    "few_shot",
    "many_shot",
    "rag",
    "fine_tuned",
    "fine_tuned_rag",
    "raft",
    "whole_context",
    "oracle_context",
    "endpoint",
]
"""The familiar names; each decides colour, marker and place in the order."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelChoice(_Frozen):
    """Which weights answer, and where they are served."""

    kind: Literal["base", "adapter", "merged", "endpoint"] = "base"
    """Base weights, an adapter on them, merged weights, or a model that someone else serves."""
    ref: str
    """Base reference, adapter id, merged model id, or the model's name at the endpoint."""
    base_ref: str = ""
    """Base that an adapter or merged model came from: its tokenizer and template are used."""
    url: str | None = None
    """Address of an OpenAI-compatible server, for `endpoint`."""
    key_name: str | None = None
    """Name of the environment variable that holds the endpoint's key; never the key."""

    @property
    def served_name(self) -> str:
        """The model's name in a request."""
        return f"{self.kind}:{self.ref}" if self.kind in ("adapter", "merged") else self.ref

    @property
    def place(self) -> str:
        """Which weights at which address: the same for approaches that one model answers."""
        return f"{self.url or ''} {self.served_name}"


def check_key_name(name: str | None) -> None:
    """Refuse a key where the name of its variable belongs: what is written there is stored and shown.

    It is checked where an approach or a judging is made, not where a stored one is read: what the environment holds
    differs from machine to machine.

    Raises:
        KurabeError: `approaches.key_name` for what can be no name of a variable, or is neither in capitals nor set in
            the environment; it does not repeat what was written.
    """
    if not name or (_NAME.fullmatch(name) and name in os.environ):
        return
    parts = name.split("_")
    if not _NAME.fullmatch(name) or name != name.upper() or any(_DRAWN.fullmatch(part) for part in parts):
        raise KurabeError("approaches.key_name")


def check_key_present(name: str | None) -> str | None:
    """Return the key that a variable of the environment holds; None where none is needed.

    Raises:
        KurabeError: `approaches.key_missing` when the environment lacks it.
    """
    key = os.environ.get(name) if name else None
    if name and not key:
        raise KurabeError("approaches.key_missing", name=name)
    return key


class PromptChoice(_Frozen):
    """What every question is sent with."""

    instructions: str = ""
    """What the model is asked to do."""
    house_rules: str = ""
    """How answers must look; sent by every preset, so that tuning is not compared with silence."""
    style: str = ""
    """In which voice: a tone, a length, a language; stands after the house rules."""


class Decoding(_Frozen):
    """How tokens are chosen; pinned for all approaches of an experiment."""

    max_tokens: int = Field(default=160, gt=0)
    """Longest answer."""
    temperature: float = Field(default=0.0, ge=0)
    """0: always the likeliest token."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Draw from the smallest set of tokens whose probabilities reach this sum; None: from all of them."""
    seed: int | None = None
    """Seed for every answer; None derives one from experiment, question, approach and repetition."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer."""
    thinking: bool = False
    """Whether a model that can reason first does so; the reasoning is billed but never scored."""


class ApproachSpec(_Frozen):
    """One fully specified way to answer."""

    name: str = Field(min_length=1, max_length=120)
    """What people call it."""
    names: dict[Language, str] = Field(default_factory=dict)
    """What it is called in a language in which that differs from `name`."""
    preset: Preset
    """The familiar approach it is a case of."""
    model: ModelChoice
    """Whose weights."""
    context: dict[str, Any] = Field(default_factory=lambda: {"name": "none"})
    """Name and fields of a context in `core.approaches.CONTEXTS`."""
    prompt: PromptChoice = PromptChoice()
    """Instructions and house rules."""
    decoding: Decoding = Decoding()
    """Decoding."""
    context_budget_tokens: int = Field(default=0, ge=0)
    """Most tokens of prompt; 0: what the model can read, less the longest answer."""
    managed: bool = False
    """Kept up to date by Kurabe (newest adapter, project's prompt) until somebody edits it."""
    archived: bool = False
    """Put away by a person: offered nowhere, and not renewed by Kurabe, until somebody brings it back."""

    @property
    def hash(self) -> str:
        """Hash of everything that can change an answer; the name and who manages it do not."""
        content = self.model_dump(mode="json", exclude={"name", "names", "managed", "archived", "preset"})
        # approaches that were stored before there were these fields keep their hash
        if self.decoding.top_p is None:
            del content["decoding"]["top_p"]
        if not self.prompt.style:
            del content["prompt"]["style"]
        return content_hash(content)

    @property
    def ranked(self) -> bool:
        """Whether it may win: perfect search is a ceiling, not a way to answer."""
        return self.preset != "oracle_context"

    @property
    def retrieves(self) -> bool:
        """Whether it searches an index when it answers."""
        return self.context.get("name") in ("retrieved", "gold_passage")
