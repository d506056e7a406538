"""A test run's results below their summary, one subject a tab: quality, what explains it, what is paid for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st
from plotly.graph_objects import Figure

from core.charts import (
    MeasuredApproach,
    cost_by_part,
    cost_per_1000,
    latency_distribution,
    latency_overview,
    quality_by_slice,
    quality_overview,
    tokens_per_answer,
    tradeoff,
    tradeoff_latency,
)
from core.decision import approach_name
from core.decision.figures import headroom_figure
from core.evaluation import Results
from core.i18n import format_number, t
from core.ui.parts import draw_kept, plain, remember, section
from core.ui.result_tables import draw_causes, draw_retrieval, draw_slices

__all__ = ["draw_parts"]

_Maker = Callable[[Sequence[MeasuredApproach]], Figure]


def draw_parts(found: Results, figures: list[MeasuredApproach]) -> None:
    """Draw the part of the results that the visitor or the link chose: quality, unless they say otherwise."""
    parts = _parts(found, figures)
    labels = {name: t(f"ui.test.part.{name}") for name in parts}
    # A browser takes longer over one figure than the app over them all: what is not looked at waits
    tabs = st.tabs(
        list(labels.values()),
        default=labels.get(st.query_params.get("part", "")),
        on_change="rerun",
        key="test_parts",
    )
    for tab, (name, draw) in zip(tabs, parts.items(), strict=True):
        if tab.open:
            remember("part", name if name != next(iter(parts)) else None)
            with tab:
                draw()


def _parts(found: Results, figures: list[MeasuredApproach]) -> dict[str, Callable[[], None]]:
    """Return what draws each part, by its name in the address; headroom waits for the end of the run."""
    timed = any(figure.total is not None for figure in figures)
    cost: dict[str, _Maker] = {"tradeoff": tradeoff, "tokens": tokens_per_answer, "cost": cost_per_1000}
    if any(figure.cost_parts for figure in figures):
        cost["cost_parts"] = cost_by_part
    waiting: dict[str, _Maker] = {"tradeoff_latency": tradeoff_latency, "latency": latency_overview} if timed else {}
    if any(figure.seconds for figure in figures):
        waiting["waiting"] = latency_distribution
    parts: dict[str, Callable[[], None]] = {
        "quality": partial(draw_kept, "test_quality", quality_overview, figures),
        "slices": partial(_draw_slices, found, figures),
        "causes": partial(_draw_causes, found),
        "cost": partial(_draw_figures, figures, cost),
        "waiting": partial(_draw_figures, figures, waiting),
    }
    if found.headroom is not None or found.complete:
        parts["headroom"] = partial(_draw_headroom, found)
    return parts


def _draw_figures(figures: list[MeasuredApproach], makers: Mapping[str, _Maker]) -> None:
    with st.grid(2, min_column_width=420, gap="medium"):
        for name, maker in makers.items():
            with st.container():
                draw_kept(f"test_{name}", maker, figures)
    if not makers:
        st.caption(t("ui.test.no_latency"))


def _draw_slices(found: Results, figures: list[MeasuredApproach]) -> None:
    draw_kept("test_slices", quality_by_slice, figures)
    draw_slices(found)


def _draw_causes(found: Results) -> None:
    draw_causes(found)
    draw_retrieval(found)


def _draw_headroom(found: Results) -> None:
    """Draw what better search or training could still gain over the best approach without training."""
    if found.headroom is None:
        section(t("ui.test.headroom"), t("ui.test.headroom.missing"))
        return
    section(t("ui.test.headroom"), t("ui.test.headroom.text"))
    draw_kept("test_headroom", headroom_figure, found.headroom)
    reference = found.approach(found.headroom.reference)
    name = plain(approach_name(reference)) if reference else "–"
    st.caption(t("ui.test.headroom.note", approach=name, n=format_number(found.headroom.n)))
