"""What a metric sees (`Case`), what it returns (`Measured`) and what it is (`Metric`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

from .expectation import Expectation, expectation

Language = Literal["en", "ja"]

Embed = Callable[[list[str]], list[list[float]]]
"""Turns n texts into n vectors of one length; raises `KurabeError` when it cannot."""


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """One numbered passage as the model saw it; `[1]` is the first of a case."""

    chunk_id: str
    """Chunk it came from; empty for a passage that is no chunk (a whole document)."""
    text: str
    """Its text, to look for gold quotes when chunk ids cannot tell."""
    document: str = ""
    """Name of its document."""
    removed: bool = False
    """Whether its text was deleted since, so that nobody can tell any more what it said."""


@dataclass(frozen=True)
class Case:
    """One answer beside everything that was expected of it."""

    question: str
    """The question as it was asked."""
    answer_text: str
    """The visible answer, reasoning already stripped."""
    language: Language = "en"
    """Language of question and reference; values are compared within it."""
    reference: str = ""
    """The reference answer in full."""
    value: str | None = None
    """The one thing the answer must contain (a number with unit, a date, a name)."""
    expects: Mapping[str, Any] = field(default_factory=dict)
    """What kind of answer is expected, as stored; read `expected` instead."""
    gold: tuple[Mapping[str, Any], ...] = ()
    """Where the answer stands: mappings with `document` and `quote`."""
    passages: tuple[ShownPassage, ...] = ()
    """The passages that were in the prompt, in their order."""
    gold_chunks: frozenset[str] = frozenset()
    """Chunks of the index that hold a gold quote."""
    phrases: tuple[str, ...] = ()
    """What many references of the dataset begin or end with, in normal form: phrases of the house, for `style`."""
    embed: Embed | None = None
    """Embedder for `semantic_similarity`; None when none reads this language."""
    replies: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    """What a judge replied, by metric, in the order of its questions; None for a call that failed."""

    @cached_property
    def expected(self) -> Expectation:
        """`expects` and `value` in readable form."""
        return expectation(self.expects, self.value)


@dataclass(frozen=True, slots=True)
class Measured:
    """One measured value, or the visible reason why there is none."""

    value: float | None
    """The value, between 0 and 1 for every metric shipped; None: could not be measured."""
    reason: str
    """Code of a sentence `measures.reason.<code>` that says why."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of that sentence; JSON-able."""

    @property
    def failed(self) -> bool:
        """True when there was something to measure and it could not be measured."""
        return self.value is None and not self.reason.startswith("not_applicable")


@dataclass(frozen=True)
class Metric(ABC):
    """One way to measure an answer; its dataclass fields are its whole configuration.

    A metric knows nothing of clocks, prices or storage. What it cannot measure it returns
    as `Measured(None, reason)`, never as NaN and never as an exception.
    """

    name: ClassVar[str]
    """The file's name; key of its label `measures.metric.<name>`."""
    version: ClassVar[int] = 1
    """Raised when the computation changes: scores of two versions are never pooled."""
    higher_is_better: ClassVar[bool] = True
    """Direction of improvement."""
    binary: ClassVar[bool] = True
    """Whether every value is 0 or 1 (decides which interval is right)."""
    primary: ClassVar[bool] = True
    """Whether an experiment may compare approaches on it; those measured by a judge never are."""
    judged: ClassVar[bool] = False
    """Whether a judge model measures it: then it takes a job of its own, and is never the primary metric."""

    @abstractmethod
    def score(self, case: Case) -> Measured:
        """Measure one case; reasons `not_applicable…` mean that the case has nothing to measure."""


def yes_no(passed: bool, reason: str = "", /, **params: Any) -> Measured:
    """1 or 0 with a reason: `reason` where given, else `passed` or `failed`."""
    return Measured(float(passed), reason or ("passed" if passed else "failed"), params)
