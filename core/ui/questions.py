"""The questions page's parts: browse, check, versions and export of a dataset version."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.datasets import (
    EXPORT_FORMATS,
    SPLITS,
    SplitBy,
    SplitConfig,
    count_examples,
    datasets,
    delete_dataset,
    edit_rows,
    example,
    examples,
    export_skips,
    export_text,
    latest_version,
    licence_of,
    make_splits,
    project_versions,
    start_check,
    start_repair,
    stored_coverage,
    tag_columns,
    version,
    version_difference,
)
from core.evaluation import discordance_of
from core.i18n import catalogue, format_number, t
from core.knowledge import check_dataset, dataset_coverage, default_kb, documents, repair_dataset
from core.measures import smallest_detectable
from core.store import tables as tb
from core.ui.findings import when
from core.ui.large_imports import draw_check_job, must_wait
from core.ui.licences import draw_licence
from core.ui.lineage import draw_runs_of_version
from core.ui.parts import plain, remember, section
from core.ui.training_text import draw_training_text

__all__ = ["choose_version", "draw_browser", "draw_checks", "draw_versions", "slice_label"]

_PAGE = 25


def slice_label(name: str) -> str:
    """Return a slice's name for readers: translated where Kurabe knows it, else as the data calls it."""
    key = f"decision.slice.{name}"
    return t(key) if key in catalogue("en") else name or t("ui.questions.no_slice")


def choose_version(project: tb.Project) -> tb.DatasetVersion | None:
    """Draw the choice of the dataset version and return it; None while the project has none."""
    newest = latest_version(project.id)
    if newest is None:
        return None
    names = {dataset.id: dataset.name for dataset in datasets(project.id)}
    known = {row.id: row for row in project_versions(project.id)}
    asked = st.query_params.get("version")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            t("ui.questions.version"),
            list(known),
            index=list(known).index(asked) if asked in known else list(known).index(newest.id),
            format_func=lambda key: _version_name(known[key], names),
            key=f"questions_version_{newest.id}",
        )
        for split in SPLITS:
            st.metric(t(f"ui.split.{split}"), format_number(_in_split(known[picked], split)), width="content")
    remember("version", picked if picked != newest.id else None)
    return known[picked]


def _in_split(row: tb.DatasetVersion, split: str) -> int:
    return int((row.counts or {}).get("splits", {}).get(split, 0))


def _version_name(row: tb.DatasetVersion, names: dict[str, str]) -> str:
    name = names.get(row.dataset_id, "")
    rows = t("ui.questions.rows", n=format_number(row.row_count))
    return f"{name} · {row.hash.rpartition(':')[2][:8]} · {rows} · {when(row.created_at)}"


def draw_browser(row: tb.DatasetVersion) -> None:
    """Draw the rows of a version with filters and pages; a chosen row is shown in full."""
    split, slices, search = _filters(row)
    total = count_examples(row.id, split, slices, search=search)
    if not total:
        st.caption(t("ui.questions.nothing_found"))
        return
    pages = -(-total // _PAGE)
    slot = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("ui.questions.found", n=format_number(total)), width="content")
        page = st.pagination(pages, key=f"questions_page_{split}_{slices}_{search}") if pages > 1 else 1
    shown = examples(row.id, split, slices, search=search, offset=(page - 1) * _PAGE, limit=_PAGE)
    with slot:
        picked = st.dataframe(
            [_table_row(each) for each in shown],
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            key=f"questions_table_{row.id}_{page}_{split}_{slices}_{search}",
            column_config={"#": st.column_config.NumberColumn(width=60)},
            alt=t("ui.questions.table"),
        )
        chosen = picked.selection.rows
        if chosen and chosen[0] < len(shown):
            _draw_row(shown[chosen[0]].id)
        else:
            st.caption(t("ui.questions.select"))


def _filters(row: tb.DatasetVersion) -> tuple[str | None, list[str] | None, str | None]:
    counts = (row.counts or {}).get("slices", {})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = st.query_params.get("split")
        split = st.segmented_control(
            t("ui.questions.split"),
            ["all", *SPLITS],
            required=True,
            key="questions_split",
            default=asked if asked in SPLITS else "all",
            format_func=lambda key: t("ui.all") if key == "all" else t(f"ui.split.{key}"),
        )
        names = sorted({name for by_split in counts.values() for name in by_split})
        asked_slice = st.query_params.get("slice")
        slices = st.selectbox(
            t("ui.questions.slice"),
            ["", *names],
            key="questions_slice",
            width=240,
            index=names.index(asked_slice) + 1 if asked_slice in names else 0,
            format_func=lambda key: slice_label(key) if key else t("ui.all"),
        )
        search = st.text_input(
            t("ui.questions.search"),
            value=st.query_params.get("search", ""),
            key="questions_search",
            icon=":material/search:",
            placeholder=t("ui.questions.search.placeholder"),
            type="search",
            width=320,
        )
    remember("split", split if split != "all" else None)
    remember("slice", slices or None)
    remember("search", search or None)
    return (None if split == "all" else split), ([slices] if slices else None), search or None


