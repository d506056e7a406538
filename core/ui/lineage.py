"""Where a run comes from and what uses it, with links; and the way back, from a dataset version to its runs."""

from __future__ import annotations

import streamlit as st

from core.i18n import format_number, t
from core.store import tables as tb
from core.training import Lineage, RunView, lineage, runs, setting_name, setting_text
from core.ui.approaches import approach_label
from core.ui.findings import when
from core.ui.navigation import link
from core.ui.parts import plain

__all__ = ["draw_lineage", "draw_runs_of_version"]


def draw_lineage(run: RunView) -> None:
    """Draw, once it is opened, what a run rests on and what rests on it."""
    with st.expander(
        t("ui.registry.lineage"), icon=":material/account_tree:", on_change="rerun", key=f"lineage_{run.id}"
    ) as opened:
        if opened.open:
            _draw(lineage(run.id))


def _draw(found: Lineage) -> None:
    data = found.dataset_version_id
    named = f"{setting_name('dataset_version_id')}: {setting_text('dataset_version_id', data)}"
    link("questions", named, view="versions", version=data)
    facts = {setting_name("base_ref"): setting_text("base_ref", found.base_ref)}
    if found.index_version_id:
        facts[setting_name("index_version_id")] = setting_text("index_version_id", found.index_version_id)
    facts[t("ui.registry.lineage.left")] = ", ".join(_left(adapter) for adapter in found.adapters)
    names = dict.fromkeys(approach_label(approach) for approach in found.approaches)
    facts[t("ui.registry.lineage.approaches")] = ", ".join(names)
    facts[t("ui.registry.lineage.answers")] = format_number(found.answers)
    st.markdown("\n".join(f"- {name}: {plain(text) or '–'}" for name, text in facts.items()))
    if found.experiments:
        st.caption(t("ui.registry.lineage.experiments"))
    for experiment in found.experiments:
        link("test_run", f"{plain(experiment.name)} · {when(experiment.created_at)}", experiment=experiment.id)


def _left(adapter: tb.Adapter) -> str:
    kind = t("ui.registry.lineage.merged") if adapter.kind == "merged" else t("cli.adapter")
    return f"{kind} {adapter.hash.rpartition(':')[2][:8]}"


def draw_runs_of_version(version: tb.DatasetVersion) -> None:
    """Draw links to the runs that were trained on a dataset version; nothing if there are none."""
    found = runs(version.project_id, dataset_version_id=version.id)
    if not found:
        return
    st.markdown(f"**{t('ui.registry.lineage.trained_on')}**")
    for run in found:
        link("training", f"{plain(run.name)} · {when(run.created_at)}", view="runs", run=run.id)
