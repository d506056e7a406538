"""The questions page's look at what the base model knows already: start, progress, share, and the rows themselves."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import KurabeError
from core.evaluation import (
    KnownConfig,
    KnownOutcome,
    KnownPlan,
    KnownRow,
    known_outcome,
    known_rows,
    latest_known,
    plan_known,
    start_known,
)
from core.i18n import describe, format_money, format_number, t
from core.jobs import job_view
from core.store import tables as tb
from core.ui.cases import reason_text
from core.ui.findings import base_name
from core.ui.forms import choose_model
from core.ui.jobs import follow_job
from core.ui.parts import Tile, draw_tiles, error_text, interval_text, plain, section
from core.ui.questions import slice_label

__all__ = ["draw_known"]

_PAGE = 25


def draw_known(project: tb.Project, row: tb.DatasetVersion) -> None:
    """Draw what the base model knows of the training rows of a version, and the form that asks it."""
    section(t("ui.known.title"), t("ui.known.text"))
    run = latest_known(row.id)
    running = False
    if run is not None:
        view = job_view(run.job_id) if run.job_id else None
        running = view is not None and view.active
        if view is not None and view.status != "succeeded":
            follow_job(view.id)
        _draw_outcome(known_outcome(run.id))
    if running:
        return
    with st.expander(
        t("ui.known.new"), icon=":material/psychology:", expanded=run is None, on_change="rerun", key="known_new"
    ) as opened:
        if opened.open:
            _draw_form(project, row)


def _draw_form(project: tb.Project, row: tb.DatasetVersion) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        every = st.toggle(t("ui.known.all"), key="known_all")
        rows = st.number_input(t("ui.known.rows"), 10, 100_000, 200, 10, key="known_rows", disabled=every, width=200)
    model = choose_model(project, "known", t("ui.known.model"), t("ui.drafts.address_first"), "base")
    if model is None:
        return
    config = KnownConfig(dataset_version_id=row.id, model=model, rows=None if every else int(rows))
    try:
        _draw_plan(_plan(config.model_dump_json()), practice=model.kind == "base" and model.ref == "starter")
        if st.button(t("ui.known.start"), type="primary", icon=":material/play_arrow:"):
            start_known(config)
            st.rerun()
    except KurabeError as error:
        st.error(error_text(*describe(error)))


@st.cache_data(max_entries=16, ttl=300, show_spinner=False)
def _plan(config: str) -> KnownPlan:
    """See `plan_known`; a version never changes."""
    return plan_known(KnownConfig.model_validate_json(config))


def _draw_plan(plan: KnownPlan, *, practice: bool) -> None:
    cost = format_money(plan.cost, plan.currency) if plan.cost is not None else "–"
    available = t("ui.known.available", n=format_number(plan.available))
    written = t("ui.judge.tokens.note", n=format_number(plan.completion_tokens))
    note = t("ui.judge.cost.most" if plan.cost is not None else "ui.judge.cost.device")
    draw_tiles(
        [
            Tile(t("ui.judge.calls"), format_number(plan.calls), available),
            Tile(t("ui.judge.tokens"), format_number(plan.prompt_tokens), written),
            Tile(t("ui.test.plan.cost"), cost, note),
        ]
    )
    if practice:
        st.warning(t("ui.known.practice"), icon=":material/science:")


def _draw_outcome(found: KnownOutcome) -> None:
    if found.share is None:
        return
    judged = format_number(found.known + found.unknown)
    st.markdown(f"**{t('ui.known.finding', share=interval_text(found.share), model=_name(found))}**")
    st.caption(t("ui.known.judged", n=judged, metric=t(f"measures.metric.{found.metric}")))
    if found.left_out:
        st.caption(t("ui.known.left_out", n=format_number(found.left_out)))
    st.caption(t("ui.known.why"))
    if len(found.slices) > 1:
        _draw_slices(found)
    _draw_rows(found)


def _name(found: KnownOutcome) -> str:
    return plain(base_name(found.model)) if found.model else "–"


def _draw_slices(found: KnownOutcome) -> None:
    st.dataframe(
        [
            {
                t("ui.questions.slice"): slice_label(each.slice),
                t("ui.known.asked"): each.n,
                t("ui.known.share"): interval_text(each.share),
            }
            for each in found.slices
        ],
        hide_index=True,
        alt=t("ui.known.slices"),
    )


def _draw_rows(found: KnownOutcome) -> None:
    counts = {"unknown": found.unknown, "known": found.known, "failed": found.failed}
    show = st.segmented_control(
        t("ui.known.show"),
        tuple(counts),
        default="unknown",
        required=True,
        format_func=lambda key: f"{t(f'ui.known.show.{key}')} {format_number(counts[key])}",
        key="known_show",
    )
    if not counts[show]:
        st.caption(t("ui.known.none"))
        return
    pages = -(-counts[show] // _PAGE)
    slot = st.container()
    page = st.pagination(pages, key=f"known_page_{show}") if pages > 1 else 1
    rows = _rows(found.run_id, show, (min(page, pages) - 1) * _PAGE)
    with slot:
        st.dataframe(
            [_table_row(row) for row in rows],
            hide_index=True,
            column_config={"#": st.column_config.NumberColumn(width=60)},
            alt=t(f"ui.known.show.{show}"),
        )


def _rows(run_id: str, show: str, offset: int) -> list[KnownRow]:
    return known_rows(run_id, show, offset=offset, limit=_PAGE)  # type: ignore[arg-type]  # one of the three


def _table_row(row: KnownRow) -> dict[str, Any]:
    return {
        "#": row.position + 1,
        t("ui.questions.question"): row.question,
        t("ui.known.reference"): row.reference,
        t("ui.known.answer"): row.answer,
        t("ui.known.reason"): _reason(row),
    }


def _reason(row: KnownRow) -> str:
    if row.known is None and row.reason.get("code") and not row.answer:
        return describe(KurabeError(row.reason["code"], **row.reason["params"]))[0]
    return reason_text(row.reason, markdown=False)
