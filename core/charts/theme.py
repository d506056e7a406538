"""One fixed colour and marker per kind of approach, shades of it for further ones, and the look all figures share.

Approaches of one kind are told apart by shade, then by marker, then by a number at the marker; the names in a figure
differ in any case. Bars have no marker: theirs stands before the name of their row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import plotly.graph_objects as go

from core.i18n import Language, language

__all__ = [
    "LOOKS",
    "VARIANTS",
    "Look",
    "alt_of",
    "annotate",
    "distinct",
    "look",
    "name_rows",
    "plain",
    "row_name",
    "styled",
]


@dataclass(frozen=True, slots=True)
class Look:
    """How one approach is drawn, everywhere."""

    colour: str
    """Hex; from Okabe and Ito's palette where it has room, so that it survives colour blindness and grey print."""
    symbol: str
    """Plotly marker symbol: colour never carries the meaning alone."""
    hatched: bool = False
    """Drawn as a hatched outline: a ceiling, never ranked."""
    number: int = 1
    """1 for all that colour and symbol tell apart; the next of a kind share both with one of them and are a 2 …"""

    @property
    def mark(self) -> str:
        """The symbol as characters, for text; with the number where the symbol alone is not enough."""
        return f"{_CHARACTERS[self.symbol]}{self.number if self.number > 1 else ''}"


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

FONTS = {
    "en": "'Noto Sans JP', 'Hiragino Sans', 'Yu Gothic UI', sans-serif",
    "ja": "'Noto Sans JP', 'Hiragino Sans', 'Yu Gothic UI', sans-serif",
}


_SYMBOLS: dict[str, tuple[str, ...]] = {
    "base": ("circle-open", "circle", "circle-dot"),
    "few_shot": ("triangle-up", "triangle-up-dot", "triangle-right"),
    "many_shot": ("triangle-up-open", "triangle-up-open-dot", "triangle-right-open"),
    "rag": ("square", "square-open", "square-dot"),
    "fine_tuned": ("diamond", "diamond-open", "diamond-dot"),
    "fine_tuned_rag": ("cross", "cross-open", "x"),
    "raft": ("triangle-down", "triangle-down-open", "triangle-down-dot"),
    "whole_context": ("star", "star-open", "star-dot"),
    "endpoint": ("hexagon", "hexagon-open", "hexagon-dot"),
    "oracle_context": ("circle-open-dot", "circle-x-open", "circle-cross-open"),
}
"""Markers of the first, second and third approach of a preset: one family, so that its kind is still seen."""

_CHARACTERS = {
    "circle-open": "○",
    "circle": "●",
    "circle-dot": "◉",
    "triangle-up": "▲",
    "triangle-up-dot": "◭",
    "triangle-right": "▶",
    "triangle-up-open": "△",
    "triangle-up-open-dot": "◬",
    "triangle-right-open": "▷",
    "square": "■",
    "square-open": "□",
    "square-dot": "▣",
    "diamond": "◆",
    "diamond-open": "◇",
    "diamond-dot": "◈",
    "cross": "✚",
    "cross-open": "✛",
    "x": "✖",
    "triangle-down": "▼",
    "triangle-down-open": "▽",
    "triangle-down-dot": "⧨",
    "star": "★",
    "star-open": "☆",
    "star-dot": "✪",
    "hexagon": "⬢",
    "hexagon-open": "⬡",
    "hexagon-dot": "⏣",
    "circle-open-dot": "◎",
    "circle-x-open": "⊗",
    "circle-cross-open": "⊕",
}
"""Plotly's marker symbols as characters."""

_SHADES = 6
"""Shades of one colour that eyes tell apart: as many approaches as are ever compared side by side."""

_MARKERS = 3
"""Markers of one kind."""

VARIANTS = _SHADES * _MARKERS
"""Approaches of one preset that colour and symbol tell apart."""

_DARKEST, _LIGHTEST = 0.07, 0.46
"""Relative luminance (WCAG 2.2) of a shade: at least 2:1 against white and against the dark page's ground."""


def look(preset: str, variant: int = 0) -> Look:
    """Return how an approach is drawn; those that a team made itself look like a service.

    No two approaches of a kind have the same look, however many there are.

    Args:
        preset: its kind, which decides hue and family of markers.
        variant: which of its kind it is, see `core.approaches.variants`; 0 has the fixed colour.
    """
    return _variant(preset if preset in LOOKS else "endpoint", variant)


@lru_cache(maxsize=256)
def _variant(preset: str, variant: int) -> Look:
    first = LOOKS[preset]
    shade, turn = variant % _SHADES, variant // _SHADES
    # each turn through the shades starts one marker later, so that a shade that comes again has another marker
    symbol = _SYMBOLS[preset][(variant + turn) % _MARKERS]
    return Look(_shades(first.colour)[shade], symbol, first.hatched, 1 + variant // VARIANTS)


@lru_cache(maxsize=32)
def _shades(colour: str) -> tuple[str, ...]:
    """Return a colour and shades of it, each as far in lightness from those before as there is room.

    Shades of one hue differ in lightness alone, which every kind of colour vision and grey print keeps.
    """
    ratio = (_LIGHTEST + 0.05) / (_DARKEST + 0.05)
    rungs = [(_DARKEST + 0.05) * ratio ** (step / 24) - 0.05 for step in range(25)]
    made, taken = [colour], [_luminance(_channels(colour))]
    for _ in range(_SHADES - 1):
        farthest = max(rungs, key=lambda rung: min(abs(math.log((rung + 0.05) / (used + 0.05))) for used in taken))
        taken.append(farthest)
        made.append(_shaded(colour, farthest))
    return tuple(made)


def _shaded(colour: str, luminance: float) -> str:
    """Mix a colour with black or white until it has a luminance; bisection, since luminance grows with the share."""
    own = _channels(colour)
    ground = 1.0 if luminance > _luminance(own) else 0.0
    low, high = 0.0, 1.0
    for _ in range(20):
        share = (low + high) / 2
        mixed = tuple(value + (ground - value) * share for value in own)
        beyond = _luminance(mixed) > luminance if ground else _luminance(mixed) < luminance
        low, high = (low, share) if beyond else (share, high)
    return "#" + "".join(f"{round(255 * value):02X}" for value in mixed)


def _channels(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))


def _luminance(channels: Sequence[float]) -> float:
    """Relative luminance of sRGB channels of 0…1 (WCAG 2.2)."""
    linear = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in channels)
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def plain(text: str) -> str:
    """Return text so that Plotly shows it as it is: its labels understand tags, and names come from people."""
    return escape(text, quote=False)


def distinct(labels: Sequence[str]) -> list[str]:
    """Return labels of which no two are alike: bars and rows of one name would be drawn as one."""
    made: list[str] = []
    for label in labels:
        number, own = 2, label
        while own in made:
            own, number = f"{label} ({number})", number + 1
        made.append(own)
    return made


def row_name(seen: Look, label: str) -> str:
    """Return a row's name behind its approach's marker, in its colour; the label must be `plain`."""
    return f'<span style="color:{seen.colour}">{seen.mark}</span> {label}'


def name_rows(figure: go.Figure, rows: Iterable[tuple[str, Look]]) -> None:
    """Name the rows of a figure whose categories are labels, each behind its approach's marker."""
    named = list(rows)
    figure.update_yaxes(
        tickvals=[label for label, _ in named], ticktext=[row_name(seen, label) for label, seen in named]
    )


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
