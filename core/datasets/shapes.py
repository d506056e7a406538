"""The shapes in which teams keep questions and answers, recognised by their columns and turned into rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from core.datasets.cells import (
    RowProblem,
    apply_extras,
    jsonable,
    keep_tag,
    needed,
    parsed,
    text_of,
    turns_or_text,
)
from core.datasets.columns import field_of, guess_mapping
from core.datasets.rows import Problem, RawRow, Row
from core.errors import KurabeError

__all__ = ["SHAPES", "Reading", "Shape", "convert", "recognise", "shape_named"]

_ROLES = {"system", "developer", "user", "assistant", "tool", "function"}
_SHAREGPT_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


class Shape(ABC):
    """One way to write a question with its answer."""

    name: ClassVar[str]

    @abstractmethod
    def fits(self, columns: set[str]) -> bool:
        """Tell whether a file with these columns has this shape."""

    @abstractmethod
    def row(self, values: Mapping[str, Any], mapping: Mapping[str, str]) -> Row:
        """Return the row.

        Raises:
            RowProblem: with the column, what was found and what was expected.
        """


class KurabeShape(Shape):
    """Kurabe's own rows: id, question, answer, slice, gold, value, expects."""

    name = "kurabe"

    def fits(self, columns: set[str]) -> bool:
        """See `Shape.fits`."""
        return "question" in columns and bool(columns & {"gold", "expects"})

    def row(self, values: Mapping[str, Any], mapping: Mapping[str, str]) -> Row:
        """See `Shape.row`."""
        rest = dict(values)
        question = needed(rest.pop("question", None), "question")
        row = Row(question, text_of(rest.pop("answer", None), "answer"))
        if not _blank(messages := parsed(rest.pop("messages", None))):
            row.messages = messages_of(messages, "messages")
        rest |= {name: parsed(rest[name]) for name in ("expects", "gold", "tags") if rest.get(name)}
        if isinstance(tags := rest.get("tags"), Mapping):
            del rest["tags"]
            return _with_extras(row, rest, tags)
        return apply_extras(row, rest)


def _blank(value: Any) -> bool:
    """Tell whether a cell holds nothing: zero and false are something."""
    return value is None or value == "" or value == [] or value == {} or value != value


def _with_extras(row: Row, columns: Mapping[str, Any], inside: Mapping[str, Any]) -> Row:
    """Fill a row from its columns and from an object among them; where both name one thing, both are kept.

    Raises:
        RowProblem: as `apply_extras`.
    """
    twice = {name for name in inside if not _blank(columns.get(name))}
    row = apply_extras(row, {**columns, **{name: value for name, value in inside.items() if name not in twice}})
    for name in twice:
        if not _blank(inside[name]) and inside[name] != columns[name]:
            keep_tag(row, text_of(str(name), str(name)), jsonable(inside[name], str(name)))
    return row


def messages_of(value: Any, column: str) -> list[dict[str, Any]]:
    """Return chat messages in the form of OpenAI's API.

    Raises:
        RowProblem: naming the message that is wrong.
    """
    if not isinstance(value, list):
        raise RowProblem(column, "not_messages", value, "messages")
    result = []
    for index, message in enumerate(value):
        place = f"{column}[{index}]"
        if not isinstance(message, Mapping):
            raise RowProblem(place, "not_object", message, "message")
        role = message.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise RowProblem(f"{place}.role", "unknown_role", role, "role")
        kept = {"role": str(role), "content": _content(message.get("content"), f"{place}.content")}
        for extra, found in message.items():
            if extra not in kept and found is not None:  # tool_calls, name, weight, reasoning_content …
                kept[text_of(str(extra), place)] = jsonable(found, f"{place}.{extra}")
        result.append(kept)
    return result


