"""Versions of a dataset: all of them, what one was made of step by step, and how two of them differ."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.datasets import Problem, VersionDifference, datasets, licence_of, project_versions, version_difference
from core.i18n import format_number, t
from core.store import tables as tb
from core.ui.findings import when
from core.ui.parts import plain, told_apart
from core.ui.problems import draw_problem_table

__all__ = ["draw_history", "version_name"]

_STEPS = 20
"""Steps of a version's making that are drawn, the newest first."""


def version_name(row: tb.DatasetVersion, names: dict[str, str]) -> str:
    """Return what tells a version from others: its dataset (by id in `names`), hash, rows and time."""
    rows = t("ui.questions.rows", n=format_number(row.row_count))
    return f"{names.get(row.dataset_id, '')} · {_short(row)} · {rows} · {when(row.created_at)}"


def _short(row: tb.DatasetVersion) -> str:
    return row.hash.rpartition(":")[2][:8]


def draw_history(project: tb.Project, row: tb.DatasetVersion) -> None:
    """Draw all versions of a project, and of one what it was made of and how it differs from others."""
    known = {each.id: each for each in project_versions(project.id)}
    st.dataframe([_table_row(each, known) for each in known.values()], hide_index=True, alt=t("ui.versions.table"))
    label, key = t("ui.versions.origin"), f"version_origin_{row.id}"
    with st.expander(label, icon=":material/account_tree:", on_change="rerun", key=key) as opened:
        if opened.open:
            _draw_origin(row, known)
    _draw_difference(row, known)


def _table_row(row: tb.DatasetVersion, known: dict[str, tb.DatasetVersion]) -> dict[str, Any]:
    lineage = row.lineage or {}
    parent = known.get(str(lineage.get("parent")))
    files = [file["name"] for file in lineage.get("files", [])]
    left_out = sum(int(file.get("left_out_count", 0)) for file in lineage.get("files", []))
    if parent and not files:  # a repair or an edit: what the version before had and this one has not
        left_out = max(0, parent.row_count + int(lineage.get("added") or 0) - row.row_count)
    return {
        t("ui.versions.hash"): _short(row),
        t("ui.versions.rows"): row.row_count,
        t("ui.versions.how"): _how_made(lineage),
        t("ui.versions.from"): ", ".join(files) or (_short(parent) if parent else "–"),
        t("ui.versions.left_out"): left_out,
        t("ui.licence"): licence_of(row) or t("ui.licence.unknown"),
        t("ui.versions.made"): when(row.created_at),
        t("ui.versions.by"): row.created_by,
    }


def _how_made(lineage: dict[str, Any]) -> str:
    """Return what made a version; a repair says what had been found."""
    if found := lineage.get("repair"):
        stem = f"datasets.finding.{found['check']}.{found['code']}"
        return t("ui.versions.operation.repair", finding=" · ".join(t(stem, **params) for params in found["found"]))
    return t(f"ui.versions.operation.{lineage.get('operation', 'import')}")


def _draw_origin(row: tb.DatasetVersion, known: dict[str, tb.DatasetVersion]) -> None:
    """Draw the steps that made a version, back to the files that it began with."""
    step: tb.DatasetVersion | None = row
    for _ in range(_STEPS):
        if step is None:
            return
        lineage = step.lineage or {}
        who = f"{when(step.created_at)} · {plain(step.created_by)}"
        st.markdown(f"**{_short(step)}** · {plain(_how_made(lineage))} · {who}")
        if facts := _step_facts(lineage):
            st.markdown("\n".join(f"- {name}: {plain(text)}" for name, text in facts.items()))
        for file in lineage.get("files", []):
            _draw_file(file)
        step = known.get(str(lineage.get("parent")))


