"""Rows: from a dataset's examples to the tokens that a run trains on, and a list of those it could not use."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.datasets import Row, drawn_examples, examples, rejected_answer
from core.errors import KurabeError
from core.prompting import IGNORED, ChatTemplate, Message, Passage, PromptInput, TrainingRow, build_messages
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.passages import PassageSource, Shown

__all__ = ["ListedRow", "PreparedRow", "PreparedRows", "prepare_rows", "row_messages"]

_READ = 20_000
"""Rows that are read at most to find enough for an estimate."""

Style = Literal["plain", "passages"]

_AT_ONCE = 64
"""Examples whose passages are searched for together, between two reports of progress."""


@dataclass(frozen=True, slots=True)
class PreparedRow:
    """One row ready to train on."""

    example_id: str
    position: int
    """Row number in the dataset version."""
    style: Style
    """Whether passages are shown."""
    gold_shown: bool | None
    """Whether the passages hold the answer; None for plain rows."""
    messages: list[Message]
    tokens: TrainingRow
    rejected: TrainingRow | None = None
    """The same prompt with the answer that was turned down; None unless the objective learns from pairs."""

    @property
    def prompt_length(self) -> int:
        """Tokens before the answer."""
        return next((n for n, label in enumerate(self.tokens.labels) if label != IGNORED), len(self.tokens))

    @property
    def longest(self) -> int:
        """Tokens of its longest sequence."""
        return max(len(self.tokens), len(self.rejected or ()))

    @property
    def read(self) -> int:
        """Tokens of all its sequences."""
        return len(self.tokens) + len(self.rejected or ())

    @property
    def trained(self) -> int:
        """Those of them that are learned."""
        return self.tokens.trained + (self.rejected.trained if self.rejected else 0)


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One row that is not trained on, and why."""

    example_id: str
    position: int
    style: Style
    code: str
    """Key of the reason: ``training.row.<code>``."""
    params: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "example_id": self.example_id,
            "position": self.position,
            "style": self.style,
            "code": self.code,
            "params": self.params,
        }


