"""The training page's part that puts runs beside each other: curves, outcomes, what differs in their settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.charts import loss_comparison
from core.i18n import t
from core.store import tables as tb
from core.training import RunComparison, compare_runs, outcome_text, runs, setting_name, setting_text
from core.ui.findings import when
from core.ui.parts import draw_figure, remember, told_apart
from core.ui.run_scores import draw_run_scores

__all__ = ["draw_compared_runs"]

_MOST = 6

_ROWS = {
    "dataset_version_id", "index_version_id", "base_ref", "row_style", "passages", "without_gold", "instructions",
    "house_rules", "train_on", "max_length", "evaluation_rows",
}  # fmt: skip
"""Fields that decide what the validation rows look like: where one differs, losses cannot be compared."""


def draw_compared_runs(project: tb.Project) -> None:
    """Draw runs beside each other: their curves, what differs in their configurations, what came of each."""
    asked = [key for key in st.query_params.get("runs", "").split(",") if key]
    known = {run.id: run for run in runs(project.id) if not run.archived or run.id in asked}
    if len(known) < 2:
        st.caption(t("ui.registry.compare.none"))
        return
    picked = st.multiselect(
        t("ui.registry.compare.runs"),
        list(known),
        default=[key for key in asked if key in known][:_MOST] or list(known)[:2],
        format_func=told_apart(known, lambda key: f"{known[key].name} · {when(known[key].created_at)}"),
        max_selections=_MOST,
        key=f"compared_runs_{project.id}",
    )
    remember("runs", ",".join(picked))
    if len(picked) < 2:
        st.caption(t("ui.registry.compare.none"))
        return
    found = compare_runs(picked)
    names = _names(found)
    curves = dict(zip(names, [run.eval_loss for run in found.runs], strict=True))
    drawn = {"seed"} if any(run.config.row_style != "plain" for run in found.runs) else set()
    aims = {field for field in found.differing if field.startswith("objective.")}
    same_rows = not (_ROWS | drawn | aims) & found.differing.keys()
    draw_figure(loss_comparison(curves, comparable=same_rows), "compared_runs")
    if not same_rows:
        st.caption(f":material/info: {t('ui.registry.compare.other_rows')}")
    st.markdown(f"**{t('ui.registry.compare.outcome')}**")
    st.dataframe(_beside(found.outcome, names, _outcome_name, outcome_text), hide_index=True)
    draw_run_scores(dict(zip([run.id for run in found.runs], names, strict=True)))
    st.markdown(f"**{t('ui.registry.compare.differing')}**")
    if found.differing:
        st.dataframe(_beside(found.differing, names, setting_name, setting_text), hide_index=True)
    else:
        st.caption(t("ui.registry.compare.same"))


def _names(found: RunComparison) -> list[str]:
    """Return names that tell the runs apart, also where people gave the same twice."""
    names = [run.name for run in found.runs]
    return [name if names.count(name) == 1 else f"{name} ({n})" for n, name in enumerate(names, 1)]


def _outcome_name(field: str) -> str:
    return t(f"ui.registry.outcome.{field}")


def _beside(
    values: dict[str, list[Any]], names: list[str], label: Callable[[str], str], text: Callable[[str, Any], str]
) -> list[dict[str, str]]:
    return [
        {t("ui.registry.field"): label(field)}
        | {name: text(field, value) for name, value in zip(names, row, strict=True)}
        for field, row in values.items()
        if any(value is not None for value in row)
    ]