def _content(value: Any, column: str) -> str:
    """Join the text parts of a message; images, audio and what else stands in a part are refused rather than lost."""
    if not isinstance(value, list):
        return text_of(value, column)
    parts = []
    for part in value:
        known = isinstance(part, Mapping) and all(_blank(part[name]) for name in part.keys() - {"text", "type"})
        if not known or not isinstance(part.get("text"), str):
            raise RowProblem(column, "not_text", part, "text")
        parts.append(text_of(part["text"], column))
    return "\n".join(parts)


def row_of_messages(messages: Sequence[dict[str, Any]], column: str) -> Row:
    """Return the row of a chat: its last question, and the answer that follows.

    Raises:
        RowProblem: ``no_user`` if nobody asks, ``no_answer`` if the last question stays without an answer.
    """
    asked = [index for index, message in enumerate(messages) if message["role"] == "user"]
    if not asked:
        raise RowProblem(column, "no_user", [message["role"] for message in messages], "user_message")
    answers = [m["content"] for m in messages[asked[-1] :] if m["role"] == "assistant"]
    if not answers:
        raise RowProblem(column, "no_answer", [message["role"] for message in messages], "assistant_message")
    question = needed(messages[asked[-1]]["content"], f"{column}[{asked[-1]}].content")
    return Row(question, answers[-1], messages=list(messages))


class ChatShape(Shape):
    """OpenAI chat messages, with metadata beside them or in an object of their own."""

    name = "chat"

    def fits(self, columns: set[str]) -> bool:
        """See `Shape.fits`."""
        return "messages" in columns

    def row(self, values: Mapping[str, Any], mapping: Mapping[str, str]) -> Row:
        """See `Shape.row`."""
        rest = dict(values)
        row = row_of_messages(messages_of(parsed(rest.pop("messages", None)), "messages"), "messages")
        metadata = parsed(rest.pop("metadata", None))
        if _blank(metadata):
            return apply_extras(row, rest)
        if not isinstance(metadata, Mapping):
            raise RowProblem("metadata", "not_object", metadata, "object")
        return _with_extras(row, rest, metadata)


class ShareGptShape(Shape):
    """ShareGPT: ``conversations`` of ``{"from", "value"}``."""

    name = "sharegpt"

    def fits(self, columns: set[str]) -> bool:
        """See `Shape.fits`."""
        return "conversations" in columns

    def row(self, values: Mapping[str, Any], mapping: Mapping[str, str]) -> Row:
        """See `Shape.row`."""
        rest = dict(values)
        turns = parsed(rest.pop("conversations", None))
        if not isinstance(turns, list):
            raise RowProblem("conversations", "not_messages", turns, "messages")
        messages: list[dict[str, Any]] = []
        if system := text_of(rest.pop("system", None), "system"):
            messages.append({"role": "system", "content": system})
        for index, turn in enumerate(turns):
            place = f"conversations[{index}]"
            said = turn.get("from") if isinstance(turn, Mapping) else turn
            if not isinstance(turn, Mapping) or not isinstance(said, str) or said not in _SHAREGPT_ROLES:
                raise RowProblem(f"{place}.from", "unknown_role", said, "sharegpt_role")
            message = {"role": _SHAREGPT_ROLES[said], "content": text_of(turn.get("value"), f"{place}.value")}
            for extra, found in turn.items():
                if extra not in ("from", "value") and not _blank(found):  # weight, name …
                    message[text_of(str(extra), place)] = jsonable(found, f"{place}.{extra}")
            messages.append(message)
        return apply_extras(row_of_messages(messages, "conversations"), rest)


class AlpacaShape(Shape):
    """Alpaca: instruction, optional input, output; LLaMA-Factory's system and history as well."""

    name = "alpaca"

    def fits(self, columns: set[str]) -> bool:
        """See `Shape.fits`."""
        return {"instruction", "output"} <= columns

    def row(self, values: Mapping[str, Any], mapping: Mapping[str, str]) -> Row:
        """See `Shape.row`."""
        rest = dict(values)
        question = needed(rest.pop("instruction", None), "instruction")
        if extra := text_of(rest.pop("input", None), "input"):
            question = f"{question}\n\n{extra}"
        row = Row(question, text_of(rest.pop("output", None), "output"))
        before = _opening(text_of(rest.pop("system", None), "system")) + _earlier(parsed(rest.pop("history", None)))
        if before:
            now = [{"role": "user", "content": question}, {"role": "assistant", "content": row.answer}]
            row.messages = before + now
        return apply_extras(row, rest)


