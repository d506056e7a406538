"""The project's approaches as one list, and the editor in which one is made or changed; see `core.approaches`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from core.approaches import (
    CONTEXTS,
    PRESETS,
    ApproachSpec,
    ProjectSources,
    archive_approach,
    archived_approaches,
    change_approach,
    draft,
    ensure_presets,
    free_name,
    get_approach,
    label_of,
    make_approach,
    restore_approach,
    spec_of_row,
    trouble,
    variant_of,
    versions,
)
from core.errors import KurabeError
from core.i18n import describe, t
from core.models import adapters
from core.store import tables as tb
from core.ui.approach_form import draw_form
from core.ui.approach_preview import draw_preview
from core.ui.findings import base_name, when
from core.ui.parts import draw_approach, error_text, plain, remember, section

__all__ = ["draw_approaches"]

_NEW, _COPY = "new-", "copy-"
"""Beginnings of the address's `approach` for one that is not stored yet: of a kind, or as another one is."""


def draw_approaches(project: tb.Project) -> None:
    """Draw the list of the project's approaches, or the editor of the one that the address names."""
    asked = st.query_params.get("approach")
    if asked:
        _draw_editor(project, asked)
        return
    section(t("ui.approaches.title"), t("ui.approaches.text"))
    _draw_new()
    sources = ProjectSources(project.id)
    names = {row.id: row.name for row in adapters(project.id, deleted=True)}
    with st.grid(2, min_column_width=420):
        for row in ensure_presets(project.id):
            with st.container(border=True, height="stretch"):
                _draw_row(row, sources, names)
    _draw_archive(project)


def _draw_new() -> None:
    """Draw the choice of a kind and the button that opens the editor for it."""
    with st.container(border=True):
        kind = st.selectbox(
            t("ui.approaches.new.kind"),
            list(PRESETS),
            index=list(PRESETS).index("endpoint"),
            format_func=lambda preset: t(f"approaches.preset.{preset}"),
            key="approach_new_kind",
        )
        st.caption(t(f"approaches.preset.{kind}.help"))
        if st.button(t("ui.approaches.new"), type="primary", icon=":material/add:", key="approach_new"):
            _open(f"{_NEW}{kind}")


def _open(asked: str | None) -> None:
    remember("approach", asked)
    st.rerun()


def _draw_row(row: tb.Approach, sources: ProjectSources, adapter_names: dict[str, str]) -> None:
    """Draw one approach: what answers, what it reads, how it is asked, whether it can."""
    spec = spec_of_row(row)
    draw_approach(
        row.preset, label_of(row), t("ui.approaches.version", n=row.version), variant=variant_of(row.project_id, row.id)
    )
    st.caption(
        "  \n".join(
            (
                t("ui.approaches.row.model", model=plain(model_name(spec, adapter_names))),
                t("ui.approaches.row.context", context=context_text(spec)),
                t("ui.approaches.row.prompt", prompt=plain(_prompt_text(spec)) or "–"),
            )
        )
    )
    if reason := trouble(spec, sources):
        message, hint = describe(KurabeError.from_record(reason))
        st.markdown(f":orange[:material/block:] {plain(message)} {plain(hint)}")
    elif spec.managed:
        st.caption(f":material/autorenew: {t('ui.approaches.managed')}")
    st.space("stretch")
    with st.container(horizontal=True):
        if st.button(t("ui.approaches.edit"), key=f"edit-{row.id}", icon=":material/edit:"):
            _open(row.id)
        if st.button(t("ui.approaches.copy"), key=f"copy-{row.id}", icon=":material/content_copy:", type="tertiary"):
            _open(f"{_COPY}{row.id}")
        if st.button(
            t("ui.approaches.archive"), key=f"archive-{row.id}", icon=":material/archive:", type="tertiary",
            help=t("ui.approaches.archive.help"),
        ):  # fmt: skip
            archive_approach(row.id)
            st.toast(t("ui.approaches.archived", name=plain(label_of(row))), icon=":material/archive:")
            st.rerun()


def model_name(spec: ApproachSpec, adapter_names: dict[str, str]) -> str:
    """Return what answers, for readers: a base's name, an adapter's, or a model and its address."""
    model = spec.model
    if model.kind == "endpoint":
        return f"{model.ref} @ {model.url}"
    if model.kind == "base":
        return base_name(model.ref)
    return f"{adapter_names.get(model.ref, model.ref)} ({t(f'ui.approaches.model.{model.kind}')})"


