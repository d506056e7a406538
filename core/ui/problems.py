"""Rows of a file that cannot be taken over, or were left out: row, column, what was found, what was expected."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.datasets import Problem
from core.i18n import format_number, t

__all__ = ["draw_problem_table", "edit_bad_cells"]


def draw_problem_table(problems: Sequence[Problem], total: int, title: str) -> None:
    """Draw rows with what is wrong in them, and say so where they are only the first of more.

    Args:
        problems: The rows that are listed.
        total: How many there are in all.
        title: What they are, for readers who hear the page.
    """
    st.dataframe(
        [
            {
                t("ui.problem.row"): problem.row,
                t("ui.problem.column"): problem.column or "–",
                t("ui.problem.what"): t(f"datasets.problem.{problem.code}", column=problem.column or "–"),
                t("ui.problem.found"): problem.found,
                t("ui.problem.expected"): t(f"datasets.expected.{problem.expected}"),
            }
            for problem in problems
        ],
        hide_index=True,
        height=220,
        alt=title,
    )
    if total > len(problems):
        st.caption(t("ui.problem.first", shown=format_number(len(problems)), n=format_number(total)))


def edit_bad_cells(bad: Sequence[Problem], key: str) -> dict[str, dict[str, str]]:
    """Draw bad cells for mending and return what was written: row → column → value.

    Args:
        bad: Problems whose column is one of the file.
        key: What tells this list from others.
    """
    names = {name: t(f"ui.problem.{name}") for name in ("row", "column", "what", "found", "mended")}
    with st.expander(t("ui.import.mend", cells=len(bad)), icon=":material/edit:"):
        st.caption(t("ui.import.mend.text"))
        written = st.data_editor(
            [
                {
                    names["row"]: problem.row,
                    names["column"]: problem.column,
                    names["what"]: t(f"datasets.problem.{problem.code}", column=problem.column),
                    names["found"]: problem.found,
                    names["mended"]: "",
                }
                for problem in bad
            ],
            disabled=[name for key, name in names.items() if key != "mended"],
            hide_index=True,
            key=key,
        )
    fixes: dict[str, dict[str, str]] = {}
    for problem, cells in zip(bad, written, strict=True):
        if value := str(cells[names["mended"]] or "").strip():
            fixes.setdefault(str(problem.row), {})[problem.column] = value
    return fixes
