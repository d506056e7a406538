"""The training page's parts about what was trained: beside each other, again, out of the house and into it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from core.charts import loss_comparison
from core.i18n import catalogue, format_bytes, format_duration, format_number, language, t, use_language
from core.settings import settings
from core.store import tables as tb
from core.training import (
    ROW_STYLES,
    RunComparison,
    RunView,
    compare_runs,
    delete_run,
    export_adapter,
    export_kit,
    import_adapter,
    lineage,
    model_card,
    reproduce,
    runs,
    start_merge,
    start_upload,
)
from core.ui.findings import when
from core.ui.jobs import follow_job, newest_job
from core.ui.parts import draw_figure, open_view, plain, remember

__all__ = ["draw_compared_runs", "draw_import", "draw_keeping", "draw_taking", "draw_work"]

_MOST = 6

_ROWS = {
    "dataset_version_id", "index_version_id", "base_ref", "row_style", "passages", "without_gold", "instructions",
    "house_rules", "train_on", "max_length", "evaluation_rows",
}  # fmt: skip
"""Fields that decide what the validation rows look like: where one differs, losses cannot be compared."""


def draw_keeping(run: RunView) -> None:
    """Draw what can be done with a run that ended: train it again, take it elsewhere, delete it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(t("ui.registry.again"), icon=":material/replay:", help=t("ui.registry.again.help")):
            open_view("training", "runs", run=reproduce(run.id).id)
        st.download_button(
            t("ui.registry.kit"),
            _written(lambda target: export_kit(run.id, target)),
            file_name=f"kurabe-run-{run.id[:8]}.zip",
            icon=":material/luggage:",
            help=t("ui.registry.kit.help"),
        )
        with st.popover(t("ui.registry.delete"), icon=":material/delete:", type="tertiary"):
            held = lineage(run.id)
            names = ", ".join(plain(approach.name) for approach in held.approaches) or "–"
            st.markdown(t("ui.registry.delete.text", approaches=names, answers=format_number(held.answers)))
            if st.button(t("ui.registry.delete.sure"), key=f"delete_run_{run.id}", type="primary"):
                delete_run(run.id)
                st.query_params.pop("run", None)
                st.rerun()


def draw_taking(adapter: tb.Adapter) -> None:
    """Draw how an adapter leaves: as an archive with its card, or merged into weights of its own."""
    if adapter.kind == "merged":
        # weights of a whole model do not pass through a browser
        st.caption(t("ui.registry.export.merged"))
        st.code(f"python -m core runs export {adapter.id} model.zip", language="bash")
        _draw_upload(adapter)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            t("ui.registry.export"),
            _written(lambda target: export_adapter(adapter.id, target)),
            file_name=f"kurabe-{adapter.id[:8]}.zip",
            icon=":material/download:",
            key=f"export_{adapter.id}",
            help=t("ui.registry.export.help"),
        )
        with st.popover(t("ui.registry.card"), icon=":material/badge:"):
            st.code(model_card(adapter.id), language="markdown", wrap_lines=True)
        if st.button(
            t("ui.registry.merge"), key=f"merge_{adapter.id}", icon=":material/merge:", help=t("ui.registry.merge.help")
        ):
            start_merge(adapter.project_id, adapter.id)
            st.toast(t("ui.registry.merging"))
        _draw_upload(adapter)


def _draw_upload(adapter: tb.Adapter) -> None:
    """Draw the button that uploads to a hub, where the settings name an account there."""
    account = settings().hub_account
    if account is None or settings().hub_offline:
        return
    words = t("ui.registry.upload", account=plain(account))
    if st.button(words, key=f"upload_{adapter.id}", icon=":material/cloud_upload:", help=t("ui.registry.upload.help")):
        start_upload(adapter.id)
        st.rerun()


def draw_work(project: tb.Project) -> None:
    """Draw merges and uploads that go on, and the newest of each that failed or waits for something."""
    for kind in ("merge", "upload"):
        job = newest_job(project.id, kind)
        if job is not None and job.status not in ("succeeded", "cancelled", "stopped"):
            follow_job(job.id)


def _written(write: Callable[[Path], Path]) -> Callable[[], bytes]:
    """Return what a download button calls: the archive is made when somebody wants it, not at every redraw."""
    code = language()  # the archive is made in another thread, which does not know the reader's

    def content() -> bytes:
        use_language(code)
        with tempfile.TemporaryDirectory() as folder:
            return write(Path(folder) / "archive.zip").read_bytes()

    return content


def draw_import(project: tb.Project) -> None:
    """Draw the form that takes in an adapter trained elsewhere."""
    with st.expander(t("ui.registry.import"), icon=":material/upload:"), st.form("import_adapter", border=False):
        st.caption(t("ui.registry.import.text"))
        file = st.file_uploader(t("ui.registry.import.file"), type=["zip"])
        name = st.text_input(t("ui.training.name"), max_chars=120)
        style = st.selectbox(
            t("training.field.row_style"),
            [each for each in ROW_STYLES if each != "mix"],
            format_func=lambda key: t(f"training.row_style.{key}"),
        )
        if st.form_submit_button(t("ui.registry.import.start"), icon=":material/upload:") and file is not None:
            with tempfile.TemporaryDirectory() as folder:
                source = Path(folder) / "adapter.zip"
                source.write_bytes(file.getvalue())
                import_adapter(project.id, source, name or file.name, base_ref=project.base_ref, row_style=str(style))
            st.rerun()


def draw_compared_runs(project: tb.Project) -> None:
    """Draw runs beside each other: their curves, what differs in their configurations, what came of each."""
    known = {run.id: run for run in runs(project.id)}
    if len(known) < 2:
        st.caption(t("ui.registry.compare.none"))
        return
    asked = [key for key in st.query_params.get("runs", "").split(",") if key in known]
    picked = st.multiselect(
        t("ui.registry.compare.runs"),
        list(known),
        default=asked[:_MOST] or list(known)[:2],
        format_func=lambda key: f"{known[key].name} · {when(known[key].created_at)}",
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
    st.dataframe(_beside(found.outcome, names, "ui.registry.outcome"), hide_index=True)
    st.markdown(f"**{t('ui.registry.compare.differing')}**")
    if found.differing:
        st.dataframe(_beside(found.differing, names, None), hide_index=True)
    else:
        st.caption(t("ui.registry.compare.same"))


def _names(found: RunComparison) -> list[str]:
    """Return names that tell the runs apart, also where people gave the same twice."""
    names = [run.name for run in found.runs]
    return [name if names.count(name) == 1 else f"{name} ({n})" for n, name in enumerate(names, 1)]


def _beside(values: dict[str, list[Any]], names: list[str], stem: str | None) -> list[dict[str, str]]:
    return [
        {t("ui.registry.field"): t(f"{stem}.{field}") if stem else _field_name(field)}
        | {name: _shown(field, value) for name, value in zip(names, row, strict=True)}
        for field, row in values.items()
    ]


def _field_name(field: str) -> str:
    """Return a field's label where a form has one, else its name in the configuration."""
    key = f"training.field.{field.removeprefix('method.').removeprefix('objective.')}"
    return t(key) if key in catalogue("en") else field


def _shown(field: str, value: Any) -> str:
    if value is None:
        return "–"
    if field == "ended":
        return t(f"training.ended.{value}")
    if field == "seconds":
        return format_duration(float(value))
    if field == "peak_memory_bytes":
        return format_bytes(int(value))
    if isinstance(value, float):
        return format_number(value, digits=3) if abs(value) >= 0.01 else f"{value:g}"
    return format_number(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)