class PromptCompletionShape(Shape):
    """Prompt and completion, as text or as TRL's lists of messages."""

    name = "prompt_completion"

    def fits(self, columns: set[str]) -> bool:
        """See `Shape.fits`."""
        return {"prompt", "completion"} <= columns

    def row(self, values: Mapping[str, Any], mapping: Mapping[str, str]) -> Row:
        """See `Shape.row`."""
        rest = dict(values)
        return apply_extras(_prompted(rest.pop("prompt", None), rest.pop("completion", None), "completion"), rest)


class PreferenceShape(Shape):
    """Preference pairs: prompt (or question), chosen, rejected, as text or as chats.

    The chosen answer is the reference, the rejected one a tag. Chats may repeat the prompt, or hold it alone.
    """

    name = "preference"

    def fits(self, columns: set[str]) -> bool:
        """See `Shape.fits`."""
        return {"chosen", "rejected"} <= columns

    def row(self, values: Mapping[str, Any], mapping: Mapping[str, str]) -> Row:
        """See `Shape.row`."""
        rest = dict(values)
        chosen = turns_or_text(rest.pop("chosen", None))
        rejected = turns_or_text(rest.get("rejected"))
        if not isinstance(rejected, list) or not rejected:
            needed(rejected, "rejected")
        column = next((name for name in ("prompt", "question") if rest.get(name)), None)
        prompt = rest.pop(column, None) if column else None
        system = text_of(rest.pop("system", None), "system")
        if isinstance(chosen, list) and (column is None or any(_role(turn) == "user" for turn in chosen)):
            messages = messages_of(chosen, "chosen")
            row = row_of_messages([*_opening(system), *messages], "chosen")
            if column and not _repeats(prompt, row):
                keep_tag(row, column, jsonable(prompt, column))
        else:
            row = _prompted(prompt, chosen, "chosen", column or "prompt", system)
        return apply_extras(row, rest)


def _repeats(prompt: Any, row: Row) -> bool:
    """Tell whether a prompt stands in the row's chat as well."""
    turns = turns_or_text(prompt)
    if isinstance(turns, list):
        return all(turn in row.messages for turn in turns)
    return any(message["content"].strip() == text_of(turns, "prompt").strip() for message in row.messages)


_LABELS = {"true": True, "1": True, "false": False, "0": False}


class UnpairedPreferenceShape(Shape):
    """Unpaired preference: prompt, completion, label; only a completion that was liked is a reference answer."""

    name = "unpaired_preference"

    def fits(self, columns: set[str]) -> bool:
        """See `Shape.fits`."""
        return {"prompt", "completion", "label"} <= columns

    def row(self, values: Mapping[str, Any], mapping: Mapping[str, str]) -> Row:
        """See `Shape.row`; a completion that was not liked stays among the tags."""
        rest = dict(values)
        label = text_of(rest.pop("label", None), "label").strip().lower()
        if label not in _LABELS:
            raise RowProblem("label", "not_label", label, "label")
        row = _prompted(rest.pop("prompt", None), rest.pop("completion", None), "completion")
        if not _LABELS[label]:
            disliked, row.answer = row.answer, ""
            keep_tag(row, "disliked", disliked)
            last = max((n for n, message in enumerate(row.messages) if message["role"] == "assistant"), default=None)
            if last is not None:
                row.messages = _without(row.messages, last, row)
        return apply_extras(row, {**rest, "label": _LABELS[label]})


