"""The documents page's parts: the list, one document, the index, and trying the search out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import streamlit as st

from core.errors import KurabeError
from core.i18n import describe, format_bytes, format_duration, format_number, t
from core.jobs import submit
from core.knowledge import (
    EXACT_UP_TO,
    DocumentFinding,
    Filter,
    Hit,
    Mode,
    Writer,
    add_documents,
    check_documents,
    default_kb,
    delete_document,
    document,
    document_original,
    document_readers,
    document_versions,
    documents,
    edit_document,
    index_versions,
    index_writer,
    instructions_in,
    latest_index,
    refresh_index,
    search,
    stale_documents,
    unread_of,
)
from core.projects.samples import second_versions
from core.settings import settings
from core.store import tables as tb
from core.ui.findings import when
from core.ui.jobs import active_job, follow_job, newest_job
from core.ui.parts import error_text, plain, remember, section
from core.ui.passages import draw_about_documents, draw_budget, draw_overlap, draw_passages
from core.ui.unread import draw_unread, keep_unread

__all__ = [
    "draw_added",
    "draw_check",
    "draw_index",
    "draw_list",
    "draw_search",
    "draw_second_versions",
    "draw_upload",
    "writing_text",
]

_WAYS = ("auto", "hybrid", "vector", "text")
_SIDES = ("text", "vector", "hybrid")
_AT_ONCE = 20
"""Changed documents up to which the index follows while one waits; more are left to a job."""


def draw_upload(project: tb.Project) -> None:
    """Draw the upload of many files; those that cannot be read are named, the others come in."""
    endings = sorted({suffix for reader in document_readers.all().values() for suffix in reader.suffixes})
    with st.form("documents_upload", clear_on_submit=True, border=False):
        files = st.file_uploader(
            t("ui.documents.upload"),
            type=[ending.lstrip(".") for ending in endings],
            accept_multiple_files=True,
            max_upload_size=settings().upload_limit_mb,
            help=t("ui.documents.upload.help", endings=", ".join(endings)),
        )
        sent = st.form_submit_button(t("ui.documents.add"), icon=":material/upload:", type="primary")
    if not sent or not files:
        return
    failures: list[KurabeError] = []
    stored = add_documents(
        default_kb(project.id).id, [(file.name, file.getvalue()) for file in files], failures=failures
    )
    st.session_state["documents_added"] = (len(stored), failures)
    keep_unread(stored)
    _follow_change(project)
    st.rerun()  # what stands above the form was drawn before they came


def _follow_change(project: tb.Project) -> None:
    """Bring the index up to date at once after a small change, so that the next question sees it."""
    base = default_kb(project.id)
    index, stale = latest_index(base.id), stale_documents(base.id)
    if index is None or len(stale) > _AT_ONCE or index.chunk_count > EXACT_UP_TO or active_job(project.id, "index"):
        return
    try:
        with st.spinner(t("jobs.stage.indexing")):
            refresh_index(base.id)
    except KurabeError as error:
        # The change is stored; the state of the index, drawn above, says that it is not searched yet.
        stored, failures = st.session_state.get("documents_added", (0, []))
        st.session_state["documents_added"] = (stored, [*failures, error])


def draw_added() -> None:
    """Say what the last upload brought, and name the files that could not be read."""
    stored, failures = st.session_state.pop("documents_added", (0, []))
    for failure in failures:
        message, hint = describe(failure)
        st.error(error_text(message, hint), icon=":material/error:")
    if stored:
        st.success(t("ui.documents.added", n=format_number(stored)), icon=":material/check_circle:")
    draw_unread()


def draw_second_versions(project: tb.Project) -> None:
    """Offer the sample's later versions of its documents, which change some answers."""
    files = second_versions(project)
    current = {row.name: row for row in documents(default_kb(project.id).id)}
    waiting = {name: path for name, path in files.items() if name in current and current[name].version == 1}
    if not waiting:
        return
    with st.container(border=True):
        st.markdown(f":material/update: **{t('ui.documents.second.title', n=len(waiting))}**")
        st.caption(t("ui.documents.second.text"))
        if st.button(t("ui.documents.second.apply"), icon=":material/done_all:"):
            base = default_kb(project.id)
            add_documents(base.id, [(name, path.read_bytes()) for name, path in waiting.items()])
            st.rerun()


