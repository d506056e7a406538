"""What an approach context is: how it fills the prompt beside the question.

A context sees callables, not clocks, prices or storage; whoever answers gives it both ends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol

from core.errors import KurabeError
from core.knowledge import Hit, Mode, SearchResult
from core.prompting import Passage


def setting(
    default: Any, key: str, *, minimum: int | None = None, maximum: int | None = None, choices: Sequence[str] = ()
) -> Any:
    """Return a dataclass field with what a form needs.

    Args:
        default: a sound value where nothing better is known.
        key: catalogue key of its label; its sentence of help is ``<key>.help``.
        minimum: least value allowed.
        maximum: greatest value allowed.
        choices: the only values allowed.
    """
    metadata = {"label": key, "help": f"{key}.help", "minimum": minimum, "maximum": maximum, "choices": tuple(choices)}
    return field(default=default, metadata=metadata)


class Search(Protocol):
    """Search in the approach's index."""

    def __call__(self, query: str, *, k: int, mode: Mode, rerank: bool) -> SearchResult:
        """Return the best `k` chunks with the time each step took."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One training example that can be shown in a prompt."""

    question: str
    """Question as in the dataset."""
    answer: str
    """Reference answer."""
    slice: str = ""
    """Its slice; demonstrations are spread over slices."""


@dataclass(frozen=True, slots=True)
class GatherInput:
    """Everything a context may use for one question."""

    question: str
    """The question as it was asked."""
    budget: int | None
    """Tokens left for context after instructions, question and answer; None: not known (endpoint)."""
    cost: Callable[[Sequence[tuple[str, str]], Sequence[Passage]], int]
    """Tokens that examples and passages add to the prompt."""
    demonstrations: Callable[[], Sequence[Demonstration]]
    """Training examples, in the order of the dataset."""
    search: Search
    """Search; raises `KurabeError` when there is no index."""
    documents: Callable[[], Sequence[Passage]]
    """Every document of the knowledge base as one passage."""
    gold: Callable[[], Sequence[Hit] | None]
    """Chunks that hold the answer: empty when no document does, None when nobody knows (a free question)."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What goes into the prompt, and how it came about."""

    examples: tuple[tuple[str, str], ...] = ()
    """Question and answer pairs shown before the question."""
    passages: tuple[Passage, ...] = ()
    """Numbered passages, `[1]` first."""
    hits: tuple[Hit, ...] = ()
    """Where the passages came from; one per passage when they were searched for."""
    search: SearchResult | None = None
    """The search behind them, with its times."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What a reader should know: how many of how many were used, what did not fit."""

    @property
    def filled(self) -> bool:
        """Whether anything stands in the prompt beside the question."""
        return bool(self.examples or self.passages)


@dataclass(frozen=True)
class Context(ABC):
    """One way to fill the prompt; its dataclass fields are its whole configuration."""

    name: ClassVar[str]
    """The file's name; key of its label `approaches.context.<name>`."""

    def __post_init__(self) -> None:
        """Refuse values that the form would not allow.

        Raises:
            KurabeError: `approaches.bad_field` with the field, what was found and what was expected.
        """
        for each in fields(self):
            expected = _unexpected(each.default, getattr(self, each.name), each.metadata)
            if expected:
                found = str(getattr(self, each.name))[:80]
                raise KurabeError("approaches.bad_field", field=each.name, found=found, expected=expected)

    @abstractmethod
    def gather(self, given: GatherInput) -> Gathered:
        """Collect examples or passages for one question.

        Raises:
            KurabeError: `approaches.too_long` when what must go in does not fit, by how much;
                whatever search and storage raise.
        """


def _unexpected(default: Any, value: Any, allowed: Mapping[str, Any]) -> str:
    """What was expected in the place of a value; empty when it is allowed."""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true, false"
    if choices := allowed.get("choices"):
        return "" if value in choices else ", ".join(choices)
    low, high = allowed.get("minimum"), allowed.get("maximum")
    number = isinstance(value, int) and not isinstance(value, bool)
    fits = number and (low is None or value >= low) and (high is None or value <= high)
    return "" if fits else f"{'' if low is None else low} – {'' if high is None else high}"


def passage_of(hit: Hit) -> Passage:
    """The passage of a chunk, titled with its document and heading."""
    return Passage(title=hit.full_title, text=hit.text, chunk_id=hit.chunk_id)


def fitting(hits: Sequence[Hit], given: GatherInput) -> tuple[list[Hit], dict[str, Any]]:
    """The best hits that fit the budget, and a note on those that did not."""
    kept: list[Hit] = []
    used = 0
    for hit in hits:
        needed = given.cost((), (passage_of(hit),))
        if given.budget is not None and used + needed > given.budget:
            break
        kept.append(hit)
        used += needed
    left_out = len(hits) - len(kept)
    return kept, {"passages_left_out": left_out} if left_out else {}