@dataclass(slots=True)
class PreparedRows:
    """All rows of a run: rows in = rows trained + rows listed."""

    train: list[PreparedRow] = field(default_factory=list)
    validation: list[PreparedRow] = field(default_factory=list)
    listed: list[ListedRow] = field(default_factory=list)
    """Training rows left out."""
    rows_in: int = 0
    """Training rows asked for: examples times styles."""
    kept_plain: int = 0
    """Rows that stayed plain because nobody knows which document answers them."""
    passages_dropped: int = 0
    """Distractor passages taken out so that a row fits."""
    share: float = 1.0
    """Share of the run's training rows that was prepared: less than 1 for an estimate from a sample."""

    @property
    def tokens(self) -> int:
        """Tokens of one pass over the training rows."""
        return sum(row.read for row in self.train)

    @property
    def trained_tokens(self) -> int:
        """Those of them that are learned."""
        return sum(row.trained for row in self.train)

    def counts(self) -> dict[str, Any]:
        """Return the numbers that are shown and stored."""
        return {
            "rows_in": self.rows_in,
            "trained": len(self.train),
            "listed": len(self.listed),
            "with_passages": sum(row.style == "passages" for row in self.train),
            "without_gold": sum(row.gold_shown is False for row in self.train),
            "kept_plain": self.kept_plain,
            "passages_dropped": self.passages_dropped,
            "validation": len(self.validation),
            "tokens": self.tokens,
            "trained_tokens": self.trained_tokens,
            "longest": max((row.longest for row in self.train), default=0),
            "without_pair": sum(row.code == "no_pair" for row in self.listed),
        }


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Examples that a run is about."""

    train: list[tb.Example]
    validation: list[tb.Example]
    unpaired: list[tb.Example]
    """Training examples without a rejected answer, where the objective needs one."""
    share: float = 1.0
    """Share of them that was read."""


def _chosen(config: TrainingConfig, most: int | None = None) -> _Chosen:
    """Return training examples (the configured share) and validation examples (at most `evaluation_rows`).

    Both are drawn by the seed alone, so that a smaller share is part of a larger one. With `most` no more rows than
    these are read of each, for an estimate.

    Raises:
        KurabeError: ``training.no_rows``, ``training.no_pairs``.
    """
    train, share = _read(config, "train", most)
    validation, _ = _read(config, "validation", most)
    if not train:
        raise KurabeError("training.no_rows")
    unpaired = [row for row in train if not rejected_answer(row.tags)] if config.aim.pairs else []
    if config.aim.pairs:
        if len(unpaired) == len(train):
            if share < 1:  # pairs so rare that none was drawn
                return _chosen(config)
            raise KurabeError("training.no_pairs", rows=len(train))
        train, validation = ([row for row in part if rejected_answer(row.tags)] for part in (train, validation))
    if config.data_share < 1:
        order = list(range(len(train)))
        random.Random(config.seed).shuffle(order)
        kept = sorted(order[: max(1, round(len(train) * config.data_share))])
        train = [train[position] for position in kept]
    if len(validation) > config.evaluation_rows:
        # Not drawn by the run's seed: runs with other seeds are then measured on the same questions.
        validation = random.Random(0).sample(validation, config.evaluation_rows)
    return _Chosen(train, validation, unpaired, share)


def _read(config: TrainingConfig, split: str, most: int | None) -> tuple[list[tb.Example], float]:
    """Return the rows of a split, or a sample of them, and which share of the split they are."""
    if most is None:
        return examples(config.dataset_version_id, split=split), 1.0
    found, total = drawn_examples(config.dataset_version_id, split, most, config.seed)
    return found, len(found) / max(1, total)


def prepare_rows(
    config: TrainingConfig,
    template: ChatTemplate,
    language: str,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    limit: int | None = None,
) -> PreparedRows:
    """Render, mask and count every row of a run; a row that cannot be used is listed, never dropped.

    Args:
        config: what to train.
        template: the base's chat template.
        language: the project's, for the words that frame passages.
        on_progress: told rows done and rows in all.
        limit: prepare only so many training examples, for an estimate; 0 prepares the validation rows alone. Of a
            larger dataset only a sample is read: `PreparedRows.share` says how much of it.

    Raises:
        KurabeError: ``training.no_rows``, ``training.no_pairs``, ``training.no_index``, ``training.nothing_left``,
            what searching raises.
    """
    chosen = _chosen(config, _read_for(config, limit) if limit else None)
    train, unpaired = chosen.train, chosen.unpaired if limit != 0 else []
    builder = _Builder(config, template, language)
    result = builder.result
    result.share = chosen.share
    if limit is not None and len(train) > limit:
        kept = limit / len(train)
        train = random.Random(config.seed).sample(train, limit)
        unpaired = unpaired[: round(len(unpaired) * kept)]
        result.share *= kept
    work = [(builder.add_training, example) for example in train]
    work += [(builder.add_validation, example) for example in chosen.validation]
    for example in unpaired:
        builder.list_unpaired(example)
    for start in range(0, len(work), _AT_ONCE):
        part = work[start : start + _AT_ONCE]
        builder.expect([example for _, example in part])
        for done, (add, example) in enumerate(part, start + 1):
            add(example)
            if on_progress is not None:
                on_progress(done, len(work))
    if not result.train and result.listed:
        first = result.listed[-1]
        raise KurabeError("training.nothing_left", rows=result.rows_in, reason=first.code)
    return result


def _read_for(config: TrainingConfig, limit: int) -> int:
    """Return how many rows to read so that, where the data allow it, `limit` remain of the configured share."""
    return max(limit, min(_READ, math.ceil(limit / config.data_share)))


class _Builder:
    """Turns one example after the other into rows."""

    def __init__(self, config: TrainingConfig, template: ChatTemplate, language: str) -> None:
        self.config = config
        self.template = template
        self.language = language
        self.source = PassageSource(config) if config.row_style != "plain" else None
        self.result = PreparedRows()

    def expect(self, examples: Sequence[tb.Example]) -> None:
        """Search for the passages of the next examples together."""
        if self.source is not None:
            self.source.expect(examples)

    def add_training(self, example: tb.Example) -> None:
        """Add the example's rows: one, or with ``mix`` one of each style."""
        shown = self._shown(example)
        if self.source is not None and shown is None:
            self.result.kept_plain += 1
        styles: list[Shown | None] = [shown]
        if self.config.row_style == "mix" and shown is not None:
            styles.insert(0, None)
        for wanted in styles:
            self.result.rows_in += 1
            row = self._row(example, wanted)
            if isinstance(row, PreparedRow):
                self.result.train.append(row)
            else:
                self.result.listed.append(row)

    def list_unpaired(self, example: tb.Example) -> None:
        """List an example that has no rejected answer to learn from."""
        self.result.rows_in += 1
        self.result.listed.append(ListedRow(example.id, example.position, "plain", "no_pair", {}))

    def add_validation(self, example: tb.Example) -> None:
        """Add one row worded as the run's training rows are; what cannot be used is left out of the watching."""
        row = self._row(example, self._shown(example))
        if isinstance(row, PreparedRow):
            self.result.validation.append(row)

    def _shown(self, example: tb.Example) -> Shown | None:
        return None if self.source is None else self.source.passages_for(example)

    def _row(self, example: tb.Example, shown: Shown | None) -> PreparedRow | ListedRow:
        style: Style = "plain" if shown is None else "passages"
        if not example.answer.strip() and not example.messages:
            return ListedRow(example.id, example.position, style, "no_answer", {})
        if self.config.aim.pairs and rejected_answer(example.tags).strip() == example.answer.strip():
            return ListedRow(example.id, example.position, style, "same_pair", {})
        passages = list(shown.passages) if shown else []
        while True:
            messages = self._messages(example, passages)
            try:
                tokens = self.template.training_row(messages, self.config.train_on)
                rejected = self._rejected(example, messages)
            except KurabeError as error:
                code = error.code.removeprefix("prompting.")
                return ListedRow(example.id, example.position, style, code, error.params)
            longest = max(len(tokens), len(rejected or ()))
            if longest <= self.config.max_length:
                gold = None if shown is None else any(p.chunk_id in shown.gold for p in passages)
                return PreparedRow(example.id, example.position, style, gold, messages, tokens, rejected)
            if shown is None or not _drop_distractor(passages, shown.gold):
                params = {"tokens": longest, "limit": self.config.max_length}
                return ListedRow(example.id, example.position, style, "too_long", params)
            self.result.passages_dropped += 1

    def _rejected(self, example: tb.Example, messages: Sequence[Message]) -> TrainingRow | None:
        if not self.config.aim.pairs:
            return None
        worse: Message = {"role": "assistant", "content": rejected_answer(example.tags)}
        return self.template.training_row([*messages[:-1], worse], self.config.train_on)

    def _messages(self, example: tb.Example, passages: Sequence[Passage]) -> list[Message]:
        return row_messages(example, self.language, self.config.instructions, self.config.house_rules, passages)