def draw_list(project: tb.Project) -> None:
    """Draw the documents; a chosen one is shown with its text and what can be done with it."""
    found = documents(default_kb(project.id).id)
    wanted = st.text_input(
        t("ui.documents.filter"),
        key="documents_filter",
        icon=":material/search:",
        type="search",
        width=320,
        placeholder=t("ui.documents.filter.placeholder"),
    )
    shown = [row for row in found if wanted.casefold() in f"{row.name} {row.title}".casefold()]
    index = latest_index(default_kb(project.id).id)
    indexed = dict(index.document_hashes) if index else {}
    some_unread = any(unread_of(row.notes) for row in found)
    asked = st.query_params.get("document")
    places = [place for place, row in enumerate(shown) if row.id == asked]
    picked = st.dataframe(
        [_list_row(row, indexed, unread=some_unread) for row in shown],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=min(420, 70 + 35 * len(shown)),
        selection_default={"selection": {"rows": places, "columns": [], "cells": []}} if places else None,
        key=f"documents_{project.id}_{len(found)}_{wanted}",
        alt=t("ui.documents.table"),
    )
    chosen = picked.selection.rows
    if chosen and chosen[0] < len(shown):
        remember("document", shown[chosen[0]].id)
        _draw_document(project, shown[chosen[0]].id)
    else:
        remember("document", None)
        st.caption(t("ui.documents.select"))


def _list_row(row: tb.Document, indexed: dict[str, Any], *, unread: bool) -> dict[str, Any]:
    state = "current" if row.id in indexed else "waiting"
    missing = {t("ui.documents.unread.column"): len(unread_of(row.notes))} if unread else {}
    return {
        t("ui.documents.name"): row.name,
        t("ui.documents.title"): row.title,
        t("ui.documents.size"): format_bytes(row.size),
        t("ui.documents.characters"): len(row.text),
        **missing,
        t("ui.documents.version"): row.version,
        t("ui.documents.indexed"): t(f"ui.documents.indexed.{state}"),
        t("ui.documents.changed"): when(row.created_at),
    }


def _draw_document(project: tb.Project, document_id: str) -> None:
    row = document(document_id)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(row.title or row.name)}**", width="content")
            st.badge(t("ui.documents.version_n", n=row.version), color="gray")
        for note in row.notes:
            params = {name: plain(str(value)) for name, value in note.get("params", {}).items()}
            st.caption(f":material/info: {t('knowledge.note.' + note['code'], **params)}")
        read, cut, edit = st.tabs([t("ui.documents.read"), t("ui.passages.title"), t("ui.documents.edit")])
        with read, st.container(height=360, border=False):
            st.text(row.text)
        with cut:
            draw_passages(row)
        with edit:
            _draw_edit(project, row)
        _draw_actions(row)


def _draw_edit(project: tb.Project, row: tb.Document) -> None:
    with st.form(f"edit_{row.id}", border=False):
        title = st.text_input(t("ui.documents.title"), value=row.title)
        text = st.text_area(t("ui.documents.text"), value=row.text, height=300)
        if st.form_submit_button(t("ui.documents.save"), icon=":material/save:", help=t("ui.documents.save.help")):
            made = edit_document(row.id, text, title)
            _follow_change(project)
            st.query_params["document"] = made.id
            st.rerun()


