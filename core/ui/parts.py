"""Small pieces that several pages draw: a page's head, an empty state, tiles, figures, intervals in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape, unescape
from typing import NoReturn

import plotly.graph_objects as go
import streamlit as st

from core.charts import alt_of, look
from core.i18n import Language, format_percent, language, t
from core.measures import Interval
from core.ui.navigation import link, open_page

__all__ = [
    "Tile",
    "choose_view",
    "draw_approach",
    "draw_empty",
    "draw_figure",
    "draw_head",
    "draw_kept",
    "draw_messages",
    "draw_tiles",
    "error_text",
    "interval_text",
    "lead_to_view",
    "open_view",
    "plain",
    "plain_lines",
    "practice_note",
    "presenting",
    "remember",
    "section",
    "told_apart",
]

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|>~$:<&^=])")


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its name and what qualifies it."""

    label: str
    value: str
    note: str = ""
    help: str | None = None


def plain(text: str) -> str:
    """Return text so that Markdown shows it as it stands: names, questions and answers come from people and models."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def plain_lines(text: str) -> str:
    """Return a text of several lines so that Markdown shows it as it stands: errors may hold the end of a log."""
    return "  \n".join(plain(line) for line in text.splitlines())


def error_text(message: str, hint: str) -> str:
    """Return an error's two sentences, what happened and what to do next, as two paragraphs."""
    return "\n\n".join(plain_lines(part) for part in (message, hint) if part)


def draw_head(key: str) -> None:
    """Draw a page's title and, under it, the question that the page answers."""
    st.title(t(f"ui.page.{key}"), anchor=False)
    st.caption(t(f"ui.page.{key}.question"))


def section(title: str, note: str = "") -> None:
    """Draw a section's heading and what it is about."""
    st.subheader(title, anchor=False)
    if note:
        st.caption(note)


def draw_empty(key: str, *, to: str | None = None, action: Callable[[], None] | None = None) -> None:
    """Draw what a page says when there is nothing yet, with the next step."""
    with st.container(border=True):
        st.markdown(f"**{t(f'{key}.title')}**")
        st.markdown(t(f"{key}.text"))
        if to is not None:
            link(to)
        if action is not None:
            action()


def draw_tiles(tiles: list[Tile]) -> None:
    """Draw figures side by side; they wrap on a narrow page."""
    with st.grid(len(tiles), min_column_width=200):
        for tile in tiles:
            with st.container(border=True, height="stretch", gap="xxsmall"):
                st.metric(tile.label, tile.value, help=tile.help)
                if tile.note:
                    st.caption(tile.note)


def presenting() -> bool:
    """Tell whether the page is shown on a projector; the address says so."""
    return st.query_params.get("present") == "1"


def draw_figure(figure: go.Figure, key: str) -> None:
    """Draw a figure with its finding above it, where it wraps on a narrow page."""
    _draw(_ready(figure, _ink(), presenting()), key)


def draw_kept(key: str, make: Callable[..., go.Figure], *values: object) -> None:
    """Draw the figure that `make` makes of nothing but `values`; made once as long as they stay the same.

    `values` must tell everything in their representation, as dataclasses, texts, numbers and their containers do.
    """
    _draw(
        _kept(make, values, f"{make.__module__}.{make.__qualname__}{values!r}", language(), _ink(), presenting()), key
    )


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A figure in the page's colours, its finding and what a reader who does not see it is told."""

    figure: go.Figure
    title: str
    alt: str


@st.cache_resource(max_entries=100, show_spinner=False)
def _kept(
    _make: Callable[..., go.Figure], _values: tuple[object, ...], of: str, code: Language, ink: str, large: bool
) -> _Drawing:
    # what a visit changes in a figure would show at the next one: from here on it is only read
    return _ready(_make(*_values), ink, large)


def _ink() -> str:
    return "#E6EAF0" if st.context.theme.type == "dark" else "#1B2430"


def _ready(figure: go.Figure, ink: str, large: bool) -> _Drawing:
    title, alt = unescape(str(figure.layout.title.text or "")), unescape(alt_of(figure))
    top = 90 if figure.layout.xaxis.side == "top" else 8
    axis = {"tickfont": {"color": ink}, "title": {"font": {"color": ink}}}
    figure.update_layout(title=None, margin={"t": top}, font={"color": ink}, xaxis=axis, yaxis=axis)
    for note in figure.layout.annotations:
        if note.font.color is None:
            note.font.color = ink
    if large:
        _enlarge(figure)
    return _Drawing(figure, title, alt or title)


def _draw(drawing: _Drawing, key: str) -> None:
    with st.container(gap="xxsmall"):
        if presenting():
            st.header(plain(drawing.title), anchor=False)
        else:
            st.markdown(f"**{plain(drawing.title)}**")
        st.plotly_chart(drawing.figure, key=key, config={"displayModeBar": False}, alt=drawing.alt)


