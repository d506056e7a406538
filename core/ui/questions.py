"""The questions page's parts: browse, check, versions and export of a dataset version."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.datasets import (
    COVERAGE,
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
    examples_at,
    export_skips,
    export_text,
    latest_version,
    make_splits,
    project_versions,
    start_check,
    start_edit,
    start_repair,
    start_split,
    stored_coverage,
    tag_columns,
    version,
)
from core.evaluation import discordance_of
from core.i18n import catalogue, format_number, t
from core.knowledge import check_dataset, dataset_coverage, default_kb, documents, repair_dataset, start_coverage
from core.measures import smallest_detectable
from core.store import tables as tb
from core.ui.large_imports import (
    CHECKED_AT_ONCE,
    draw_check_job,
    draw_coverage_job,
    draw_new_version_job,
    must_wait,
)
from core.ui.licences import draw_licence
from core.ui.lineage import draw_runs_of_version
from core.ui.parts import plain, remember, section, told_apart
from core.ui.training_text import draw_training_text
from core.ui.version_history import draw_history, version_name

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
            format_func=told_apart(known, lambda key: version_name(known[key], names)),
            key=f"questions_version_{newest.id}",
        )
        for split in SPLITS:
            st.metric(t(f"ui.split.{split}"), format_number(_in_split(known[picked], split)), width="content")
    remember("version", picked if picked != newest.id else None)
    return known[picked]


def _in_split(row: tb.DatasetVersion, split: str) -> int:
    return int((row.counts or {}).get("splits", {}).get(split, 0))


def draw_browser(row: tb.DatasetVersion) -> None:
    """Draw the rows of a version with filters and pages; a chosen row is shown in full."""
    draw_new_version_job(row, "edit")
    split, slices, search, coverage = _filters(row)
    total = count_examples(row.id, split, slices, search=search, coverage=coverage)
    if not total:
        st.caption(t("ui.questions.nothing_found"))
        return
    pages = -(-total // _PAGE)
    slot = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("ui.questions.found", n=format_number(total)), width="content")
        chosen = f"{split}_{slices}_{search}_{coverage}"
        page = st.pagination(pages, key=f"questions_page_{chosen}") if pages > 1 else 1
    start = (page - 1) * _PAGE
    shown = examples(row.id, split, slices, search=search, coverage=coverage, offset=start, limit=_PAGE)
    with slot:
        picked = st.dataframe(
            [_table_row(each) for each in shown],
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            key=f"questions_table_{row.id}_{page}_{chosen}",
            column_config={"#": st.column_config.NumberColumn(width=60)},
            alt=t("ui.questions.table"),
        )
        marked = picked.selection.rows
        if marked and marked[0] < len(shown):
            _draw_row(shown[marked[0]].id)
        else:
            st.caption(t("ui.questions.select"))


def _filters(row: tb.DatasetVersion) -> tuple[str | None, list[str] | None, str | None, str | None]:
    """Draw the filters and return split, slices, text and coverage; None for those that let everything pass."""
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
        known = st.query_params.get("coverage")
        coverage = st.selectbox(
            t("ui.coverage.where"),
            ["", *COVERAGE],
            key="questions_coverage",
            width=240,
            index=COVERAGE.index(known) + 1 if known in COVERAGE else 0,
            format_func=lambda key: t(f"evaluation.coverage.{key}") if key else t("ui.all"),
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
    remember("coverage", coverage or None)
    return (None if split == "all" else split), ([slices] if slices else None), search or None, coverage or None


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
        wanted: dict[str, Any] = {
            "question": st.text_area(t("ui.questions.question"), row.question),
            "answer": st.text_area(t("ui.questions.answer"), row.answer),
        }
        wanted["value"] = st.text_input(t("ui.questions.value"), row.value or "") or None
        wanted["gold"] = _edited_gold(row)
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
        _edit(row, {} if drop else {row.position: changed}, [row.position] if drop else [])


def _edit(row: tb.Example, changes: dict[int, dict[str, Any]], drop: list[int]) -> None:
    """Change a row as a new version: at once, or by a job where all the other rows take long to write."""
    base = version(row.version_id)
    if base.row_count > CHECKED_AT_ONCE:
        start_edit(base.project_id, base.id, changes, drop=drop)
    else:
        with st.spinner(t("ui.questions.edit.saving")):
            st.query_params["version"] = edit_rows(base.id, changes, drop=drop).id
        st.toast(t("ui.questions.edit.saved"), icon=":material/check:")
    st.rerun()


def _edited_gold(row: tb.Example) -> list[dict[str, str]]:
    """Draw the passage that holds the answer, and return all such passages as they would be."""
    first = row.gold[0] if row.gold else {}
    document = st.text_input(t("ui.field.gold_document"), first.get("document", ""))
    quote = st.text_area(t("ui.field.gold_quote"), first.get("quote", ""))
    if (document, quote) == (first.get("document", ""), first.get("quote", "")):
        return list(row.gold)
    edited = {**first, "document": document.strip(), "quote": quote}
    return [*([edited] if document.strip() or quote.strip() else []), *row.gold[1:]]


def draw_checks(project: tb.Project, row: tb.DatasetVersion) -> None:
    """Draw what the checks found, and what they can repair."""
    if draw_check_job(row):
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
    for number in range(len(kept.get("findings", []))):
        _draw_finding(row, kept["findings"], number)
    if kept and not kept["findings"]:
        st.success(t("ui.checks.clean"), icon=":material/check_circle:")
    if kept:
        st.caption(t("ui.checks.names"))
    _draw_coverage(project, row)


_SEVERITY = {"error": ":red-badge", "warning": ":orange-badge", "info": ":gray-badge"}


def _draw_finding(row: tb.DatasetVersion, findings: list[dict[str, Any]], number: int) -> None:
    finding = findings[number]
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
            beyond = f" {t('ui.checks.more', n=format_number(more))}" if more > 0 else ""
            st.caption(t("ui.checks.rows", rows=numbers) + beyond)
        _draw_found_rows(finding.get("examples", []))
        if len(finding["rows"]) > len(finding.get("examples", [])):
            _draw_all_found(row, finding, number)
        if finding.get("repairable"):
            _draw_repair(row, findings, number)


def _draw_repair(row: tb.DatasetVersion, findings: list[dict[str, Any]], number: int) -> None:
    """Draw the button that repairs what a check found, one of all findings, and what it would do."""
    finding = findings[number]
    with st.container(horizontal=True, vertical_alignment="center"):
        wanted = st.button(
            t("ui.checks.repair"), f"repair_{row.id}_{number}", t("ui.checks.repair.help"), icon=":material/build:"
        )
        # what is found in several slices is repaired in all of them
        alike = [each for each in findings if (each["check"], each["code"]) == (finding["check"], finding["code"])]
        if dropped := sum(each.get("drops", 0) for each in alike):
            st.caption(t("ui.checks.repair.drops", n=format_number(dropped)), width="content")
        elif "drops" in finding:
            st.caption(t("ui.checks.repair.changes"), width="content")
    if wanted:
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


def _draw_all_found(row: tb.DatasetVersion, finding: dict[str, Any], number: int) -> None:
    """Draw every row of a finding that was kept, once somebody wants to see them."""
    kept, total = finding["rows"], int(finding["count"])
    label, key = t("ui.checks.all_rows", n=format_number(len(kept))), f"found_{row.id}_{number}"
    with st.expander(label, icon=":material/table_rows:", on_change="rerun", key=key) as opened:
        if not opened.open:
            return
        st.dataframe([_table_row(each) for each in examples_at(row.id, kept)], hide_index=True, alt=label)
        if total > len(kept):
            st.caption(t("ui.problem.first", shown=format_number(len(kept)), n=format_number(total)))


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
    if draw_coverage_job(row):
        return
    if st.button(t("ui.coverage.run"), icon=":material/join_inner:", disabled=not documents(base.id)):
        if must_wait(row):
            start_coverage(project.id, base.id, row.id)
        else:
            with st.spinner(t("ui.coverage.running")):
                dataset_coverage(base.id, row.id)
        st.rerun()


def draw_versions(project: tb.Project, row: tb.DatasetVersion) -> None:
    """Draw where a version comes from, its export, another split, and the deletion of its dataset."""
    draw_history(project, row)
    draw_runs_of_version(row)
    draw_licence(row)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch"):
        _draw_export(row)
    with right, st.container(border=True, height="stretch"):
        _draw_split(project, row)
    _draw_deletion(project, row)


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


def _draw_split(project: tb.Project, row: tb.DatasetVersion) -> None:
    st.markdown(f"**{t('ui.split.title')}**")
    if draw_new_version_job(row, "split"):
        return
    st.caption(t("ui.split.text"))
    validation = st.number_input(t("ui.split.validation_share"), 0, 80, 15)
    test = st.number_input(t("ui.split.test_share"), 0, 80, 25)
    columns = tag_columns(row.id)
    ways: list[SplitBy] = ["row", "document", "tag", "time"] if columns else ["row", "document"]
    by = st.selectbox(t("ui.split.together"), ways, format_func=lambda key: t(f"ui.split.together.{key}"))
    column = st.selectbox(t("ui.split.column"), columns, format_func=plain) if by in ("tag", "time") else ""
    tested = round(row.row_count * test / 100)
    smallest = smallest_detectable(tested, discordance_of(row.project_id)[0])
    validated = round(row.row_count * validation / 100)
    sizes = {"validation": validated, "test": tested, "train": max(0, row.row_count - validated - tested)}
    st.caption(t("ui.split.sizes", **{name: format_number(n) for name, n in sizes.items()}))
    key = "ui.split.detectable" if smallest else "ui.split.undetectable"
    st.caption(t(key, n=format_number(tested), points=format_number(round(100 * (smallest or 0)))))
    if st.button(t("ui.split.make"), key=f"split_{row.id}", icon=":material/call_split:"):
        config = SplitConfig(validation / 100, test / 100, by, column)
        if row.row_count > CHECKED_AT_ONCE:
            start_split(project.id, row.id, config)
        else:
            st.query_params["version"] = make_splits(row.id, config).id
        st.rerun()


def _draw_deletion(project: tb.Project, row: tb.DatasetVersion) -> None:
    with st.popover(t("ui.versions.delete"), icon=":material/delete:", type="tertiary"):
        name = next((each.name for each in datasets(project.id) if each.id == row.dataset_id), "")
        st.markdown(t("ui.versions.delete.text", name=plain(name)))
        # Its own key for each dataset: a click on a page that was left open must not reach another one.
        if st.button(t("ui.versions.delete.sure"), key=f"delete_dataset_{row.dataset_id}", type="primary"):
            delete_dataset(row.dataset_id)
            st.rerun()
