"""The figure of which category was named where another was right."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.charts.theme import plain, styled
from core.i18n import Language, format_number, t

__all__ = ["confusion_chart"]


def confusion_chart(
    title: str,
    expected: Sequence[str],
    given: Sequence[str],
    counts: Sequence[Sequence[int]],
    code: Language | None = None,
) -> go.Figure:
    """Return a map with one row for each right category and one column for each named one; right ones on the diagonal.

    Args:
        title: What the figure shows.
        expected: Right categories.
        given: Named categories; "" stands for none or several.
        counts: Answers, shape ``(expected, given)``.
        code: Language of the words; the reader's by default.
    """
    none = t("charts.confusion.none", code)
    rows, columns = [plain(name) for name in expected], [plain(name) or none for name in given]
    most = max((max(row) for row in counts), default=1) or 1
    # right answers count up in blue, mistakes in orange: the colour says at once which is which
    signed = [
        [count if row == column else -count for column, count in zip(given, line, strict=True)]
        for row, line in zip(expected, counts, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            x=columns,
            y=rows,
            z=signed,
            colorscale=[[0, "#E39A4C"], [0.5, "#F4F5F7"], [1, "#6FA8D0"]],
            zmin=-most,
            zmax=most,
            xgap=2,
            ygap=2,
            showscale=False,
            hoverinfo="skip",
            # an annotation for each cell would take minutes with dozens of categories
            text=[[format_number(count, code) if count else "·" for count in line] for line in counts],
            texttemplate="%{text}",
            textfont={"size": 12, "color": "#1B2430"},
        )
    )
    alt = [
        f"{row} → {column}: {count}"
        for row, line in zip(rows, counts, strict=True)
        for column, count in zip(columns, line, strict=True)
        if count
    ]
    styled(figure, plain(title), height=min(1200, 170 + 34 * len(rows)), code=code, alt=alt)
    figure.update_xaxes(title=t("charts.confusion.given", code), showgrid=False, type="category")
    figure.update_yaxes(
        title=t("charts.confusion.expected", code), showgrid=False, autorange="reversed", type="category"
    )
    return figure