def _step_facts(lineage: dict[str, Any]) -> dict[str, str]:
    """Return what a division or a change of rows did."""
    config = lineage.get("config") or {}
    facts = {
        t("ui.split.together"): t(f"ui.split.together.{config['by']}") if "by" in config else "",
        t("ui.split.column"): str(config.get("tag") or ""),
        t("ui.versions.seed"): str(config.get("seed", "")),
    }
    for kind in ("changed", "dropped"):
        places = lineage.get(kind) or []
        numbers = ", ".join(format_number(place + 1) for place in places[:12])
        more = f" {t('ui.checks.more', n=format_number(len(places) - 12))}" if len(places) > 12 else ""
        facts[t(f"ui.versions.rows_{kind}")] = numbers + more
    facts[t("ui.versions.rows_added")] = format_number(lineage["added"]) if lineage.get("added") else ""
    return {name: text for name, text in facts.items() if text}


def _draw_file(file: dict[str, Any]) -> None:
    """Draw how a file was read, what was mended in it, and every row that was left out."""
    mapping = [f"{t(f'ui.field.{field}')} ← {column}" for field, column in (file.get("mapping") or {}).items()]
    mended = [f"{row}: {column}" for row, cells in (file.get("fixes") or {}).items() for column in cells]
    facts = {
        t("ui.versions.file"): file["name"],
        t("ui.versions.file_hash"): str(file.get("hash", "")),
        t("ui.import.shape"): t(f"ui.import.shape.{file['shape']}") if file.get("shape") else "",
        t("ui.import.encoding"): str(file.get("encoding") or ""),
        t("ui.import.sheet"): str(file.get("sheet") or ""),
        t("ui.versions.columns"): ", ".join(mapping),
        t("ui.versions.mended"): ", ".join(mended),
    }
    st.markdown("\n".join(f"- {name}: {plain(text)}" for name, text in facts.items() if text))
    for note in file.get("notes", []):
        params = {name: plain(str(value)) for name, value in note["params"].items()}
        st.caption(t(f"datasets.note.{note['code']}", **params))
    if left_out := [Problem(**record) for record in file.get("left_out", [])]:
        total = int(file.get("left_out_count", len(left_out)))
        title = t("ui.versions.rows_left_out", n=format_number(total))
        st.caption(title)
        draw_problem_table(left_out, total, title)


@st.cache_data(max_entries=16, show_spinner=False)
def _difference(left_id: str, right_id: str) -> VersionDifference:
    """Return `version_difference`, which reads all rows of both, once: versions never change."""
    return version_difference(left_id, right_id)


def _draw_difference(row: tb.DatasetVersion, known: dict[str, tb.DatasetVersion]) -> None:
    """Draw the rows that only this version has, or only another one of its dataset that a person chooses."""
    others = [each.id for each in known.values() if each.dataset_id == row.dataset_id and each.id != row.id]
    if not others:
        return
    parent = str((row.lineage or {}).get("parent"))
    before = next((key for key in others if known[key].created_at < row.created_at), others[0])
    names = {each.id: each.name for each in datasets(row.project_id)}
    label, key = t("ui.versions.difference"), f"version_difference_{row.id}"
    with st.expander(label, icon=":material/difference:", on_change="rerun", key=key) as opened:
        if not opened.open:
            return
        other = st.selectbox(
            t("ui.versions.against"),
            others,
            index=others.index(parent if parent in others else before),
            format_func=told_apart(known, lambda key: version_name(known[key], names)),
            key=f"against_{row.id}",
        )
        with st.spinner(t("ui.versions.comparing")):
            found = _difference(other, row.id)
        _draw_rows("removed", found.removed, found.removed_count)
        _draw_rows("added", found.added, found.added_count)


def _draw_rows(kind: str, rows: list[dict[str, Any]], total: int) -> None:
    title = t(f"ui.versions.{kind}", n=format_number(total))
    st.markdown(f"**{title}**")
    if rows:
        texts = [
            {t("ui.questions.question"): each["question"], t("ui.questions.answer"): each["answer"]} for each in rows
        ]
        st.dataframe(texts, hide_index=True, alt=title)
    if total > len(rows):
        st.caption(t("ui.problem.first", shown=format_number(len(rows)), n=format_number(total)))