def _table_row(row: tb.Example) -> dict[str, Any]:
    return {
        "#": row.position + 1,
        t("ui.questions.question"): row.question,
        t("ui.questions.answer"): row.answer,
        t("ui.questions.split"): t(f"ui.split.{row.split}"),
        t("ui.questions.slice"): slice_label(row.slice),
        t("ui.questions.coverage"): t(f"evaluation.coverage.{row.coverage}") if row.coverage else "–",
    }


def _draw_row(example_id: str) -> None:
    """Draw one row with everything it holds; its texts are shown as text."""
    row = example(example_id)
    with st.container(border=True):
        left, right = st.columns(2)
        with left:
            st.caption(t("ui.questions.question"))
            st.text(row.question)
            st.caption(t("ui.questions.answer"))
            st.text(row.answer or "–")
        with right:
            if row.value:
                st.caption(t("ui.questions.value"))
                st.text(row.value)
            for place in row.gold:
                st.caption(t("ui.questions.gold", document=plain(place.get("document") or "–")))
                st.text(place.get("quote") or "–")
            if row.expects:
                st.caption(t("ui.questions.expects"))
                st.json(row.expects, expanded=False)
            if row.tags:
                st.caption(t("ui.questions.tags"))
                st.json(row.tags, expanded=False)
        _draw_edit(row)


def _draw_edit(row: tb.Example) -> None:
    """Draw the form that changes a row or leaves it out; either makes a new version, and this one stays."""
    with st.expander(t("ui.questions.edit"), icon=":material/edit:"), st.form(f"edit_{row.id}", border=False):
        st.caption(t("ui.questions.edit.text"))
        wanted = {
            "question": st.text_area(t("ui.questions.question"), row.question),
            "answer": st.text_area(t("ui.questions.answer"), row.answer),
        }
        with st.container(horizontal=True):
            wanted["split"] = st.selectbox(
                t("ui.questions.split"), SPLITS, SPLITS.index(row.split), format_func=lambda key: t(f"ui.split.{key}")
            )
            wanted["slice"] = st.text_input(t("ui.questions.slice"), row.slice, max_chars=60)
        with st.container(horizontal=True):
            save = st.form_submit_button(t("ui.questions.edit.save"), icon=":material/save:", type="primary")
            drop = st.form_submit_button(t("ui.questions.edit.drop"), icon=":material/delete:")
    changed = {name: value for name, value in wanted.items() if value != getattr(row, name)}
    if save and not wanted["question"].strip():
        st.error(t("ui.questions.edit.empty"))
    elif drop or (save and changed):
        with st.spinner(t("ui.questions.edit.saving")):
            changes = {} if drop else {row.position: changed}
            made = edit_rows(row.version_id, changes, drop=[row.position] if drop else [])
        st.query_params["version"] = made.id
        st.toast(t("ui.questions.edit.saved"), icon=":material/check:")
        st.rerun()


def draw_checks(project: tb.Project, row: tb.DatasetVersion) -> None:
    """Draw what the checks found, and what they can repair."""
    if draw_check_job(project, row):
        return
    before = version(row.id).checks or {}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        length = st.number_input(
            t("ui.checks.max_length"),
            min_value=16,
            max_value=131_072,
            value=int(before.get("max_length") or 1024),
            step=64,
            key=f"check_length_{row.id}",
            help=t("ui.checks.max_length.help"),
            width=240,
        )
        if st.button(t("ui.checks.run"), key=f"check_{row.id}", icon=":material/fact_check:", type="primary"):
            if must_wait(row):
                start_check(project.id, row.id, int(length))
            else:
                with st.spinner(t("ui.checks.running")):
                    check_dataset(row.id, max_length=int(length))
            st.rerun()
        kept = version(row.id).checks or {}
        st.caption(t("ui.checks.at", time=kept["at"][:16].replace("T", " ")) if kept else t("ui.checks.never"))
    for number, finding in enumerate(kept.get("findings", [])):
        _draw_finding(row, finding, number)
    if kept and not kept["findings"]:
        st.success(t("ui.checks.clean"), icon=":material/check_circle:")
    if kept:
        st.caption(t("ui.checks.names"))
    _draw_coverage(project, row)


