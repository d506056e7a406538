"""HTML: the visible text with headings, lists and tables; scripts, styles and navigation go."""

from __future__ import annotations

from typing import ClassVar

from bs4 import BeautifulSoup, Tag
from bs4.element import Comment, NavigableString, PreformattedString

from core.knowledge.readers._base import DocumentReader, ParsedDocument, cleaned, decoded, stem, table_lines

__all__ = ["HtmlReader"]

# Readings (rt, rp) stand over the words that they read, not between them.
_HIDDEN = ("script", "style", "noscript", "template", "nav", "svg", "iframe", "button", "select", "rt", "rp")
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_TABLE = "kurabe-table"
"""Stands where a table stood, with its lines as they are to be read."""
_BLOCKS = frozenset(
    {*_HEADINGS, "p", "li", "dt", "dd", "td", "th", "pre", "blockquote", "div", "section", "article", "body", "caption",
     "figcaption", "main", "header", "footer", "aside", "summary", "title", "html", "form", "fieldset", _TABLE}
)  # fmt: skip
_SPAN = 100
"""Most columns that one cell fills; a page may say more."""
_REPEATED = 200_000
"""Most cells that those which go on over several rows fill in one table."""


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
        for table in [table for table in soup.find_all("table") if not _is_layout(table)]:
            _replace(soup, table)
        lines = [line for block, text in _pieces(soup) for line in _block_lines(block, text)]
        return ParsedDocument(named or titled or stem(name), cleaned("\n".join(lines)))


def _is_layout(table: Tag) -> bool:
    """Tell whether a table only places things on the page: it holds headings or tables, or one column of paragraphs."""
    if table.find(["table", *_HEADINGS]) is not None or table.get("role") == "presentation":
        return True
    alone = all(len(row.find_all(("td", "th"), limit=2)) < 2 for row in table.find_all("tr"))
    return alone and table.find(["p", "div", "ul", "ol"]) is not None


def _replace(soup: BeautifulSoup, table: Tag) -> None:
    """Put a table's lines where it stood; its caption goes before it."""
    if isinstance(caption := table.find("caption"), Tag):
        table.insert_before(caption.extract())
    made = soup.new_tag(_TABLE)
    made.string = "\n".join(table_lines(_grid(table)))
    table.replace_with(made)


def _grid(table: Tag) -> list[list[str]]:
    """Return the rows of a table; a cell that fills several rows says the same in each, over columns it speaks once."""
    rows: list[list[str]] = []
    going_on: dict[int, tuple[int, str]] = {}  # column → rows that it still fills, words
    left = _REPEATED
    for row in table.find_all("tr"):
        cells: list[str] = []
        below: dict[int, tuple[int, str]] = {}
        for cell in [*row.find_all(("td", "th"), recursive=False), None]:
            while len(cells) in going_on and left > 0:
                more, words = going_on.pop(len(cells))
                below |= {len(cells): (more - 1, words)} if more > 1 else {}
                cells.append(words)
                left -= 1
            if cell is None:
                break
            words = " ".join(text for _, text in _pieces(cell))
            wide, high = min(_span(cell, "colspan"), _SPAN), _span(cell, "rowspan")
            for column in range(wide):
                said = "" if column else words
                below |= {len(cells): (high - 1, said)} if high > 1 else {}
                cells.append(said)
        going_on = below
        rows += [cells] if any(cell.strip() for cell in cells) else []
    return rows


def _span(cell: Tag, name: str) -> int:
    """Return how many columns or rows a cell fills; 0 rows means all that follow."""
    value = str(cell.get(name) or "1").strip()
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 7 else 1
    return number or (65_534 if name == "rowspan" else 1)


def _pieces(root: Tag) -> list[tuple[Tag, str]]:
    """Return the visible strings joined by the block that holds them, in the order of the page."""
    pieces: list[tuple[Tag, list[str]]] = []
    for node in root.descendants:
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
    if block.name in ("pre", _TABLE):
        return text.strip("\n")
    return "\n".join(" ".join(line.split()) for line in text.split("\n\n")) if "\n\n" in text else _unwrapped(text)


def _unwrapped(text: str) -> str:
    return "\n".join(" ".join(part.split()) for part in text.split("\n") if part.strip())


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
