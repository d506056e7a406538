"""Ask the same question again after a document or the prompt was changed, with what changed kept beside the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import KurabeError
from core.knowledge import document, edit_document, latest_index, refresh_index, update_document
from core.measures.differences import changed_lines
from core.store import tables as tb

from .library import get_approach, spec_of_row
from .live import comparison, start_comparison
from .spec import PromptChoice

NOTE = "again"
"""Key in an answer's notes: what was changed before it, and which comparison stands before it."""

_TRIED = "prompt"
"""Key in an answer's notes: the prompt that was tried instead of the approach's own."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What was changed between two comparisons of one question."""

    before: str
    """Id of the comparison before the change."""
    document: str = ""
    """Name of the document that was changed; empty when the prompt was."""
    title: str = ""
    """Its title."""
    text: str = ""
    """Its text after the change."""
    lines: tuple[tuple[str, str], ...] = ()
    """Lines of the document (or of the prompt) that differ, as (before, after)."""
    removed: bool = False
    """Whether the document was deleted since: then nobody can say any more what changed."""


def ask_after_edit(compare_id: str, document_id: str, text: str | None = None, data: bytes | None = None) -> str:
    """Store a document's next version, index it, and ask a comparison's question again; return the new id.

    Args:
        compare_id: The comparison to repeat: same question, approaches, repetitions and prompt.
        document_id: The document as it is now.
        text: Its text as a person edited it, or
        data: its next version as a file of the same format.

    Raises:
        KurabeError: `store.missing`, `approaches.nothing_changed`; as `edit_document` and `refresh_index`.
    """
    rows = _answers(compare_id)
    before = document(document_id)
    if data is None and (text or "").strip() == before.text.strip():
        raise KurabeError("approaches.nothing_changed")
    after = update_document(document_id, data) if data is not None else edit_document(document_id, text or "")
    if after.text == before.text:
        raise KurabeError("approaches.nothing_changed")
    if latest_index(before.knowledge_base_id) is not None:
        refresh_index(before.knowledge_base_id)
    changed = {"document": {"name": before.name, "before": before.id, "after": after.id}}
    return _ask(rows, changed, tried_prompt(rows))


def ask_with_prompt(compare_id: str, prompt: PromptChoice) -> str:
    """Ask a comparison's question again with other instructions and house rules; return the new comparison's id.

    The approaches keep their own prompt; the tried one stands in the record of each answer.

    Raises:
        KurabeError: `store.missing`, `approaches.nothing_changed`.
    """
    rows = _answers(compare_id)
    before = tried_prompt(rows) or spec_of_row(get_approach(rows[0].approach_id)).prompt
    if prompt == before:
        raise KurabeError("approaches.nothing_changed")
    changed = {"prompt": {"before": before.model_dump(), "after": prompt.model_dump()}}
    return _ask(rows, changed, prompt)


def tried_prompt(rows: Sequence[tb.Answer]) -> PromptChoice | None:
    """The prompt that a comparison tried instead of the approaches' own; None when they kept theirs."""
    tried = rows[0].notes.get(_TRIED) if rows else None
    return PromptChoice.model_validate(tried) if tried else None


def _answers(compare_id: str) -> list[tb.Answer]:
    rows = comparison(compare_id)
    if not rows:
        raise KurabeError("store.missing", kind="comparison", id=compare_id)
    return rows


def _ask(rows: Sequence[tb.Answer], changed: dict[str, Any], prompt: PromptChoice | None) -> str:
    first = rows[0]
    notes: dict[str, Any] = {NOTE: {"before": first.compare_id, **changed}}
    if prompt is not None:
        notes[_TRIED] = prompt.model_dump()
    return start_comparison(
        first.project_id,
        first.question,
        list(dict.fromkeys(row.approach_id for row in rows)),
        first.example_id,
        repetitions=max(row.repetition for row in rows) + 1,
        retrieval_off=any(row.notes.get("retrieval_off") for row in rows),
        prompt=prompt,
        notes=notes,
    )


def change_before(rows: Sequence[tb.Answer]) -> Changed | None:
    """What was changed before a comparison was asked; None when it repeats no other."""
    note = rows[0].notes.get(NOTE) if rows else None
    if not note:
        return None
    if "prompt" in note:
        old, new = (PromptChoice.model_validate(note["prompt"][side]) for side in ("before", "after"))
        return Changed(str(note["before"]), lines=tuple(changed_lines(_words(old), _words(new))))
    names = note["document"]
    try:
        before, after = document(names["before"]), document(names["after"])
    except KurabeError:
        return Changed(str(note["before"]), str(names["name"]), removed=True)
    lines = tuple(changed_lines(before.text, after.text))
    return Changed(str(note["before"]), after.name, after.title, after.text, lines)


def _words(prompt: PromptChoice) -> str:
    return "\n".join((prompt.instructions, prompt.house_rules, prompt.style)).rstrip()
