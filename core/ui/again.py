"""The compare page's second question: a document or the prompt changed, and the answers before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from core.approaches import (
    Changed,
    PromptChoice,
    ask_after_edit,
    ask_with_prompts,
    comparison,
    get_approach,
    prompts_of,
)
from core.datasets import example, holds_value
from core.errors import KurabeError
from core.evaluation import Echo
from core.i18n import t
from core.knowledge import current_document, default_kb, document, documents
from core.measures.differences import differences, new_words
from core.projects.samples import second_versions
from core.store import tables as tb
from core.ui.approaches import approach_label
from core.ui.parts import plain, presenting

__all__ = ["draw_before_after", "draw_change", "draw_change_form", "draw_echo", "reference_is_old", "with_rule"]


def draw_change_form(project: tb.Project, rows: Sequence[tb.Answer]) -> None:
    """Draw what can be changed before the question is asked again."""
    with st.expander(t("ui.again.title"), icon=":material/edit_document:"):
        st.caption(t("ui.again.text"))
        kind = st.segmented_control(
            t("ui.again.what"),
            ("document", "prompt"),
            default="document",
            required=True,
            format_func=lambda key: t(f"ui.again.what.{key}"),
            key=f"again_{rows[0].compare_id}",
            label_visibility="collapsed",
        )
        if kind == "prompt":
            _prompt_form(rows)
        else:
            _document_form(project, rows)


def _document_form(project: tb.Project, rows: Sequence[tb.Answer]) -> None:
    known = {row.name: row for row in documents(default_kb(project.id).id)}
    if not known:
        st.caption(t("ui.again.no_documents"))
        return
    read = dict.fromkeys(str(chunk.get("document")) for row in rows for chunk in row.chunks)
    names = [*(name for name in read if name in known), *(name for name in known if name not in read)]
    name = st.selectbox(
        t("ui.again.document"), names, key=f"again_document_{rows[0].compare_id}", help=t("ui.again.document.help")
    )
    row = known[name]
    text = st.text_area(t("ui.documents.text"), row.text, height=260, key=f"again_text_{row.id}")
    later = _later_version(project, row)
    with st.container(horizontal=True):
        if st.button(t("ui.again.ask"), type="primary", icon=":material/send:", key="again_ask_document"):
            _go(lambda: ask_after_edit(str(rows[0].compare_id), row.id, text))
        if later is not None and st.button(
            t("ui.again.later"), icon=":material/update:", help=t("ui.again.later.help"), key="again_later"
        ):
            _go(lambda: ask_after_edit(str(rows[0].compare_id), row.id, data=later.read_bytes()))


def _later_version(project: tb.Project, row: tb.Document) -> Path | None:
    """Return the file that the sample brings as this document's next version, while it is still waiting."""
    return second_versions(project).get(row.name) if row.version == 1 else None


_PROMPT_FIELDS = (("instructions", "instructions", 80), ("house_rules", "rules", 80), ("style", "style", 68))
"""What of a prompt can be tried: its field, what its widget is called, and the widget's height in pixels."""


def _prompt_form(rows: Sequence[tb.Answer]) -> None:
    """Draw each approach's own prompt to change, and what to add to all of them."""
    before, key = prompts_of(rows), f"again_{rows[0].compare_id}"
    labels = {approach_id: plain(approach_label(get_approach(approach_id))) for approach_id in before}
    wanted: dict[str, PromptChoice] = {}
    for tab, (approach_id, prompt) in zip(st.tabs(list(labels.values())), before.items(), strict=True):
        with tab:
            entered = {
                name: st.text_area(
                    t(f"approaches.spec.{name}"), getattr(prompt, name), height=height,
                    key=f"{key}_{short}_{approach_id}",
                )
                for name, short, height in _PROMPT_FIELDS
            }  # fmt: skip
        wanted[approach_id] = _unless_same(prompt, entered)
    extra = st.text_area(t("ui.again.prompt.all"), key=f"{key}_all", height=68, help=t("ui.again.prompt.all.help"))
    st.caption(t("ui.again.prompt.each"))
    if st.button(t("ui.again.ask"), type="primary", icon=":material/send:", key="again_ask_prompt"):
        _go(lambda: ask_with_prompts(str(rows[0].compare_id), with_rule(wanted, extra)))


def _unless_same(prompt: PromptChoice, entered: Mapping[str, str]) -> PromptChoice:
    """Return an edited prompt; spaces around its texts are no edit."""
    edited = prompt.model_copy(update={name: text.strip() for name, text in entered.items()})
    old = {name: getattr(prompt, name).strip() for name in entered}
    same = edited == prompt.model_copy(update=old)
    return prompt if same else edited


def with_rule(prompts: Mapping[str, PromptChoice], rule: str) -> dict[str, PromptChoice]:
    """Return prompts with one more house rule at the end of each, its own text kept."""
    if not rule.strip():
        return dict(prompts)
    return {
        key: prompt.model_copy(update={"house_rules": f"{prompt.house_rules.rstrip()}\n{rule.strip()}".strip()})
        for key, prompt in prompts.items()
    }


def _go(ask: Callable[[], str]) -> None:
    with st.spinner(t("ui.again.working")):
        asked = ask()
    st.query_params["compare"] = asked
    st.rerun()


