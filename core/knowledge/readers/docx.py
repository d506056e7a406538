"""Word documents: headings by style or outline level, lists, tables in their place.

Words are taken from the XML itself: python-docx's own text leaves out tracked insertions, readings (ruby), content
controls, footnotes, headers and footers.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any, ClassVar

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph

from core.errors import KurabeError
from core.knowledge.readers._base import DocumentReader, ParsedDocument, cleaned, refuse_bomb, stem, table_lines

__all__ = ["DocxReader"]

_BROKEN = (
    PackageNotFoundError, zipfile.BadZipFile, zlib.error, SyntaxError, LookupError, ValueError, ArithmeticError,
    AttributeError, TypeError, RuntimeError, EOFError, OSError,
)  # fmt: skip
"""What python-docx raises on damaged files; its parsers index and convert freely."""
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING = re.compile(r"^(?:heading|見出し)\s*(\d)$", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"[\s\d\-–—/|.()（）]*(?:(?:page|of|ページ|頁)[\s\d\-–—/|.()（）]*)*", re.IGNORECASE)
_WRAPPERS = frozenset(qn(f"w:{name}") for name in ("sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo"))
"""Elements round paragraphs, rows or cells that change nothing of what is read."""
_UNREAD = frozenset(qn(f"w:{name}") for name in ("del", "moveFrom", "rt", "txbxContent", "pPr", "rPr")) | {_FALLBACK}
"""Elements inside a paragraph that no reader sees there: deleted words, readings, boxes (which come after it)."""
_BREAKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}


class DocxReader(DocumentReader):
    """Reads .docx."""

    name: ClassVar[str] = "docx"
    suffixes: ClassVar[tuple[str, ...]] = (".docx",)
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

    def read(self, data: bytes, name: str) -> ParsedDocument:
        """See `DocumentReader.read`; words of headers come first, those of footers last, each once."""
        refuse_bomb(data, name)
        try:
            document = docx.Document(BytesIO(data))
            footnotes = _footnotes(document)
            body = [line for element in _unwrapped(document.element.body) for line in _lines(element, document)]
            lines = [*_margins(document, "header"), *body, *footnotes, *_margins(document, "footer")]
            titled = document.core_properties.title or ""
        except _BROKEN as error:
            raise KurabeError("knowledge.broken_document", name=name, detail=str(error)[:200]) from error
        text = cleaned("\n".join(lines))
        first = re.search(r"^# +(.+)$", text, re.MULTILINE)
        generic = titled.strip().lower() in ("", "word document", "python-docx")
        return ParsedDocument((first.group(1) if first else "") or ("" if generic else titled) or stem(name), text)


def _unwrapped(parent: Any) -> Iterator[Any]:
    """Yield the children of an element, and in place of content controls what they hold."""
    for child in parent:
        if child.tag in _WRAPPERS:
            yield from _unwrapped(child)
        else:
            yield child


def _lines(element: Any, document: Any) -> list[str]:
    if element.tag == qn("w:tbl"):
        return ["", *table_lines(_rows(element)), ""]
    if element.tag == qn("w:p"):
        return [*_words(Paragraph(element, document._body)), *_boxes(element)]
    return []


def _text(element: Any) -> str:
    """Return the words of a paragraph as they stand in print."""
    parts: list[str] = []
    for child in element:
        if child.tag == qn("w:t"):
            parts.append(child.text or "")
        elif child.tag in _BREAKS:
            parts.append(_BREAKS[child.tag])
        elif child.tag not in _UNREAD:
            parts.append(_text(child))
    return "".join(parts)


def _margins(document: Any, kind: str) -> list[str]:
    """Return the lines of all headers or footers, each once and page numbers left out."""
    parts = [rel.target_part for rel in document.part.rels.values() if rel.reltype == _MARGINS[kind]]
    said = [" ".join(_text(p).split()) for part in parts for p in part.element.iter(qn("w:p"))]
    return [line for words in dict.fromkeys(said) if not _PAGE_NUMBER.fullmatch(words) for line in ("", words, "")]


_MARGINS = {"header": RELATIONSHIP_TYPE.HEADER, "footer": RELATIONSHIP_TYPE.FOOTER}
_NOTES = (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES)


def _footnotes(document: Any) -> list[str]:
    """Return the paragraphs of footnotes and endnotes."""
    parts = [rel.target_part for rel in document.part.rels.values() if rel.reltype in _NOTES]
    said = [" ".join(_text(p).split()) for part in parts for p in parse_xml(part.blob).iter(qn("w:p"))]
    return [line for words in said if words for line in ("", words, "")]


def _boxes(paragraph: Any) -> list[str]:
    """Return the paragraphs of text boxes anchored in a paragraph; the older copy that Word keeps of each is left."""
    boxes = paragraph.iter(qn("w:txbxContent"))
    seen = [box for box in boxes if not any(above.tag == _FALLBACK for above in box.iterancestors())]
    said = [_text(p).strip() for box in seen for p in box.iter(qn("w:p"))]
    return [line for words in said if words for line in ("", words, "")]


def _words(paragraph: Paragraph) -> list[str]:
    words = _text(paragraph._p).strip()
    if not words:
        return []
    if level := _level(paragraph):
        return ["", f"{'#' * level} {' '.join(words.split())}", ""]
    if _is_item(paragraph):
        return [f"- {' '.join(words.split())}"]
    return ["", words, ""]


def _rows(table: Any) -> list[list[str]]:
    """Return a table's cells; one that goes on from the row above says again what stands there."""
    rows: list[list[str]] = []
    for row in (element for element in _unwrapped(table) if element.tag == qn("w:tr")):
        cells: list[str] = [""] * _number(row, "w:trPr/w:gridBefore")
        for cell in (element for element in _unwrapped(row) if element.tag == qn("w:tc")):
            merged = cell.find("w:tcPr/w:vMerge", _SPACES)
            above = rows[-1] if rows else []
            goes_on = merged is not None and merged.get(qn("w:val")) != "restart"
            cells.append(above[len(cells)] if goes_on and len(cells) < len(above) else _cell(cell))
            cells += [""] * (min(_number(cell, "w:tcPr/w:gridSpan"), _SPAN) - 1)
        rows.append(cells)
    return rows