def _without(messages: list[dict[str, Any]], place: int, row: Row) -> list[dict[str, Any]]:
    """Return a chat without the answer that was not liked; what else that message held is kept as a tag."""
    if beside := {name: value for name, value in messages[place].items() if name not in ("role", "content")}:
        keep_tag(row, "disliked_message", beside)
    return [*messages[:place], *messages[place + 1 :]]


def _role(turn: Any) -> Any:
    return turn.get("role") if isinstance(turn, Mapping) else None


def _earlier(history: Any) -> list[dict[str, Any]]:
    """Return the turns of ``[[question, answer], …]``.

    Raises:
        RowProblem: ``not_messages``.
    """
    turns: list[dict[str, Any]] = []
    if _blank(history):
        return turns
    if not isinstance(history, list):
        raise RowProblem("history", "not_messages", history, "messages")
    for index, pair in enumerate(history):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise RowProblem("history", "not_messages", history, "messages")
        for role, said in zip(("user", "assistant"), pair, strict=True):
            turns.append({"role": role, "content": text_of(said, f"history[{index}]")})
    return turns


def _opening(system: str) -> list[dict[str, Any]]:
    return [{"role": "system", "content": system}] if system else []


def _prompted(prompt: Any, answer: Any, column: str, asked: str = "prompt", system: str = "") -> Row:
    prompt, answer = turns_or_text(prompt), turns_or_text(answer)
    if isinstance(prompt, list) or isinstance(answer, list) or system:
        before = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
        after = answer if isinstance(answer, list) else [{"role": "assistant", "content": answer}]
        messages = messages_of(before, asked) + messages_of(after, column)
        return row_of_messages([*_opening(system), *messages], asked)
    return Row(needed(prompt, asked), text_of(answer, column))


class SquadShape(Shape):
    """SQuAD: question, context, answers ``{"text": [...]}``; the context's line is the gold passage."""

    name = "squad"

    def fits(self, columns: set[str]) -> bool:
        """See `Shape.fits`."""
        return {"question", "context", "answers"} <= columns

    def row(self, values: Mapping[str, Any], mapping: Mapping[str, str]) -> Row:
        """See `Shape.row`."""
        rest = dict(values)
        question = needed(rest.pop("question", None), "question")
        answers, context = parsed(rest.pop("answers", None)), text_of(rest.pop("context", None), "context")
        texts = answers.get("text") if isinstance(answers, Mapping) else answers
        if not isinstance(texts, list):
            raise RowProblem("answers", "not_object", answers, "squad_answers")
        first = text_of(texts[0], "answers.text[0]") if texts else ""
        row = Row(question, first, value=first or None, expects={} if texts else {"abstain": True})
        line = next((line for line in context.splitlines() if first in line), context) if first else ""
        if first:
            row.gold = [{"document": text_of(rest.pop("title", None), "title"), "quote": line}]
        if line != context:
            keep_tag(row, "context", context)
        beside = answers.keys() - {"text", "answer_start"} if isinstance(answers, Mapping) else ()
        if beside or len({str(text) for text in texts}) > 1:
            keep_tag(row, "answers", jsonable(answers, "answers"))
        return apply_extras(row, rest)


class QuestionAnswerShape(Shape):
    """A table with a question and an answer column, in English or Japanese, or mapped by hand."""

    name = "question_answer"

    def fits(self, columns: set[str]) -> bool:
        """See `Shape.fits`."""
        return "question" in guess_mapping(columns)

    def row(self, values: Mapping[str, Any], mapping: Mapping[str, str]) -> Row:
        """See `Shape.row`."""
        cells, taken = _cells(values, mapping)
        question = needed(cells.pop("question", None), mapping["question"])
        row = Row(question, text_of(cells.pop("answer", None), mapping.get("answer", "answer")))
        if system := text_of(cells.pop("system", None), mapping.get("system", "system")):
            row.messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
            row.messages.append({"role": "assistant", "content": row.answer})
        row.gold = _gold_cells(cells.pop("gold_document", None), cells.pop("gold_quote", None), mapping)
        rest = {column: value for column, value in values.items() if column not in taken}
        if "expects" in rest or "gold" in rest:
            rest |= {name: parsed(rest[name]) for name in ("expects", "gold") if rest.get(name)}
        return _with_extras(row, {name: value for name, value in cells.items() if not _blank(value)}, rest)