_SEVERITY = {"error": ":red-badge", "warning": ":orange-badge", "info": ":gray-badge"}


def _draw_finding(row: tb.DatasetVersion, finding: dict[str, Any], number: int) -> None:
    stem = f"datasets.finding.{finding['check']}.{finding['code']}"
    params = {name: plain(value) if isinstance(value, str) else value for name, value in finding["params"].items()}
    with st.container(border=True):
        badge = f"{_SEVERITY[finding['severity']]}[{t('ui.severity.' + finding['severity'])}]"
        st.markdown(f"{badge} **{t(stem, **params)}**")
        st.caption(t(f"{stem}.why", **params))
        rows = finding["rows"][:12]
        if rows:
            numbers = ", ".join(format_number(place + 1) for place in rows)
            more = finding["count"] - len(rows)
            st.caption(
                t("ui.checks.rows", rows=numbers) + (t("ui.checks.more", n=format_number(more)) if more > 0 else "")
            )
        _draw_found_rows(finding.get("examples", []))
        if finding.get("repairable") and st.button(
            t("ui.checks.repair"), f"repair_{row.id}_{number}", t("ui.checks.repair.help"), icon=":material/build:"
        ):
            _repair(row, finding)


def _repair(row: tb.DatasetVersion, finding: dict[str, Any]) -> None:
    """Repair what a check found: at once, or by a job where the page would have to wait."""
    if must_wait(row):
        start_repair(row.project_id, row.id, finding["check"], finding["code"])
    else:
        with st.spinner(t("ui.checks.repairing")):
            st.query_params["version"] = repair_dataset(row.id, finding["check"], finding["code"]).id
        st.toast(t("ui.questions.edit.saved"), icon=":material/check:")
    st.rerun()


def _draw_found_rows(found: list[dict[str, Any]]) -> None:
    """Draw the first rows of a finding: what they say is shown as text."""
    if not found:
        return
    shown = [
        {
            "#": each["position"] + 1,
            t("ui.questions.question"): each["question"],
            t("ui.questions.answer"): each["answer"],
        }
        for each in found
    ]
    st.dataframe(
        shown,
        hide_index=True,
        column_config={"#": st.column_config.NumberColumn(width=60)},
        alt=t("ui.checks.examples"),
    )


def _draw_coverage(project: tb.Project, row: tb.DatasetVersion) -> None:
    section(t("ui.coverage.title"), t("ui.coverage.text"))
    counts = {name: n for name, n in stored_coverage(row.id).items() if name}
    if counts:
        st.dataframe(
            [
                {t("ui.coverage.where"): t(f"evaluation.coverage.{name}"), t("ui.coverage.questions"): n}
                for name, n in counts.items()
            ],
            hide_index=True,
            width=420,
            alt=t("ui.coverage.title"),
        )
        draw_training_text(project, row)
    else:
        st.caption(t("ui.coverage.none"))
    base = default_kb(project.id)
    if st.button(t("ui.coverage.run"), icon=":material/join_inner:", disabled=not documents(base.id)):
        with st.spinner(t("ui.coverage.running")):
            dataset_coverage(base.id, row.id)
        st.rerun()


def draw_versions(project: tb.Project, row: tb.DatasetVersion) -> None:
    """Draw where a version comes from, its export, another split, and the deletion of its dataset."""
    known = {each.id: each for each in project_versions(project.id)}
    st.dataframe(
        [_lineage_row(each, known) for each in known.values()],
        hide_index=True,
        alt=t("ui.versions.table"),
    )
    draw_runs_of_version(row)
    draw_licence(row)
    _draw_difference(row)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch"):
        _draw_export(row)
    with right, st.container(border=True, height="stretch"):
        _draw_split(row)
    _draw_deletion(project, row)


def _lineage_row(row: tb.DatasetVersion, known: dict[str, tb.DatasetVersion]) -> dict[str, Any]:
    lineage = row.lineage or {}
    parent = known.get(str(lineage.get("parent")))
    files = [file["name"] for file in lineage.get("files", [])]
    left_out = sum(int(file.get("left_out_count", 0)) for file in lineage.get("files", []))
    return {
        t("ui.versions.hash"): row.hash.rpartition(":")[2][:8],
        t("ui.versions.rows"): row.row_count,
        t("ui.versions.how"): _how_made(lineage),
        t("ui.versions.from"): ", ".join(files) or (parent.hash.rpartition(":")[2][:8] if parent else "–"),
        t("ui.versions.left_out"): left_out,
        t("ui.licence"): licence_of(row) or t("ui.licence.unknown"),
        t("ui.versions.made"): when(row.created_at),
        t("ui.versions.by"): row.created_by,
    }


