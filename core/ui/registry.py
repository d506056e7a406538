"""The training page's parts about what was trained: beside each other, again, out of the house and into it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from core.errors import KurabeError
from core.i18n import describe, format_number, language, t, use_language
from core.models import bases_here
from core.settings import settings
from core.store import tables as tb
from core.training import (
    ROW_STYLES,
    RunView,
    archive_run,
    delete_run,
    demote_run,
    export_adapter,
    export_kit,
    import_adapter,
    lineage,
    model_card,
    note_run,
    promote_run,
    rename_run,
    reproduce,
    start_merge,
    start_upload,
    unarchive_run,
)
from core.ui.approaches import approach_label
from core.ui.findings import base_name
from core.ui.jobs import follow_job, newest_job
from core.ui.parts import error_text, open_view, plain

__all__ = ["draw_about", "draw_import", "draw_keeping", "draw_taking", "draw_work"]


def draw_about(run: RunView) -> None:
    """Draw what people decided about a run and their note; name and note are edited here."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.promoted_for is not None:
            st.badge(t(f"ui.registry.promoted.{run.promoted_for}"), icon=":material/verified:", color="green")
        if run.archived:
            st.badge(t("ui.registry.archived"), icon=":material/archive:", color="gray")
        with st.popover(t("ui.registry.edit"), icon=":material/edit_note:", type="tertiary"):
            _draw_edit(run)
    if run.note:
        st.text(run.note)


def _draw_edit(run: RunView) -> None:
    with st.form(f"about_{run.id}", border=False):
        name = st.text_input(t("ui.training.name"), run.name, max_chars=200)
        note = st.text_area(
            t("ui.registry.note"), run.note, max_chars=4000, placeholder=t("ui.registry.note.placeholder")
        )
        if st.form_submit_button(t("ui.registry.edit.save"), icon=":material/save:"):
            if name.strip() != run.name:
                rename_run(run.id, name)
            if note.strip() != run.note:
                note_run(run.id, note)
            st.rerun()


def _draw_standing(run: RunView) -> None:
    """Draw the presses that promote a run or put it away."""
    if run.promoted_for is not None:
        if st.button(t("ui.registry.demote"), icon=":material/undo:", help=t("ui.registry.demote.help")):
            demote_run(run.id)
            st.rerun()
    elif run.adapter_id is not None and st.button(
        t("ui.registry.promote"), icon=":material/verified:", help=t("ui.registry.promote.help")
    ):
        promote_run(run.id)
        st.rerun()
    if run.archived:
        if st.button(t("ui.registry.unarchive"), icon=":material/unarchive:"):
            unarchive_run(run.id)
            st.rerun()
    elif st.button(t("ui.registry.archive"), icon=":material/archive:", help=t("ui.registry.archive.help")):
        archive_run(run.id)
        st.rerun()


def draw_keeping(run: RunView) -> None:
    """Draw what can be done with a run that ended: promote, put away, train again, take elsewhere, delete."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _draw_standing(run)
        if st.button(t("ui.registry.again"), icon=":material/replay:", help=t("ui.registry.again.help")):
            open_view("training", "runs", run=reproduce(run.id).id)
        st.download_button(
            t("ui.registry.kit"),
            _written(lambda target: export_kit(run.id, target)),
            file_name=f"kurabe-run-{run.id[:8]}.zip",
            icon=":material/luggage:",
            help=t("ui.registry.kit.help"),
            on_click="ignore",
        )
        with st.popover(t("ui.registry.delete"), icon=":material/delete:", type="tertiary"):
            held = lineage(run.id)
            names = ", ".join(map(plain, dict.fromkeys(map(approach_label, held.approaches)))) or "–"
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
    try:
        card = model_card(adapter.id)
    except KurabeError as error:  # its files are gone: the others are still to be seen, and this one to be deleted
        st.error(error_text(*describe(error)), icon=":material/error:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            t("ui.registry.export"),
            _written(lambda target: export_adapter(adapter.id, target)),
            file_name=f"kurabe-{adapter.id[:8]}.zip",
            icon=":material/download:",
            key=f"export_{adapter.id}",
            help=t("ui.registry.export.help"),
            on_click="ignore",
        )
        with st.popover(t("ui.registry.card"), icon=":material/badge:"):
            st.code(card, language="markdown", wrap_lines=True)
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
    """Return what a download button calls: the archive is made when somebody wants it, not at every redraw.

    The button must not run the page again (``on_click="ignore"``): that would take the call back before it is made.
    """
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
        refs = list(dict.fromkeys([project.base_ref, *(base.ref for base in bases_here())]))
        base = st.selectbox(t("training.setting.base_ref"), refs, format_func=base_name, accept_new_options=True)
        style = st.selectbox(
            t("training.field.row_style"),
            [each for each in ROW_STYLES if each != "mix"],
            format_func=lambda key: t(f"training.row_style.{key}"),
        )
        other = st.checkbox(t("ui.registry.import.other_base"), help=t("ui.registry.import.other_base.help"))
        if st.form_submit_button(t("ui.registry.import.start"), icon=":material/upload:") and file is not None:
            with tempfile.TemporaryDirectory() as folder:
                source = Path(folder) / "adapter.zip"
                source.write_bytes(file.getvalue())
                import_adapter(
                    project.id,
                    source,
                    name or file.name,
                    base_ref=base or project.base_ref,
                    row_style=str(style),
                    other_base=other,
                )
            st.rerun()
