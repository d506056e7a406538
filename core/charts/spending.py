"""The figure of what the money goes into: question and rules, context, answer, or the device's time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from core.charts.results import MeasuredApproach, safe
from core.charts.theme import annotate, name_rows, styled
from core.i18n import Language, format_money, format_percent, t

__all__ = ["cost_by_part"]

_SHADES = {"question": 0.35, "context": 0.65, "answer": 1.0, "device": 0.8, "whole": 0.5}
_PATTERNS = {"device": "/", "whole": "."}
"""Shades as those of tokens; what is no token has a pattern."""


def cost_by_part(approaches: Sequence[MeasuredApproach], code: Language | None = None) -> go.Figure:
    """Return the cost of 1,000 answers of every approach, stacked by what it is paid for."""
    shown = [a for a in safe(approaches) if a.cost_parts]
    labels, totals = [a.label for a in shown], [sum(a.cost_parts.values()) for a in shown]
    figure = go.Figure()
    figure.add_traces([_bar(shown, part, code) for part in _SHADES if any(a.cost_parts.get(part) for a in shown)])
    sums = zip(shown, totals, strict=True)
    beside = {"showarrow": False, "xanchor": "left", "xshift": 6}
    annotate(
        figure,
        ({"y": a.label, "x": total, "text": format_money(total, a.currency, code), **beside} for a, total in sums),
    )
    alt = [f"{a.label}: " + ", ".join(_part_texts(a, code)) for a in shown]
    styled(figure, _title(shown, code), height=150 + 40 * max(1, len(labels)), code=code, alt=alt)
    figure.update_layout(barmode="stack")
    currency = shown[0].currency if shown else "USD"
    parts = [part for part in _SHADES if any(a.cost_parts.get(part) for a in shown)]
    keyed = " · ".join(t(f"charts.cost.key.{part}", code) for part in parts)
    axis = f"{t('charts.axis.cost', code, currency=currency)}<br>{keyed}"
    figure.update_xaxes(title=axis, range=[0, max(totals, default=1) * 1.3])
    figure.update_yaxes(autorange="reversed")
    name_rows(figure, ((a.label, a.look) for a in shown))
    return figure


def _bar(shown: Sequence[MeasuredApproach], part: str, code: Language | None) -> go.Bar:
    amounts = [a.cost_parts.get(part, 0.0) for a in shown]
    marker: dict[str, Any] = {"color": [a.look.colour for a in shown], "opacity": _SHADES[part]}
    if part in _PATTERNS:
        marker["pattern"] = {"shape": _PATTERNS[part], "size": 6, "solidity": 0.25}
    return go.Bar(
        y=[a.label for a in shown],
        x=amounts,
        orientation="h",
        marker=marker,
        customdata=[format_money(amount, a.currency, code) for a, amount in zip(shown, amounts, strict=True)],
        hovertemplate=f"%{{y}}<br>{t(f'charts.cost.part.{part}', code)}: %{{customdata}}<extra></extra>",
    )


def _part_texts(approach: MeasuredApproach, code: Language | None) -> list[str]:
    return [
        f"{t(f'charts.cost.part.{part}', code)} {format_money(approach.cost_parts[part], approach.currency, code)}"
        for part in _SHADES
        if approach.cost_parts.get(part)
    ]


def _title(shown: Sequence[MeasuredApproach], code: Language | None) -> str:
    """Return what most of the dearest approach's money is paid for."""
    if not shown:
        return t("charts.cost.title.none", code)
    if all(set(a.cost_parts) == {"device"} for a in shown):
        return t("charts.cost.parts.title.device", code)
    dearest = max(shown, key=lambda a: sum(a.cost_parts.values()))
    part = max(dearest.cost_parts, key=lambda name: dearest.cost_parts[name])
    share = format_percent(dearest.cost_parts[part] / sum(dearest.cost_parts.values()), code)
    name = t(f"charts.cost.part.{part}", code)
    return t("charts.cost.parts.title", code, approach=dearest.label, share=share, part=name)