def _draw_actions(row: tb.Document) -> None:
    with st.container(horizontal=True):
        st.download_button(
            t("ui.documents.original"),
            lambda: document_original(row.id),
            icon=":material/download:",
            file_name=row.name,
            key=f"original_{row.id}",
            help=t("ui.documents.original.help"),
            on_click="ignore",
        )
        versions = document_versions(row.id)
        if len(versions) > 1:
            with st.popover(t("ui.documents.versions", n=len(versions)), icon=":material/history:"):
                for each in versions:
                    st.caption(f"{t('ui.documents.version_n', n=each.version)} · {when(each.created_at)}")
        with st.popover(t("ui.documents.delete"), icon=":material/delete:"):
            st.markdown(t("ui.documents.delete.text"))
            if st.button(t("ui.documents.delete.sure"), key=f"delete_{row.id}", type="primary"):
                delete_document(row.id)
                remember("document", None)
                st.rerun()


def draw_index(project: tb.Project) -> None:
    """Draw the state of the search index, and the button that builds it."""
    base = default_kb(project.id)
    index, stale = latest_index(base.id), stale_documents(base.id)
    running = active_job(project.id, "index")
    with st.container(border=True):
        _draw_index_state(base, index, stale)
        if running is None and (writer := index_writer(base.id)) is not None:
            st.caption(plain(writing_text(writer)))
        if running is None:
            _draw_build(project, base, ready=index is not None and not stale)
    if running is not None:
        follow_job(running.id)
    else:
        last = newest_job(project.id, "index")
        if last is not None and last.status not in ("succeeded",):
            follow_job(last.id)


def writing_text(writer: Writer) -> str:
    """Say who writes the index just now."""
    return t(f"ui.index.writing.{writer.purpose}", who=writer.who, machine=writer.machine)


def _draw_index_state(base: tb.KnowledgeBase, index: tb.IndexVersion | None, stale: Sequence[str]) -> None:
    if index is None:
        st.markdown(f":orange[:material/search_off:] **{t('ui.index.none')}**")
        st.caption(t("ui.index.none.text"))
        return
    state = "stale" if stale else "current"
    icon = ":orange[:material/update:]" if stale else ":green[:material/check_circle:]"
    st.markdown(f"{icon} **{t(f'ui.index.{state}', n=format_number(len(stale)))}**")
    how = t("ui.index.hybrid", embedder=plain(index.embedder)) if index.embedder else t("ui.index.words_only")
    facts = t(
        "ui.index.facts",
        passages=format_number(index.chunk_count),
        documents=format_number(len(index.document_hashes)),
        time=format_duration(index.seconds),
        when=when(index.created_at),
    )
    st.caption(f"{facts} · {how} · {t('ui.index.versions', n=format_number(len(index_versions(base.id))))}")


def _draw_build(project: tb.Project, base: tb.KnowledgeBase, *, ready: bool) -> None:
    with st.container(horizontal=True):
        with st.popover(t("ui.index.lengths"), icon=":material/tune:"):
            most = st.number_input(t("ui.index.max_tokens"), 40, 2000, 200, 20, help=t("ui.index.max_tokens.help"))
            least = st.number_input(t("ui.index.min_tokens"), 10, 1000, 60, 10, help=t("ui.index.min_tokens.help"))
            overlap = draw_overlap(int(most))
        label = t("ui.index.rebuild") if ready else t("ui.index.build")
        if st.button(label, type="secondary" if ready else "primary", icon=":material/manage_search:"):
            config = {"min_tokens": min(int(least), int(most)), "max_tokens": int(most), "overlap_tokens": overlap}
            submit("index", {"knowledge_base_id": base.id, "config": config}, project_id=project.id)
            st.rerun()


