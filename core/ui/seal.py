"""How often the test questions were looked at, where runs are set up and read: choosing belongs to validation."""

from __future__ import annotations

import streamlit as st

from core.evaluation import Openings, openings
from core.i18n import format_number, t
from core.store import tables as tb

__all__ = ["draw_openings", "draw_split_advice", "first_split", "usual_split"]


def usual_split(version: tb.DatasetVersion, splits: list[str]) -> str:
    """Return the split that a new run begins with.

    The first run measures the approaches as they come, which is what test questions are for. After it, whoever runs
    again has mostly changed something, and that is chosen on validation where there is one.
    """
    opened = "validation" in splits and openings(version.project_id, version.id).total > 0
    return "validation" if opened else next(iter(splits), "")


def first_split(version: tb.DatasetVersion, splits: list[str]) -> str:
    """Return the split that the address names, else the usual one."""
    asked = st.query_params.get("split", "")
    return asked if asked in splits else usual_split(version, splits)


def draw_split_advice(version: tb.DatasetVersion, split: str) -> None:
    """Say what the chosen split is for, and what choosing on the test questions again would do."""
    looked = openings(version.project_id, version.id)
    if split == "test" and looked.total:
        times = format_number(looked.total)
        st.warning(t("ui.seal.again", total=times), icon=":material/lock_open:")
    elif split in ("test", "validation"):
        st.caption(f":material/lock: {t(f'ui.seal.{split}')}")


def draw_openings(project_id: str, dataset_version_id: str) -> None:
    """Draw how often the test questions were looked at, and among how many configurations one could choose."""
    looked = openings(project_id, dataset_version_id)
    if looked.total:
        st.caption(f":material/lock_open: {openings_text(looked)}")


def openings_text(looked: Openings) -> str:
    """Return the counts as sentences."""
    counts = {name: format_number(getattr(looked, name)) for name in ("total", "runs", "judgings", "again")}
    separator = t("ui.seal.separator")
    tried = separator.join(f"{t(f'approaches.preset.{name}')} {format_number(n)}" for name, n in looked.tried.items())
    sentences = [
        t("ui.seal.counts", **counts),
        t("ui.seal.tried", tried=tried or "–", trained=format_number(looked.training_runs)),
    ]
    return " ".join(sentences)