_ON_A_SCREEN = 20
"""Smallest text of a figure that is read from the back of a room, in pixels."""
_MOST_HIGH = 520
"""Height of a figure that fits under its finding on a screen of 720 pixels."""


def _enlarge(figure: go.Figure) -> None:
    """Give a figure's text the size of a slide's, and the figure the room that it then needs."""
    height = min(_MOST_HIGH, (figure.layout.height or 400) * 1.4)
    figure.update_layout(font_size=_ON_A_SCREEN, legend_font_size=_ON_A_SCREEN, height=height)
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(tickfont_size=_ON_A_SCREEN, title_font_size=_ON_A_SCREEN)
    for note in figure.layout.annotations:
        note.font.size = _ON_A_SCREEN
    figure.update_traces(textfont_size=_ON_A_SCREEN, selector=lambda trace: "textfont" in trace)


def interval_text(interval: Interval | None) -> str:
    """Return a share with its interval in words: 84% (79–88%)."""
    if interval is None:
        return "–"
    if interval.low is None or interval.high is None:
        return format_percent(interval.estimate)
    low, high = format_percent(interval.low).rstrip("%"), format_percent(interval.high)
    return t("ui.interval", value=format_percent(interval.estimate), low=low, high=high)


def draw_approach(preset: str, label: str, note: str = "", *, variant: int = 0) -> None:
    """Draw an approach's name behind its marker; the name is a person's text and is escaped.

    Args:
        preset: its kind.
        label: its name.
        note: what stands behind it in small letters.
        variant: which of its kind it is, as in the figures.
    """
    seen = look(preset, variant)
    mark = f"<span style='color:{seen.colour};font-size:1.1em'>{seen.mark}</span>"
    rest = f" <span class='approach-note' style='opacity:.7;font-size:.85em'>{escape(note)}</span>" if note else ""
    st.html(f"{mark}&nbsp;<strong>{escape(label)}</strong>{rest}")


def draw_messages(messages: Iterable[Mapping[str, str]]) -> None:
    """Draw a prompt's messages, each under its role; documents and questions come from outside and stay text."""
    for message in messages:
        st.caption(t(f"ui.approaches.role.{message['role']}"))
        st.code(message["content"], language=None, wrap_lines=True)


def practice_note(base_ref: str) -> None:
    """Say that the practice model answers, wherever it does."""
    if base_ref == "starter":
        st.caption(f":material/science: {t('ui.practice')}")


def told_apart(options: Iterable[str], name: Callable[[str], str]) -> Callable[[str], str]:
    """Return what a choice calls its options: of several that are called alike, the newer ones are numbered.

    Streamlit knows a chosen option by its words alone and would take the first one of those.

    Args:
        options: ids; newer ones sort behind older ones.
        name: what people call one.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for option in sorted(options):
        called = plainly = name(option)
        number = 1
        while called in taken:
            number += 1
            called = f"{plainly} ({number})"
        taken.add(called)
        names[option] = called
    return lambda option: names[option] if option in names else name(option)


def remember(name: str, value: str | None) -> None:
    """Keep a choice in the page's address, so that a copied link opens the same view."""
    if value:
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def _view_key(page: str) -> str:
    return f"view_of_{page}"


def _wanted_key(page: str) -> str:
    return f"view_wanted_of_{page}"


def open_view(page: str, view: str, **query: str) -> NoReturn:
    """Run the page again with another of its views, and with query parameters."""
    st.session_state[_wanted_key(page)] = view
    st.query_params["view"] = view
    for name, value in query.items():
        st.query_params[name] = value
    st.rerun()


def lead_to_view(page: str, view: str, **query: str) -> NoReturn:
    """Leave for a view of a page, this one or another, with query parameters."""
    st.session_state[_wanted_key(page)] = view
    open_page(page, view=view, **query)


def choose_view(page: str, options: Mapping[str, str]) -> str:
    """Draw the choice between views of a page and return the key of the one that is open; it lives in the address.

    Args:
        page: key of the page.
        options: title by key, the usual view first.
    """
    asked = st.session_state.pop(_wanted_key(page), None)
    first, key = next(iter(options)), _view_key(page)
    # The browser keeps what it showed before: a default alone would be overruled by its next message.
    if asked in options:
        st.session_state[key] = asked
    elif key not in st.session_state or st.query_params.get("view") != st.session_state.get(f"{key}_told"):
        # the first visit, or a link on this page was followed: the address counts, not what was chosen before it
        asked = st.query_params.get("view")
        st.session_state[key] = asked if asked in options else first
    picked = st.segmented_control(
        t("ui.view"),
        list(options),
        required=True,
        format_func=lambda option: options[option],
        key=key,
        label_visibility="collapsed",
    )
    remember("view", picked if picked != first else None)
    st.session_state[f"{key}_told"] = st.query_params.get("view")
    return picked or first