def draw_search(project: tb.Project) -> None:
    """Draw the search try-out: what retrieval would show the model, with scores and ranks."""
    section(t("ui.search.title"), t("ui.search.text"))
    index = latest_index(default_kb(project.id).id)
    if index is None:
        st.caption(t("ui.search.no_index"))
        return
    query = st.text_input(
        t("ui.search.query"), value=st.query_params.get("query", ""), key="search_query", icon=":material/search:"
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = int(st.number_input(t("ui.search.count"), 1, 20, 4, width=120))
        ways = ("auto", "beside", *_WAYS[1:]) if index.embedder else ("auto", "text")
        way = st.selectbox(t("ui.search.way"), ways, format_func=lambda key: t(f"ui.search.way.{key}"), width=200)
        rerank = st.checkbox(t("ui.search.rerank"), help=t("ui.search.rerank.help"))
        only = _draw_filter(project)
        budget = draw_budget()
    remember("query", query or None)
    if not query.strip():
        return
    if way != "beside":
        _draw_hits(index.id, query, count, way, rerank, only, budget)
        return
    for column, side in zip(st.columns(len(_SIDES)), _SIDES, strict=True):
        with column:
            st.markdown(f"**{t(f'ui.search.way.{side}')}**")
            _draw_hits(index.id, query, count, side, rerank, only, budget)


def _draw_filter(project: tb.Project) -> Filter:
    with st.popover(t("ui.search.filter"), icon=":material/filter_alt:"):
        rows = documents(default_kb(project.id).id)
        chosen = st.multiselect(t("ui.search.filter.documents"), [row.name for row in rows])
        heading = st.text_input(t("ui.search.filter.heading"))
        only = Filter(documents=tuple(chosen), heading=heading.strip())
        return draw_about_documents(rows, only)


def _draw_hits(
    index_id: str, query: str, count: int, way: str, rerank: bool, only: Filter, budget: int | None
) -> None:  # fmt: skip
    mode = cast(Mode, way)  # one of _WAYS
    found = search(index_id, query, k=count, mode=mode, rerank=rerank, only=only, budget=budget)
    seconds = sum(found.spans.values())
    st.caption(
        t("ui.search.found", n=len(found.hits), time=format_duration(seconds), way=t(f"ui.search.way.{found.mode}"))
    )
    for note in found.notes:
        params = {name: plain(str(value)) for name, value in note["params"].items()}
        st.caption(f":material/info: {t('knowledge.note.' + note['code'], **params)}")
    for place, hit in enumerate(found.hits, 1):
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{place}. {plain(hit.full_title)}**", width="content")
                st.badge(plain(hit.document_name), icon=":material/description:", color="gray")
                if instructions_in(hit.text):
                    st.badge(t("ui.search.instructs"), icon=":material/warning:", color="orange")
                st.caption(_score_text(hit), width="content")
            st.text(hit.text)


def _score_text(hit: Hit) -> str:
    parts = [t("ui.search.page", page=hit.page)] if hit.page else []
    parts.append(t("ui.search.score", score=format_number(hit.score, digits=3)))
    if hit.vector_rank is not None and hit.vector_score is not None:
        score = format_number(hit.vector_score, digits=2)
        parts.append(t("ui.search.vector_rank", rank=hit.vector_rank, score=score))
    if hit.text_rank is not None and hit.text_score is not None:
        parts.append(t("ui.search.text_rank", rank=hit.text_rank, score=format_number(hit.text_score, digits=1)))
    if hit.rerank_score is not None:
        parts.append(t("ui.search.rerank_score", score=format_number(hit.rerank_score, digits=2)))
    return " · ".join(parts)


def draw_check(project: tb.Project) -> None:
    """Draw what in the documents harms retrieval, when it is asked for."""
    base = default_kb(project.id)
    key = f"documents_checked_{base.id}"
    if st.button(t("ui.documents.check"), icon=":material/rule:", help=t("ui.documents.check.help")):
        with st.spinner(t("jobs.stage.checking")):
            st.session_state[key] = check_documents(base.id)
    found: list[DocumentFinding] | None = st.session_state.get(key)
    if found is None:
        return
    if not found:
        st.caption(f":material/check: {t('knowledge.finding.none')}")
        return
    st.dataframe(
        [
            {
                t("ui.documents.check.finding"): t(f"knowledge.finding.{one.code}", **one.words()),
                t("ui.documents.name"): ", ".join(one.documents),
            }
            for one in found
        ],
        hide_index=True,
        alt=t("ui.documents.check"),
    )