_SPACES = {"w": qn("w:p")[1:-2]}
_SPAN = 100
"""Most columns that one cell may fill: a damaged file may say millions."""


def _number(element: Any, path: str) -> int:
    found = element.find(path, _SPACES)
    value = found.get(qn("w:val")) if found is not None else None
    return min(int(value), _SPAN) if value and value.isdigit() else 0


def _cell(cell: Any) -> str:
    """Return a cell's words, those of tables and boxes inside it too."""
    parts: list[str] = []
    for element in _unwrapped(cell):
        if element.tag == qn("w:tbl"):
            parts += [text for row in _rows(element) for text in row]
        elif element.tag == qn("w:p"):
            parts += [_text(element), *_boxes(element)]
    return " ".join(text.strip() for text in parts if text.strip())


def _level(paragraph: Any) -> int:
    """Return the heading level of a paragraph, 0 for none; a document's title counts as level 1."""
    style = paragraph.style
    named = (style.name or "") if style is not None else ""
    if named.lower() in ("title", "表題"):
        return 1
    if found := _HEADING.match(named):
        return min(6, int(found.group(1)))
    outline = paragraph._p.find(f".//{qn('w:outlineLvl')}")
    if outline is not None and (value := outline.get(qn("w:val"))) is not None and value.isdigit():
        return int(value) + 1 if int(value) < 6 else 0
    return 0


def _is_item(paragraph: Any) -> bool:
    style = paragraph.style
    named = (style.name or "") if style is not None else ""
    return named.startswith(("List ", "箇条書き")) or paragraph._p.find(f".//{qn('w:numPr')}") is not None