def draw_change(rows: Sequence[tb.Answer], changed: Changed) -> None:
    """Draw what was changed before this comparison, line by line, and the way back."""
    with st.container(border=True, key="changed"):
        what = t("ui.again.changed.document", name=plain(changed.document)) if changed.document else ""
        st.markdown(f":material/difference: **{what or t('ui.again.changed.prompt')}**")
        if changed.removed:
            st.caption(t("ui.compare.source_removed"))
        if changed.prompts:
            for approach_ids, lines in _alike(changed):
                st.caption(plain(" · ".join(approach_label(get_approach(key)) for key in approach_ids)))
                _lines(lines)
        else:
            _lines(changed.lines)
        if presenting():
            return
        with st.container(horizontal=True):
            st.button(
                t("ui.again.earlier"), icon=":material/history:", key="again_earlier", type="tertiary",
                on_click=lambda: st.query_params.update({"compare": changed.before}),
            )  # fmt: skip
            if _can_restore(rows) and st.button(t("ui.again.restore"), icon=":material/undo:", key="again_restore"):
                _restore(rows)


def _alike(changed: Changed) -> list[tuple[list[str], tuple[tuple[str, str], ...]]]:
    """Return what was changed in prompts, each change once with the approaches that it was made for."""
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for approach_id, lines in changed.prompts:
        found.setdefault(lines, []).append(approach_id)
    return [(approach_ids, lines) for lines, approach_ids in found.items()]


def _lines(lines: Sequence[tuple[str, str]]) -> None:
    for before, after in lines[:12]:
        _line(before, after)
    if len(lines) > 12:
        st.caption(t("ui.again.more_lines", n=len(lines) - 12))


def _line(before: str, after: str) -> None:
    before, after = (text.strip("| ").replace(" | ", " · ") for text in (before, after))  # rows of a table
    left, right = st.columns(2)
    with left:
        st.caption(t("ui.again.before"))
        st.markdown(_coloured(after, before, "orange") or "–")
    with right:
        st.caption(t("ui.again.after"))
        st.markdown(_coloured(before, after, "green") or "–")


def _coloured(other: str, text: str, colour: str) -> str:
    """Return Markdown that shows a text with what the other one does not say on a coloured ground."""
    parts = []
    for piece in differences(other, text):
        inner = plain(piece.text.strip().replace("\n", " "))
        if piece.new and inner:
            lead = " " if piece.text[:1].isspace() else ""
            parts.append(f"{lead}:{colour}-background[{inner}]{' ' if piece.text[-1:].isspace() else ''}")
        else:
            parts.append(plain(piece.text.replace("\n", " ")))
    return "".join(parts).lstrip()


def _versions(rows: Sequence[tb.Answer]) -> tuple[str, str] | None:
    names = (rows[0].notes.get("again") or {}).get("document")
    return (str(names["before"]), str(names["after"])) if names else None


def _can_restore(rows: Sequence[tb.Answer]) -> bool:
    """Tell whether the document is still as this comparison found it."""
    versions = _versions(rows)
    if versions is None:
        return False
    try:
        before, after = document(versions[0]), document(versions[1])
    except KurabeError:
        return False
    current = current_document(after.knowledge_base_id, after.name)
    return bool(before.text) and current is not None and current.id == after.id


def _restore(rows: Sequence[tb.Answer]) -> None:
    versions = _versions(rows)
    if versions is not None:
        before = document(versions[0]).text
        _go(lambda: ask_after_edit(str(rows[0].compare_id), versions[1], before))


def draw_before_after(
    rows: Sequence[tb.Answer],
    changed: Changed,
    draw_head: Callable[[tb.Approach], None],
    draw_before: Callable[[tb.Answer], None],
    draw_after: Callable[[tb.Answer], None],
    *,
    across: int = 2,
) -> None:
    """Draw each approach's answer before the change beside the one after it.

    Args:
        rows: answers after the change.
        changed: what was changed.
        draw_head: draws the name of an approach.
        draw_before: draws one answer before the change.
        draw_after: draws one answer after the change.
        across: approaches in a row on a wide page.
    """
    earlier = {(row.approach_id, row.repetition): row for row in comparison(changed.before)}
    with st.grid(across, min_column_width=460):
        for row in (row for row in rows if row.repetition == 0):
            with st.container(border=True, height="stretch"):
                draw_head(get_approach(row.approach_id))
                left, right = st.columns(2)
                with left:
                    st.caption(t("ui.again.before"))
                    before = earlier.get((row.approach_id, row.repetition))
                    if before is None:  # its row was deleted since
                        st.text("–")
                    else:
                        draw_before(before)
                with right:
                    st.caption(t("ui.again.after"))
                    draw_after(row)


def draw_echo(found: Echo | None) -> None:
    """Say whether an answer follows the change, or repeats what held before."""
    if found is None:
        return
    colour, icon = ("green", "update") if found.says == "after" else ("orange", "history")
    # a badge would cut the words off where a column is narrow
    st.markdown(f":{colour}-background[:material/{icon}: {t(f'ui.again.echo.{found.says}', words=plain(found.words))}]")


def reference_is_old(row: tb.Answer, changed: Changed | None) -> bool:
    """Tell whether the reference answer says what the document said before the change."""
    if row.example_id is None or changed is None or not changed.document:
        return False
    try:
        reference = example(row.example_id).answer
    except KurabeError:
        return False
    words = [new_words(after, before) for before, after in changed.lines]
    return any(old and all(holds_value(reference, word) for word in old) for old in words)
