"""What the rows say: how many can be used, and what is missing beside them."""

from __future__ import annotations

from typing import Any

from core.training.findings import Finding, Level
from core.training.rows import PreparedRows

__all__ = ["padding_findings", "row_findings"]

_MUCH_PADDING = 0.2
"""Share of padding from which packing rows could be worth it; below, the order of rows leaves too little to gain."""


def row_findings(rows: PreparedRows, counts: dict[str, Any], limit: int) -> list[Finding]:
    """Say what is left out, added or missing.

    Args:
        rows: the rows, or a sample of them.
        counts: theirs, scaled up where they are a sample.
        limit: most tokens that a row may have.
    """
    found = []
    if rows.share < 1:
        found.append(Finding("go", "sampled", {"rows": rows.rows_in, "total": counts["rows_in"]}))
    if without := counts["without_pair"]:
        found.append(Finding("go", "without_pair", {"rows": without, "pairs": counts["trained"]}))
    if unusable := counts["listed"] - without:
        share = unusable / (counts["rows_in"] - without)
        level: Level = "risky" if share > 0.02 else "go"
        found.append(Finding(level, "rows_left_out", {"rows": unusable, "percent": round(100 * share, 1)}))
    if too_long := [row.params["tokens"] for row in rows.listed if row.code == "too_long"]:
        told = {"rows": round(len(too_long) / rows.share), "limit": limit, "longest": max(too_long)}
        found.append(Finding("go", "rows_too_long", told))
    if counts["trained"] < 20:
        found.append(Finding("risky", "few_rows", {"rows": counts["trained"]}))
    if not rows.validation:
        found.append(Finding("risky", "no_validation", {}))
    if counts["kept_plain"]:
        found.append(Finding("go", "kept_plain", {"rows": counts["kept_plain"]}))
    if counts["passages_dropped"]:
        found.append(Finding("go", "passages_dropped", {"passages": counts["passages_dropped"]}))
    return found


def padding_findings(share: float) -> list[Finding]:
    """Say where rows differ so much in length that padding costs noticeably."""
    return [Finding("go", "padding", {"percent": round(100 * share)})] if share > _MUCH_PADDING else []
