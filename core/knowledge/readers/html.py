"""HTML: the visible text with headings, lists and tables; scripts, styles and navigation go."""

from __future__ import annotations

from typing import ClassVar

from bs4 import BeautifulSoup, Tag
from bs4.element import Comment, NavigableString, PreformattedString

from core.knowledge.readers._base import DocumentReader, ParsedDocument, cleaned, decoded, stem, table_lines

__all__ = ["HtmlReader"]

_HIDDEN = ("script", "style", "noscript", "template", "nav", "svg", "iframe", "form", "button", "select")
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_BLOCKS = frozenset(
    {*_HEADINGS, "p", "li", "dt", "dd", "td", "th", "pre", "blockquote", "div", "section", "article", "body", "caption",
     "figcaption", "main", "header", "footer", "aside", "summary", "title", "html"}
)  # fmt: skip


class HtmlReader(DocumentReader):
    """Reads saved web pages."""

    name: ClassVar[str] = "html"
    suffixes: ClassVar[tuple[str, ...]] = (".html", ".htm")
    media_type: ClassVar[str] = "text/html"

    def read(self, data: bytes, name: str) -> ParsedDocument:
        """See `DocumentReader.read`."""
        soup = BeautifulSoup(decoded(data, name), "lxml")
        for tag in soup.find_all(_HIDDEN):
            tag.decompose()
        first = soup.find("h1")
        named = first.get_text(" ", strip=True) if first else ""
        titled = soup.title.get_text(" ", strip=True) if soup.title else ""
        text = cleaned("\n".join(_lines(_pieces(soup))))
        return ParsedDocument(named or titled or stem(name), text)


def _pieces(soup: BeautifulSoup) -> list[tuple[Tag, str]]:
    """Return the visible strings joined by the block that holds them, in the order of the page."""
    pieces: list[tuple[Tag, list[str]]] = []
    for node in soup.descendants:
        if isinstance(node, Tag) and node.name == "br" and pieces:
            pieces[-1][1].append("\n")
        if not isinstance(node, NavigableString) or isinstance(node, (Comment, PreformattedString)):
            continue
        block = next((parent for parent in node.parents if parent.name in _BLOCKS), None)
        if block is None or block.name in ("title", "html"):
            continue
        if not pieces or pieces[-1][0] is not block:
            if not node.strip():
                continue  # line breaks of the source between the rows of a table
            pieces.append((block, []))
        pieces[-1][1].append(str(node))
    return [(block, _words(block, "".join(strings))) for block, strings in pieces]


def _words(block: Tag, text: str) -> str:
    if block.name == "pre":
        return text.strip("\n")
    return "\n".join(" ".join(line.split()) for line in text.split("\n\n")) if "\n\n" in text else _unwrapped(text)


def _unwrapped(text: str) -> str:
    return "\n".join(" ".join(part.split()) for part in text.split("\n") if part.strip())


def _lines(pieces: list[tuple[Tag, str]]) -> list[str]:
    lines: list[str] = []
    table: Tag | None = None
    rows: list[tuple[Tag, list[str]]] = []
    for block, text in pieces:
        inside = block.find_parent("table") if block.name in ("td", "th") else None
        if table is not None and inside is not table:
            lines += ["", *table_lines([cells for _, cells in rows]), ""]
            table, rows = None, []
        if isinstance(inside, Tag):
            table = inside
            row = block.find_parent("tr")
            if isinstance(row, Tag):
                _add_cell(rows, row, block, text)
            continue
        lines += _block_lines(block, text)
    if rows:
        lines += ["", *table_lines([cells for _, cells in rows])]
    return lines


def _add_cell(rows: list[tuple[Tag, list[str]]], row: Tag, block: Tag, text: str) -> None:
    if not rows or rows[-1][0] is not row:
        rows.append((row, []))
    # Cells without text have no piece of their own, but they keep the others in their columns.
    cells = row.find_all(("td", "th"), recursive=False)
    place = next((index for index, cell in enumerate(cells) if cell is block), len(rows[-1][1]))
    if text.strip():
        rows[-1][1].extend([""] * (place - len(rows[-1][1])))
        rows[-1][1].append(text)


def _block_lines(block: Tag, text: str) -> list[str]:
    if not text.strip():
        return []
    if block.name in _HEADINGS:
        return ["", f"{_HEADINGS[block.name]} {' '.join(text.split())}", ""]
    if block.name == "li":
        return [f"- {' '.join(text.split())}"]
    if block.name == "pre":
        return ["", "```", text, "```", ""]
    if block.name == "dt":
        return ["", f"{text}:"]
    return ["", text, ""]