def _cells(values: Mapping[str, Any], mapping: Mapping[str, str]) -> tuple[dict[str, Any], set[str]]:
    """Return the mapped cells, and the columns that they came from.

    Rows of one file may name a column in two ways (``answer``, 回答), or have it only further down: a row without
    the mapped one is read by what its own columns are called.
    """
    cells, taken = {field: values.get(column) for field, column in mapping.items()}, set(mapping.values())
    for field in {*mapping, "answer"}:
        if cells.get(field) is None:
            found = (name for name, value in values.items() if value is not None and name not in taken)
            if (column := next((name for name in found if field_of(name) == field), None)) is not None:
                cells[field] = values[column]
                taken.add(column)
    return cells, taken


def _gold_cells(documents: Any, quote: Any, mapping: Mapping[str, str]) -> list[dict[str, str]]:
    """Several documents are a list, or in one cell separated by semicolons or lines; a quote belongs to the first."""
    column, documents = mapping.get("gold_document", ""), parsed(documents)
    if isinstance(documents, list):
        names = [text_of(name, f"{column}[{index}]").strip() for index, name in enumerate(documents)]
    else:
        names = text_of(documents, column).replace("；", ";").replace("\n", ";").split(";")
    names = [name.strip() for name in names if name.strip()]
    words = text_of(quote, mapping.get("gold_quote", ""))
    if words and not names:
        names = [""]
    return [{"document": name, "quote": words if index == 0 else ""} for index, name in enumerate(names)]


SHAPES: dict[str, Shape] = {
    shape.name: shape
    for shape in (
        KurabeShape(),
        ChatShape(),
        ShareGptShape(),
        AlpacaShape(),
        PreferenceShape(),
        SquadShape(),
        UnpairedPreferenceShape(),
        PromptCompletionShape(),
        QuestionAnswerShape(),
    )
}
"""Every shape, the more particular ones first: the first that fits is proposed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file's columns are understood."""

    shape: str
    """Name in `SHAPES`."""
    mapping: dict[str, str]
    """Field → column, for the shape that needs one."""


def recognise(columns: Iterable[str], key_sets: Sequence[frozenset[str]] = ()) -> Reading | None:
    """Return the shape of a file, or None where a mapping by hand is needed.

    Args:
        columns: All its columns.
        key_sets: Keys of each of its first rows, where they differ; the shape that most rows have is proposed, so
            that one row of another kind does not decide for all.
    """
    names = list(columns)
    rows = [set(keys) for keys in key_sets] or [set(names)]
    fits = [_first_fit(row) for row in rows]
    votes = Counter(name for name in fits if name is not None)
    if not votes:
        return None
    [(best, _)] = votes.most_common(1)
    if best == QuestionAnswerShape.name and KurabeShape.name in votes and "question" in names:
        best = KurabeShape.name  # gold passages that only some rows have
    return Reading(best, guess_mapping(names) if best == QuestionAnswerShape.name else {})


def _first_fit(columns: set[str]) -> str | None:
    return next((shape.name for shape in SHAPES.values() if shape.fits(columns)), None)


def convert(raw: RawRow, reading: Reading) -> Row | Problem:
    """Return the row, or what is wrong with it."""
    if raw.problem is not None:
        return raw.problem
    try:
        return SHAPES[reading.shape].row(raw.values, reading.mapping)
    except RowProblem as problem:
        return Problem(raw.number, problem.column, problem.code, problem.found, problem.expected)


def shape_named(name: str) -> Shape:
    """Return a shape by name.

    Raises:
        KurabeError: ``datasets.unknown_shape``.
    """
    if name not in SHAPES:
        raise KurabeError("datasets.unknown_shape", shape=name, known=", ".join(SHAPES))
    return SHAPES[name]