def context_text(spec: ApproachSpec) -> str:
    """Return what stands beside the question, with the fields that differ from the usual."""
    name = str(spec.context["name"])
    fields = {key: value for key, value in spec.context.items() if key != "name"}
    labels = {key: t(f"approaches.field.{name}.{key}") for key in fields}
    with suppress(KurabeError):
        known = CONTEXTS.get(name).__dataclass_fields__
        labels = {key: t(known[key].metadata["label"]) for key in fields if key in known}
    more = ", ".join(f"{label} {fields[key]}" for key, label in labels.items())
    return plain(t(f"approaches.context.{name}") + (f" ({more})" if more else ""))


def _prompt_text(spec: ApproachSpec) -> str:
    text = " ".join(f"{spec.prompt.instructions} {spec.prompt.house_rules} {spec.prompt.style}".split())
    return text if len(text) <= 110 else f"{text[:109]}…"


def _draw_archive(project: tb.Project) -> None:
    away = archived_approaches(project.id)
    if not away:
        return
    with st.expander(t("ui.approaches.archive.title"), icon=":material/archive:"):
        for row in away:
            with st.container(horizontal=True, vertical_alignment="center"):
                draw_approach(
                    row.preset,
                    label_of(row),
                    t("ui.approaches.version", n=row.version),
                    variant=variant_of(row.project_id, row.id),
                )
                if st.button(t("ui.approaches.restore"), key=f"restore-{row.id}", icon=":material/unarchive:"):
                    restore_approach(row.id)
                    st.rerun()


def _draw_editor(project: tb.Project, asked: str) -> None:
    """Draw the editor of a stored approach, of a copy, or of a new one of a kind."""
    if st.button(t("ui.approaches.back"), icon=":material/arrow_back:", type="tertiary", key="approach_back"):
        _open(None)
    stored, start = _start(project, asked)
    section(label_of(stored) if stored else t("ui.approaches.new"))
    if stored is not None and stored.retired_at is not None:
        st.warning(t("ui.approaches.old"), icon=":material/history:")
    elif start.managed:
        st.info(t("ui.approaches.managed.text"), icon=":material/autorenew:")
    elif stored is not None:
        st.caption(t("ui.approaches.edit.text", n=stored.version))
    left, right = st.columns((3, 2), gap="large")
    with left:
        spec = draw_form(project, start, f"approach_{asked}")
        _draw_save(project, stored, spec)
    with right:
        if spec is not None:
            draw_preview(project, spec)
        if stored is not None:
            _draw_versions(versions(stored))


def _start(project: tb.Project, asked: str) -> tuple[tb.Approach | None, ApproachSpec]:
    """What the editor shows at first, with the stored approach that it changes.

    Raises:
        KurabeError: `store.missing` for an address that names none of the project's.
    """
    kind = asked.removeprefix(_NEW)
    if asked.startswith(_NEW) and kind in PRESETS:
        return None, draft(project.id, kind)
    row = get_approach(asked.removeprefix(_COPY))
    if row.project_id != project.id:
        raise KurabeError("store.missing", kind="approach", id=asked)
    spec = spec_of_row(row)
    if not asked.startswith(_COPY):
        return row, spec
    name = free_name(project.id, label_of(row))
    return None, spec.model_copy(update={"name": name, "names": {}, "managed": False, "archived": False})


def _draw_save(project: tb.Project, stored: tb.Approach | None, spec: ApproachSpec | None) -> None:
    """Draw the button that stores what was entered; what cannot be stored is said, and stays entered."""
    label = "ui.approaches.save" if stored else "ui.approaches.make"
    gone = stored is not None and stored.retired_at is not None
    if not st.button(
        t(label), type="primary", icon=":material/save:", key="approach_save", disabled=spec is None or gone
    ):
        return
    assert spec is not None, "the button is disabled without one"
    try:
        row = change_approach(stored.id, spec) if stored else make_approach(project.id, spec)
    except KurabeError as error:
        st.error(error_text(*describe(error)))
        return
    same = stored is not None and stored.id == row.id
    st.toast(
        t("ui.approaches.unchanged" if same else "ui.approaches.saved", name=plain(label_of(row)), n=row.version),
        icon=":material/check:",
    )
    _open(None)


def _draw_versions(rows: Sequence[tb.Approach]) -> None:
    """Draw every version with its whole specification: answers keep the one that gave them."""
    with st.expander(t("ui.approaches.versions"), icon=":material/history:"):
        for row in rows:
            state = (
                "" if row.retired_at is None else f" · {t('ui.approaches.version.until', when=when(row.retired_at))}"
            )
            st.markdown(f"**{t('ui.approaches.version', n=row.version)}** · {when(row.created_at)}{state}")
            st.json(row.spec, expanded=False)