def row_messages(
    row: tb.Example | Row, language: str, instructions: str, house_rules: str, passages: Sequence[Passage] = ()
) -> list[Message]:
    """Return the chat that a row is trained as: its own messages, or its question and answer as approaches ask.

    Args:
        row: A stored example, or a row that an import would bring.
        language: The project's, for the words that frame passages.
        instructions: System instructions; they open a stored chat too, unless it has its own.
        house_rules: As `instructions`.
        passages: Shown with the question; a stored chat then gives way to question and answer.
    """
    if row.messages and not passages:
        return _chat(row.messages, language, instructions, house_rules)
    prompt = PromptInput(
        language=language,
        question=row.question,
        instructions=instructions,
        house_rules=house_rules,
        passages=tuple(passages),
    )
    return [*build_messages(prompt), {"role": "assistant", "content": row.answer}]


def _chat(stored: Sequence[dict[str, Any]], language: str, instructions: str, house_rules: str) -> list[Message]:
    """Return a stored chat; the project's instructions open it unless it has its own."""
    chat: list[Message] = [{"role": turn["role"], "content": turn["content"]} for turn in stored]
    if chat[0]["role"] == "system":
        return chat
    opening = PromptInput(language, "?", instructions=instructions, house_rules=house_rules)
    return [*build_messages(opening)[:-1], *chat]


def _drop_distractor(passages: list[Passage], gold: frozenset[str]) -> bool:
    """Take out the last passage that does not hold the answer; tell whether there was one to take."""
    for position in range(len(passages) - 1, -1, -1):
        if passages[position].chunk_id not in gold and len(passages) > 1:
            del passages[position]
            return True
    return False
