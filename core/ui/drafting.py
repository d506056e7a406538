"""The questions page's view of drafts: what a model drafts and what that takes, each draft beside its source."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.approaches import ModelChoice
from core.datasets import SPLITS
from core.errors import KurabeError
from core.evaluation import (
    DRAFT_SHOW,
    DraftingConfig,
    DraftingPlan,
    add_accepted,
    count_drafts,
    decide,
    draftings,
    drafts,
    plan_drafting,
    questions_missing,
    start_drafting,
    unreadable,
)
from core.i18n import describe, format_money, format_number, format_percent, t
from core.knowledge import default_kb, documents
from core.store import tables as tb
from core.ui.findings import when
from core.ui.forms import choose_model
from core.ui.jobs import follow_job
from core.ui.parts import Tile, draw_tiles, error_text, plain, remember, section

__all__ = ["draw_drafts", "draw_taken_over"]

_PAGE = 5


def draw_taken_over() -> None:
    """Say what accepted drafts became: in any view, for the first version of all makes the page open another one."""
    if (rows := st.session_state.pop("drafts_added", None)) is not None:
        st.success(t("ui.drafts.added", n=format_number(rows)), icon=":material/check_circle:")


def draw_drafts(project: tb.Project) -> None:
    """Draw the drafts to decide about, what is missing, and the form for more."""
    section(t("ui.drafts.title"), t("ui.drafts.text"))
    made = draftings(project.id)
    for drafting in made:
        if drafting.completed_at is None and drafting.job_id is not None:
            follow_job(drafting.job_id)
    counts = count_drafts(project.id)
    icon = ":material/edit_note:"
    with st.expander(t("ui.drafts.new"), icon=icon, expanded=not made, on_change="rerun", key="drafts_new") as opened:
        if opened.open:
            _draw_form(project, len(made))
    if made:
        if counts["waiting"]:
            _draw_adding(project, counts["waiting"])
        _draw_list(project, counts)
    _draw_needs(project)


def _draw_form(project: tb.Project, made: int) -> None:
    source = st.segmented_control(
        t("ui.drafts.source"),
        ("documents", "training"),
        default="documents",
        required=True,
        format_func=lambda key: t(f"ui.drafts.source.{key}"),
        key="drafts_source",
        help=t("ui.drafts.source.help"),
    )
    chosen: list[str] = []
    with st.grid(3, min_column_width=220):
        sources = st.number_input(t(f"ui.drafts.sources.{source}"), 1, 5000, 20, key="drafts_sources")
        each = st.number_input(t("ui.drafts.each"), 1, 10, 2, key="drafts_each")
        if source == "documents":
            names = [row.name for row in documents(default_kb(project.id).id)]
            chosen = st.multiselect(t("ui.drafts.documents"), names, placeholder=t("ui.all"), key="drafts_documents")
    model = choose_model(project, "drafts", t("ui.drafts.model"), t("ui.drafts.address_first"))
    if model is None:
        return
    config = DraftingConfig(
        project_id=project.id,
        model=model,
        source=source,  # type: ignore[arg-type]  # one of the two
        documents=tuple(chosen),
        sources=int(sources),
        each=int(each),
    )
    try:
        _draw_plan(project, _plan(config.model_dump_json(), made), model)
    except KurabeError as error:
        st.error(error_text(*describe(error)))
        return
    if st.button(t("ui.drafts.start"), type="primary", icon=":material/play_arrow:"):
        start_drafting(config)
        st.rerun()


@st.cache_data(max_entries=16, ttl=300, show_spinner=False)
def _plan(config: str, made: int) -> DraftingPlan:
    """See `plan_drafting`; every drafting that was started leaves less to draw from."""
    return plan_drafting(DraftingConfig.model_validate_json(config))


def _draw_plan(project: tb.Project, plan: DraftingPlan, model: ModelChoice) -> None:
    unknown = t("ui.judge.cost.device") if model.kind == "base" else t("ui.judge.cost.unknown")
    draw_tiles(
        [
            Tile(
                t("ui.judge.calls"),
                format_number(plan.calls),
                t("ui.drafts.available", n=format_number(plan.available)),
            ),
            Tile(t("ui.drafts.most"), format_number(plan.drafts), t("ui.drafts.most.note")),
            Tile(
                t("ui.judge.tokens"),
                format_number(plan.prompt_tokens),
                t("ui.judge.tokens.note", n=format_number(plan.completion_tokens)),
            ),
            Tile(
                t("ui.test.plan.cost"),
                format_money(plan.cost, plan.currency) if plan.cost is not None else "–",
                t("ui.judge.cost.most") if plan.cost is not None else unknown,
            ),
        ]
    )
    if model.kind == "base" and project.base_ref == "starter":
        st.warning(t("ui.drafts.practice"), icon=":material/science:")


def _draw_adding(project: tb.Project, waiting: int) -> None:
    with st.container(border=True):
        st.markdown(f"**{t('ui.drafts.add.title')}**")
        st.caption(t("ui.drafts.add.text", n=format_number(waiting)))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            split = st.selectbox(
                t("ui.drafts.add.split"),
                SPLITS,
                index=SPLITS.index("test"),
                format_func=lambda key: t(f"ui.split.{key}"),
                width=200,
                key="drafts_split",
            )
            name = st.text_input(
                t("ui.drafts.add.slice"),
                key="drafts_slice",
                max_chars=60,
                placeholder=t("ui.drafts.add.slice.placeholder"),
                width=320,
            )
            label = t("ui.drafts.add.button", n=format_number(waiting))
            if st.button(label, type="primary", icon=":material/playlist_add:"):
                st.session_state["drafts_added"] = add_accepted(project.id, split, name.strip()).row_count
                remember("version", None)
                st.rerun()


def _draw_list(project: tb.Project, counts: dict[str, int]) -> None:
    asked = st.query_params.get("drafts")
    show = st.segmented_control(
        t("ui.drafts.show"),
        DRAFT_SHOW,
        default=asked if asked in DRAFT_SHOW else "open",
        required=True,
        format_func=lambda key: f"{t(f'ui.drafts.show.{key}')} {format_number(counts[key])}",
        key="drafts_show",
    )
    remember("drafts", show if show != "open" else None)
    if not counts[show]:
        st.caption(t("ui.drafts.none"))
    elif show == "unreadable":
        shown = unreadable(project.id)
        for call in shown:
            _draw_unreadable(call)
        if counts[show] > len(shown):
            st.caption(t("ui.drafts.newest", n=format_number(len(shown)), all=format_number(counts[show])))
    else:
        pages = -(-counts[show] // _PAGE)
        slot = st.container()
        page = st.pagination(pages, key=f"drafts_page_{show}") if pages > 1 else 1
        found = drafts(project.id, show, offset=(min(page, pages) - 1) * _PAGE, limit=_PAGE)
        with slot:
            for draft in found.drafts:
                _draw_draft(draft, found.sources.get(draft.call_id, {}), found.models.get(draft.call_id, ""))


def _draw_unreadable(call: tb.DraftCall) -> None:
    with st.container(border=True):
        left, right = st.columns(2)
        with left:
            _draw_source(call.source)
        with right:
            if call.error:
                st.error(error_text(*describe(KurabeError(call.error["code"], **call.error["params"]))))
            else:
                st.caption(t("ui.drafts.reply"))
                st.text(call.text or "–")


def _draw_source(source: dict[str, Any]) -> None:
    if "text" in source:
        st.caption(t("ui.drafts.passage", document=plain(str(source["document"]))))
        st.text(f"{source['title']}\n\n{source['text']}")
        return
    st.caption(t("ui.drafts.trained"))
    st.text(str(source.get("question", "–")))
    st.caption(t("ui.drafts.answer"))
    st.text(str(source.get("answer") or "–"))


def _draw_draft(draft: tb.Draft, source: dict[str, Any], model: str) -> None:
    """Draw a draft beside its source; while it is open, its words can be changed."""
    with st.container(border=True):
        left, right = st.columns(2)
        with left:
            _draw_source(source)
            st.caption(t("ui.drafts.by", model=plain(model)))
        with right:
            if draft.doubts:
                st.warning("\n\n".join(map(_doubt, draft.doubts)), icon=":material/flag:")
            if draft.state == "open":
                _draw_decision(draft, "text" in source)
            else:
                _draw_decided(draft, "text" in source)


def _doubt(doubt: dict[str, Any]) -> str:
    words = {name: plain(str(text)) for name, text in doubt["params"].items()}
    return t(f"drafting.doubt.{doubt['code']}", **words)


def _draw_decision(draft: tb.Draft, from_passage: bool) -> None:
    edits = {
        "question": st.text_area(t("ui.drafts.question"), draft.question, key=f"draft_q_{draft.id}", height=68),
        "answer": st.text_area(t("ui.drafts.answer"), draft.answer, key=f"draft_a_{draft.id}", height=68),
    }
    if from_passage:
        label = t("ui.drafts.quote")
        edits["quote"] = st.text_area(label, draft.quote, key=f"draft_w_{draft.id}", height=68)
    slot = st.container()
    with st.container(horizontal=True):
        yes = st.button(t("ui.drafts.accept"), key=f"draft_yes_{draft.id}", type="primary", icon=":material/check:")
        no = st.button(t("ui.drafts.reject"), key=f"draft_no_{draft.id}", icon=":material/close:")
    if not (yes or no):
        return
    try:
        decide(draft.project_id, [draft.id], "accepted" if yes else "rejected", edits if yes else None, expected="open")
    except KurabeError as error:
        slot.error(error_text(*describe(error)))
        return
    st.rerun()


def _draw_decided(draft: tb.Draft, from_passage: bool) -> None:
    st.caption(t("ui.drafts.question"))
    st.text(draft.question)
    st.caption(t("ui.drafts.answer"))
    st.text(draft.answer or "–")
    who = t(f"ui.drafts.decided.{draft.state}", who=plain(draft.decided_by), time=when(draft.decided_at))
    # The passage's own spelling replaces a quote's, and a rewording has the trained answer: no edits by a person.
    edited = draft.question != draft.drafted.get("question")
    edited |= from_passage and draft.answer != draft.drafted.get("answer")
    st.caption(f"{who} · {t('ui.drafts.edited')}" if edited else who)
    if draft.version_id is not None:
        st.caption(t("ui.drafts.in_version"))
    elif st.button(t("ui.drafts.reopen"), key=f"draft_open_{draft.id}", type="tertiary", icon=":material/undo:"):
        try:
            decide(draft.project_id, [draft.id], "open", expected=draft.state)
        except KurabeError as error:
            st.error(error_text(*describe(error)))
            return
        st.rerun()


def _draw_needs(project: tb.Project) -> None:
    section(t("ui.drafts.needs"), t("ui.drafts.needs.text"))
    points = st.number_input(t("ui.drafts.needs.difference"), 2, 50, 15, width=240, key="drafts_points")
    found = questions_missing(project.id, points / 100)
    rows = [
        {
            t("ui.drafts.needs.slice"): t("ui.drafts.needs.all")
            if need.coverage == "all"
            else t(f"evaluation.coverage.{need.coverage}"),
            t("ui.drafts.needs.have"): need.questions,
            t("ui.drafts.needs.missing"): need.missing,
            t("ui.drafts.needs.needed"): need.needed,
            t("ui.drafts.needs.smallest"): t("ui.drafts.needs.points", n=format_number(100 * need.smallest))
            if need.smallest
            else "–",
        }
        for need in found.slices
    ]
    st.dataframe(rows, hide_index=True, alt=t("ui.drafts.needs"))
    basis = "measured" if found.measured else "assumed"
    st.caption(t(f"ui.drafts.needs.{basis}", share=format_percent(found.discordance)))
    if found.unjudged:
        st.caption(t("ui.drafts.needs.unjudged", n=format_number(found.unjudged)))