def _how_made(lineage: dict[str, Any]) -> str:
    """Return what made a version; a repair says what had been found."""
    if found := lineage.get("repair"):
        stem = f"datasets.finding.{found['check']}.{found['code']}"
        return t("ui.versions.operation.repair", finding=t(stem, **found["params"]))
    return t(f"ui.versions.operation.{lineage.get('operation', 'import')}")


def _draw_difference(row: tb.DatasetVersion) -> None:
    parent = (row.lineage or {}).get("parent")
    if not parent:
        return
    with st.expander(t("ui.versions.difference"), icon=":material/difference:", on_change="rerun") as opened:
        if opened.open:
            for kind, rows in version_difference(str(parent), row.id).items():
                st.markdown(f"**{t(f'ui.versions.{kind}', n=len(rows))}**")
                if rows:
                    shown = [
                        {t("ui.questions.question"): each["question"], t("ui.questions.answer"): each["answer"]}
                        for each in rows
                    ]
                    st.dataframe(shown, hide_index=True, alt=t(f"ui.versions.{kind}", n=len(rows)))


@st.cache_data(max_entries=64, show_spinner=False)
def _skipped(version_id: str, kind: str, split: str | None) -> int:
    """Count once what a format cannot hold: a version never changes, and this reads all its rows."""
    return export_skips(version_id, kind, split)


def _draw_export(row: tb.DatasetVersion) -> None:
    st.markdown(f"**{t('ui.export.title')}**")
    kind = st.selectbox(t("ui.export.format"), EXPORT_FORMATS, format_func=lambda key: t(f"ui.export.{key}"))
    split = st.selectbox(
        t("ui.questions.split"),
        ["all", *SPLITS],
        key="export_split",
        format_func=lambda key: t("ui.all") if key == "all" else t(f"ui.split.{key}"),
    )
    wanted = None if split == "all" else split
    if skipped := _skipped(row.id, kind, wanted):
        st.caption(t("ui.export.skipped", rows=skipped))
    st.download_button(
        t("ui.export.download"),
        lambda: export_text(row.id, kind, wanted),
        icon=":material/download:",
        file_name=f"kurabe-{row.hash.rpartition(':')[2][:8]}.{kind if kind in ('csv', 'parquet') else 'jsonl'}",
        on_click="ignore",
    )


def _draw_split(row: tb.DatasetVersion) -> None:
    st.markdown(f"**{t('ui.split.title')}**")
    st.caption(t("ui.split.text"))
    validation = st.number_input(t("ui.split.validation_share"), 0, 80, 15)
    test = st.number_input(t("ui.split.test_share"), 0, 80, 25)
    columns = tag_columns(row.id)
    ways: list[SplitBy] = ["row", "document", "tag", "time"] if columns else ["row", "document"]
    by = st.selectbox(t("ui.split.together"), ways, format_func=lambda key: t(f"ui.split.together.{key}"))
    column = st.selectbox(t("ui.split.column"), columns, format_func=plain) if by in ("tag", "time") else ""
    tested = round(row.row_count * test / 100)
    smallest = smallest_detectable(tested, discordance_of(row.project_id)[0])
    key = "ui.split.detectable" if smallest else "ui.split.undetectable"
    st.caption(t(key, n=format_number(tested), points=format_number(round(100 * (smallest or 0)))))
    if st.button(t("ui.split.make"), key=f"split_{row.id}", icon=":material/call_split:"):
        make_splits(row.id, SplitConfig(validation / 100, test / 100, by, column))
        st.rerun()


def _draw_deletion(project: tb.Project, row: tb.DatasetVersion) -> None:
    with st.popover(t("ui.versions.delete"), icon=":material/delete:", type="tertiary"):
        name = next((each.name for each in datasets(project.id) if each.id == row.dataset_id), "")
        st.markdown(t("ui.versions.delete.text", name=plain(name)))
        # Its own key for each dataset: a click on a page that was left open must not reach another one.
        if st.button(t("ui.versions.delete.sure"), key=f"delete_dataset_{row.dataset_id}", type="primary"):
            delete_dataset(row.dataset_id)
            st.rerun()
