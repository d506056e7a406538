"""Ask the same question again after a document or the prompt was changed, with what changed kept beside the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import KurabeError
from core.knowledge import document, edit_document, latest_index, refresh_index, update_document
from core.measures.differences import changed_lines
from core.store import tables as tb

from .library import get_approach, spec_of_row
from .live import TRIED, comparison, start_comparison
from .spec import PromptChoice

NOTE = "again"
"""Key in an answer's notes: what was changed before it, and which comparison stands before it."""


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
    """Lines of the document (or of all prompts) that differ, as (before, after)."""
    prompts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """Where prompts were changed: whose, as the approach's id, and its lines that differ."""
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
    return _ask(rows, changed, tried_prompts(rows))


def ask_with_prompts(compare_id: str, prompts: Mapping[str, PromptChoice]) -> str:
    """Ask a comparison's question again with other instructions and house rules; return the new comparison's id.

    The approaches keep their own prompts; the tried ones stand in the records of the answers.

    Args:
        compare_id: The comparison to repeat.
        prompts: What to try, by approach; approaches that are not named are asked as before.

    Raises:
        KurabeError: `store.missing`, `approaches.nothing_changed`.
    """
    rows = _answers(compare_id)
    before = prompts_of(rows)
    changed = {key: prompt for key, prompt in prompts.items() if key in before and prompt != before[key]}
    if not changed:
        raise KurabeError("approaches.nothing_changed")
    sides = {key: {"before": before[key].model_dump(), "after": new.model_dump()} for key, new in changed.items()}
    return _ask(rows, {"prompts": sides}, {**tried_prompts(rows), **changed})


def prompts_of(rows: Sequence[tb.Answer]) -> dict[str, PromptChoice]:
    """The prompts that a comparison was asked with, by approach in the order of the answers: tried ones or their own.

    Raises:
        KurabeError: `store.missing`.
    """
    tried = tried_prompts(rows)
    ids = dict.fromkeys(row.approach_id for row in rows)
    return {key: tried.get(key) or spec_of_row(get_approach(key)).prompt for key in ids}


def tried_prompts(rows: Sequence[tb.Answer]) -> dict[str, PromptChoice]:
    """The prompts that a comparison tried instead of the approaches' own, by approach."""
    return {row.approach_id: PromptChoice.model_validate(tried) for row in rows if (tried := row.notes.get(TRIED))}


def _answers(compare_id: str) -> list[tb.Answer]:
    rows = comparison(compare_id)
    if not rows:
        raise KurabeError("store.missing", kind="comparison", id=compare_id)
    return rows


def _ask(rows: Sequence[tb.Answer], changed: dict[str, Any], prompts: Mapping[str, PromptChoice]) -> str:
    first = rows[0]
    return start_comparison(
        first.project_id,
        first.question,
        list(dict.fromkeys(row.approach_id for row in rows)),
        first.example_id,
        repetitions=max(row.repetition for row in rows) + 1,
        retrieval_off=any(row.notes.get("retrieval_off") for row in rows),
        prompts=prompts,
        notes={NOTE: {"before": first.compare_id, **changed}},
    )


def change_before(rows: Sequence[tb.Answer]) -> Changed | None:
    """What was changed before a comparison was asked; None when it repeats no other."""
    note = rows[0].notes.get(NOTE) if rows else None
    if not note:
        return None
    if "document" not in note:
        return _changed_prompts(rows, note)
    names = note["document"]
    try:
        before, after = document(names["before"]), document(names["after"])
    except KurabeError:
        return Changed(str(note["before"]), str(names["name"]), removed=True)
    lines = tuple(changed_lines(before.text, after.text))
    return Changed(str(note["before"]), after.name, after.title, after.text, lines)


def _changed_prompts(rows: Sequence[tb.Answer], note: Mapping[str, Any]) -> Changed:
    """What was changed in which prompt; answers of an earlier release were all asked with the same one."""
    sides = note.get("prompts") or {row.approach_id: note["prompt"] for row in rows}
    lines = {
        key: _prompt_lines(PromptChoice(**side["before"]), PromptChoice(**side["after"])) for key, side in sides.items()
    }
    return Changed(
        str(note["before"]),
        lines=tuple(dict.fromkeys(line for found in lines.values() for line in found)),
        prompts=tuple(lines.items()),
    )


def _prompt_lines(before: PromptChoice, after: PromptChoice) -> tuple[tuple[str, str], ...]:
    return tuple(changed_lines(_words(before), _words(after)))


def _words(prompt: PromptChoice) -> str:
    return "\n".join((prompt.instructions, prompt.house_rules, prompt.style)).rstrip()
