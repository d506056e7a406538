"""One fixed colour and marker per approach, and the look that all figures share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import plotly.graph_objects as go

from core.i18n import Language, language

__all__ = ["LOOKS", "Look", "alt_of", "annotate", "look", "plain", "styled"]


@dataclass(frozen=True, slots=True)
class Look:
    """How one approach is drawn, everywhere."""

    colour: str
    """Hex; from Okabe and Ito's palette where it has room, so that it survives colour blindness and grey print."""
    symbol: str
    """Plotly marker symbol: colour never carries the meaning alone."""
    hatched: bool = False
    """Drawn as a hatched outline: a ceiling, never ranked."""


LOOKS: dict[str, Look] = {
    "base": Look("#6B7280", "circle-open"),
    "few_shot": Look("#56B4E9", "triangle-up"),
    "many_shot": Look("#56B4E9", "triangle-up-open"),
    "rag": Look("#0072B2", "square"),
    "fine_tuned": Look("#E69F00", "diamond"),
    "fine_tuned_rag": Look("#009E73", "cross"),
    "raft": Look("#CC79A7", "triangle-down"),
    "whole_context": Look("#9467BD", "star"),
    "endpoint": Look("#7C5C3E", "hexagon"),
    "oracle_context": Look("#7B8494", "circle-open-dot", hatched=True),
}
"""By preset."""

_OTHER = Look("#7C5C3E", "hexagon")

FONTS = {
    "en": "'Noto Sans JP', 'Hiragino Sans', 'Yu Gothic UI', sans-serif",
    "ja": "'Noto Sans JP', 'Hiragino Sans', 'Yu Gothic UI', sans-serif",
}


def look(preset: str) -> Look:
    """Return how a preset is drawn; approaches that a team made itself look like a service."""
    return LOOKS.get(preset, _OTHER)


def plain(text: str) -> str:
    """Return text so that Plotly shows it as it is: its labels understand tags, and names come from people."""
    return escape(text, quote=False)


def alt_of(figure: go.Figure) -> str:
    """Return what a reader who does not see the figure is told: its finding and its values."""
    return str((figure.layout.meta or {}).get("alt", ""))


def styled(
    figure: go.Figure, title: str, *, height: int, code: Language | None = None, alt: Sequence[str] = ()
) -> go.Figure:
    """Give a figure its title (the finding), fonts and quiet grid; colours of text and ground come from the page.

    Args:
        figure: what is drawn.
        title: the finding.
        height: pixels.
        code: language of the words; the reader's by default.
        alt: the values in words, for `alt_of`.
    """
    axis = {"gridcolor": "rgba(128,128,128,0.25)", "zeroline": False, "automargin": True, "tickfont": {"size": 13}}
    figure.update_layout(
        meta={"alt": ". ".join([title.rstrip("."), *alt])},
        title={"text": title, "x": 0, "xanchor": "left", "font": {"size": 16}},
        font={"family": FONTS[code or language()], "size": 13},
        height=height,
        margin={"l": 8, "r": 16, "t": 56, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        bargap=0.35,
        hoverlabel={"align": "left"},
        xaxis={"showgrid": True, **axis},
        yaxis={"showgrid": False, **axis},
    )
    return figure


def annotate(figure: go.Figure, notes: Iterable[Mapping[str, Any]]) -> None:
    """Write all of a figure's notes at once: Plotly checks those that are there again with each one that is added."""
    figure.layout.annotations = [dict(note) for note in notes]
