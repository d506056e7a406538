"""What a dataset version holds, in figures: lengths, slices and languages."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from core.charts import length_chart, share_chart
from core.datasets import LANGUAGES_SEEN, PARTS, Profile, count_profile, profile_of, version
from core.i18n import format_number, format_percent, t
from core.store import tables as tb
from core.ui.parts import draw_kept
from core.ui.questions import slice_label

__all__ = ["draw_profile"]

_AT_ONCE = 20_000
"""Rows of a version from before lengths were counted that are counted without asking."""
_SLICES = 12


def draw_profile(row: tb.DatasetVersion) -> None:
    """Draw lengths, slices and languages of a version; nothing is worked out before somebody opens it."""
    with st.expander(t("ui.profile"), icon=":material/bar_chart:", on_change="rerun", key="profile") as opened:
        if not opened.open:
            return
        found = _profile(row)
        if found is None or not found.rows:
            return
        left, right = st.columns(2)
        for place, part in zip((left, right), PARTS, strict=True):
            with place:
                _draw_lengths(found, part)
        with left:
            _draw_slices(row)
        with right:
            _draw_languages(found)


def _profile(row: tb.DatasetVersion) -> Profile | None:
    """Return the stored profile; an older version is counted once, a large one when it is asked for."""
    kept = profile_of(version(row.id))
    if kept is not None:
        return kept
    if row.row_count > _AT_ONCE and not st.button(t("ui.profile.count"), icon=":material/calculate:"):
        st.caption(t("ui.profile.count.text", rows=format_number(row.row_count)))
        return None
    with st.spinner(t("ui.profile.counting")):
        return count_profile(row.id)


def _draw_lengths(found: Profile, part: str) -> None:
    middle, longest = (format_number(n) for n in (found.half_within(part), found.longest[part]))
    title = t(f"ui.profile.lengths.{part}", middle=middle, longest=longest)
    axis, rows = t(f"ui.profile.axis.{part}"), t("ui.profile.axis.rows")
    draw_kept(f"profile_{part}", length_chart, tuple(found.bars(part)), title, axis, rows)


def _draw_slices(row: tb.DatasetVersion) -> None:
    """Draw the share of each slice; the small ones of many are drawn as one."""
    counts: Counter[str] = Counter()
    for by_slice in (row.counts or {}).get("slices", {}).values():
        counts.update(by_slice)
    if len(counts) < 2:
        st.caption(t("ui.profile.no_slices"))
        return
    [(largest, most), *_] = ranked = counts.most_common()
    named = [(slice_label(name), n) for name, n in ranked[:_SLICES]]
    if rest := ranked[_SLICES:]:
        other = t("ui.profile.other_slices", n=format_number(len(rest)))
        named.append((other, sum(n for _, n in rest)))
    total = counts.total()
    title = t("ui.profile.slices", name=slice_label(largest), share=format_percent(most / total))
    draw_kept("profile_slices", share_chart, tuple(named), title, t("ui.profile.axis.share"), total)


def _draw_languages(found: Profile) -> None:
    ranked = [(name, n) for name, n in found.languages.most_common() if name in LANGUAGES_SEEN]
    [(usual, most), *_] = ranked
    title = t(f"ui.profile.languages.{usual}", share=format_percent(most / found.rows))
    named = tuple((t(f"ui.profile.language.{name}"), n) for name, n in ranked)
    draw_kept("profile_languages", share_chart, named, title, t("ui.profile.axis.share"), found.rows)
