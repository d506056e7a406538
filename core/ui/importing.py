"""Taking a file over into a dataset: look first, map columns by hand, choose what happens to bad rows."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.datasets import (
    SHAPES,
    SPLITS,
    Preview,
    first_rows,
    import_file,
    import_hub_dataset,
    kept_licence,
    preview,
    readers,
    sheets_of,
    start_import,
)
from core.datasets.columns import FIELDS
from core.i18n import format_bytes, format_number, t
from core.identity import canonical_json, content_hash
from core.settings import settings
from core.store import tables as tb
from core.ui.large_imports import LOOKED_AT, draw_import_job, is_large
from core.ui.licences import choose_licence
from core.ui.parts import plain
from core.ui.problems import draw_problem_table, edit_bad_cells
from core.ui.row_preview import draw_row_preview

__all__ = ["draw_import"]


def draw_import(project: tb.Project, extend: tb.DatasetVersion | None) -> None:
    """Draw the upload, what it would become, and the import itself."""
    if draw_import_job(project):
        return
    endings = sorted({suffix for reader in readers.all().values() for suffix in reader.suffixes})
    st.caption(t("ui.import.formats", endings=", ".join(endings), limit=settings().upload_limit_mb))
    uploaded = st.file_uploader(
        t("ui.import.file"),
        type=[ending.lstrip(".") for ending in endings],
        max_upload_size=settings().upload_limit_mb,
        key=f"import_file_{st.session_state.get('imports', 0)}",
    )
    if uploaded is None:
        with st.expander(t("ui.import.example"), icon=":material/lightbulb:"):
            st.markdown(t("ui.import.example.text"))
            st.code('{"question": "…", "answer": "…", "split": "test", "slice": "…"}', language="json")
        _draw_hub(project)
        return
    options = _reading_options(uploaded)
    with st.spinner(t("ui.import.reading")):
        seen = _look(uploaded, options)
    fixes = _draw_fixes(uploaded, seen)
    if fixes:
        options["fixes"] = fixes
        seen = _look(uploaded, options)
    _draw_preview(seen)
    if not seen.whole:
        size = format_bytes(uploaded.getbuffer().nbytes)
        st.info(t("ui.import.large", size=size, rows=format_number(seen.row_count)), icon=":material/hourglass_top:")
    draw_row_preview(project, seen.rows, uploaded.file_id)
    _draw_choice(project, uploaded, seen, options, extend)


def _draw_hub(project: tb.Project) -> None:
    """Draw the import of a dataset by its id on the hub."""
    with st.expander(t("ui.import.hub"), icon=":material/cloud_download:"), st.form("hub_dataset", border=False):
        st.caption(t("ui.import.hub.text"))
        ref = st.text_input(t("ui.import.hub.id"), placeholder="rajpurkar/squad").strip()
        config = st.text_input(t("ui.import.hub.config")).strip()
        leave_out = st.toggle(t("ui.import.hub.leave_out"))
        if st.form_submit_button(t("ui.import.do"), icon=":material/download:") and ref:
            with st.spinner(t("ui.import.hub.running")):
                chosen: Literal["stop", "leave_out"] = "leave_out" if leave_out else "stop"
                made = import_hub_dataset(project.id, ref, config=config or None, on_problem=chosen)
            st.query_params.pop("version", None)
            st.session_state["imported"] = made.row_count
            st.rerun()


def _look(uploaded: UploadedFile, options: dict[str, Any]) -> Preview:
    """Return the preview of an uploaded file, worked out once for each way of reading it."""
    return _read_once(_digest(uploaded), uploaded.name, canonical_json(options), uploaded)


def _digest(uploaded: UploadedFile) -> str:
    """Return the hash of an upload, taken once and not with every click."""
    known: dict[str, str] = st.session_state.setdefault("upload_digests", {})
    if uploaded.file_id not in known:
        known[uploaded.file_id] = content_hash(uploaded.getvalue())
    return known[uploaded.file_id]


@st.cache_data(max_entries=16, ttl=3600, show_spinner=False)
def _read_once(digest: str, name: str, options: str, _uploaded: UploadedFile) -> Preview:
    """Read the whole file; its name is never used as a path, and its bytes are known by their hash."""
    chosen = json.loads(options)
    if "fixes" in chosen:  # numbers of rows are no text
        chosen["fixes"] = {int(number): fix for number, fix in chosen["fixes"].items()}
    with _on_disk(_uploaded) as path:
        return preview(path, name, scan=LOOKED_AT if is_large(_uploaded) else None, **chosen)


@st.cache_data(max_entries=32, ttl=3600, show_spinner=False)
def _begins(digest: str, name: str, encoding: str, _uploaded: UploadedFile) -> list[dict[str, Any]]:
    """Return the first rows as an encoding reads them."""
    with _on_disk(_uploaded) as path:
        return first_rows(path, name, encoding)


@contextmanager
def _on_disk(uploaded: UploadedFile) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile(dir=settings().path("run")) as held:
        held.write(uploaded.getbuffer())
        held.flush()
        yield Path(held.name)


def _reading_options(uploaded: UploadedFile) -> dict[str, Any]:
    """Draw how the file is read, if the person wants it otherwise than recognised."""
    options: dict[str, Any] = {"sheet": sheet} if (sheet := _sheet(uploaded)) else {}
    proposed = _look(uploaded, options)
    with st.expander(t("ui.import.mapping"), expanded=proposed.shape is None, icon=":material/swap_horiz:"):
        st.caption(t("ui.import.mapping.text"))
        encoding = _encoding(uploaded, proposed)
        if encoding not in (None, proposed.encoding):
            options["encoding"] = encoding
            proposed = _look(uploaded, options)
        shape = st.selectbox(
            t("ui.import.shape"),
            ["", *SHAPES],
            key=f"shape_{uploaded.file_id}",
            format_func=lambda key: t(f"ui.import.shape.{key}") if key else t("ui.import.recognised"),
        )
        mapping = _mapping(uploaded, proposed) if shape in ("", "question_answer") else {}
    if mapping and mapping != proposed.mapping:
        options["mapping"] = mapping
    elif shape:
        options["shape"] = shape
    return options


def _sheet(uploaded: UploadedFile) -> str | None:
    """Draw the choice of a workbook's sheet where it has several; None for the one that is taken anyway.

    It comes before anything is read: a first sheet that is no table must not hide the others.
    """
    names = _sheets(_digest(uploaded), uploaded.name, uploaded)
    if len(names) < 2:
        return None
    label, text = t("ui.import.sheet"), t("ui.import.sheet.help")
    chosen = st.selectbox(label, names, key=f"sheet_{uploaded.file_id}", width=360, help=text)
    return chosen if chosen != names[0] else None


@st.cache_data(max_entries=32, ttl=3600, show_spinner=False)
def _sheets(digest: str, name: str, _uploaded: UploadedFile) -> tuple[str, ...]:
    """Return the sheets of a workbook."""
    with _on_disk(_uploaded) as path:
        return sheets_of(path, name)


def _encoding(uploaded: UploadedFile, proposed: Preview) -> str | None:
    """Draw the choice of an encoding with the first rows as each of them reads: a person sees which is right."""
    if not proposed.alternatives or proposed.encoding is None:
        return None
    choices = [proposed.encoding, *proposed.alternatives]
    for name in choices:
        rows = _begins(_digest(uploaded), uploaded.name, name, uploaded)
        st.caption(name)
        st.text("\n".join(" | ".join(str(cell) for cell in row.values() if cell is not None)[:160] for row in rows))
    return st.selectbox(t("ui.import.encoding"), choices, help=t("ui.import.encoding.help"))


def _mapping(uploaded: UploadedFile, proposed: Preview) -> dict[str, str]:
    """Draw one choice of a column for each field."""
    mapping = {}
    with st.grid(4, min_column_width=180):
        for field in FIELDS:
            guessed = proposed.mapping.get(field)
            column = st.selectbox(
                t(f"ui.field.{field}"),
                ["", *proposed.columns],
                key=f"map_{field}_{uploaded.file_id}_{proposed.sheet or ''}",
                index=proposed.columns.index(guessed) + 1 if guessed in proposed.columns else 0,
                format_func=lambda name: name or "–",
            )
            if column:
                mapping[field] = column
    return mapping


def _draw_preview(seen: Preview) -> None:
    good = seen.row_count - seen.problem_count
    shape = t(f"ui.import.shape.{seen.shape}") if seen.shape else t("ui.import.unrecognised")
    read_as = t("ui.import.read_as", shape=shape, encoding=seen.encoding or "–")
    st.markdown(
        f"**{t('ui.import.found', good=format_number(good), bad=format_number(seen.problem_count))}** {read_as}"
    )
    for note in seen.notes:
        st.caption(t(f"datasets.note.{note['code']}", **{k: plain(str(v)) for k, v in note["params"].items()}))
    if seen.rows:
        st.dataframe(
            [
                {
                    t("ui.questions.question"): row.question,
                    t("ui.questions.answer"): row.answer,
                    t("ui.questions.split"): row.split or "–",
                    t("ui.questions.slice"): row.slice or "–",
                }
                for row in seen.rows
            ],
            hide_index=True,
            height=260,
            alt=t("ui.import.preview"),
        )
    elif seen.raw:
        st.caption(t("ui.import.raw"))
        st.dataframe([{k: str(v) for k, v in row.items()} for row in seen.raw], hide_index=True, height=200)
    if seen.problems:
        _draw_problems(seen)


def _draw_problems(seen: Preview) -> None:
    st.error(t("ui.import.problems", n=format_number(seen.problem_count)), icon=":material/rule:")
    draw_problem_table(seen.problems, seen.problem_count, t("ui.import.problems", n=seen.problem_count))


_FIXABLE = 200
"""Bad cells that are offered for mending at once; more are mended better in the file."""


def _draw_fixes(uploaded: UploadedFile, seen: Preview) -> dict[str, dict[str, str]]:
    """Draw the bad cells for mending and return what was written: row → column → value.

    The list stays as it was when the file came, so that a mended row does not vanish under the person's hands.
    """
    bad = st.session_state.setdefault(f"bad_cells_{uploaded.file_id}_{seen.sheet}_{seen.shape}", None)
    if bad is None:
        bad = [problem for problem in seen.problems if problem.column in seen.columns][:_FIXABLE]
        st.session_state[f"bad_cells_{uploaded.file_id}_{seen.sheet}_{seen.shape}"] = bad
    if not bad:
        return {}
    return edit_bad_cells(bad, f"mended_{uploaded.file_id}_{seen.sheet}_{seen.shape}")


def _draw_choice(
    project: tb.Project,
    uploaded: UploadedFile,
    seen: Preview,
    options: dict[str, Any],
    extend: tb.DatasetVersion | None,
) -> None:
    """Draw what the import does, and do it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = st.selectbox(
            t("ui.import.split"),
            SPLITS,
            index=SPLITS.index("test"),
            width=240,
            format_func=lambda key: t(f"ui.split.{key}"),
            help=t("ui.import.split.help"),
        )
        name = st.text_input(t("ui.import.name"), value=Path(uploaded.name).stem[:200], width=280)
        licence = choose_licence(f"import_licence_{uploaded.file_id}")
    add = extend is not None and st.toggle(t("ui.import.extend"), help=t("ui.import.extend.help"))
    on_problem: Literal["stop", "leave_out"] = "stop"
    known = t("ui.import.leave_out", n=format_number(seen.problem_count))
    if seen.problem_count or not seen.whole:
        on_problem = "leave_out" if st.toggle(known if seen.whole else t("ui.import.leave_out.unknown")) else "stop"
    blocked = seen.shape is None or (seen.problem_count > 0 and on_problem == "stop")
    if st.button(t("ui.import.do"), type="primary", icon=":material/upload:", disabled=blocked):
        extended = extend.id if add and extend else None
        chosen = {**options, "dataset": name or None, "split": split, "extend": extended, "licence": licence}
        if is_large(uploaded):
            start_import(project.id, uploaded.getbuffer(), uploaded.name, options=chosen, on_problem=on_problem)
        else:
            fixes = {int(number): fix for number, fix in options.get("fixes", {}).items()}
            made = import_file(
                project.id, uploaded.getvalue(), uploaded.name, on_problem=on_problem, **{**chosen, "fixes": fixes}
            )
            st.session_state["imported"] = made.row_count
            if kept := kept_licence(made, licence):
                st.toast(t("ui.import.licence_kept", licence=plain(kept)), icon=":material/balance:")
        st.query_params.pop("version", None)
        # An empty form again: a second press would add the same rows once more.
        st.session_state["imports"] = st.session_state.get("imports", 0) + 1
        st.rerun()
    if blocked:
        st.caption(t("ui.import.blocked"))
