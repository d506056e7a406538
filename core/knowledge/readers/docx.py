"""Word documents: headings by style or outline level, lists, tables in their place."""

from __future__ import annotations

import re
import zipfile
import zlib
from io import BytesIO
from typing import Any, ClassVar

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn

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


class DocxReader(DocumentReader):
    """Reads .docx."""

    name: ClassVar[str] = "docx"
    suffixes: ClassVar[tuple[str, ...]] = (".docx",)
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

    def read(self, data: bytes, name: str) -> ParsedDocument:
        """See `DocumentReader.read`."""
        refuse_bomb(data, name)
        try:
            document = docx.Document(BytesIO(data))
            lines = [line for block in document.iter_inner_content() for line in _lines(block)]
            titled = document.core_properties.title or ""
        except _BROKEN as error:
            raise KurabeError("knowledge.broken_document", name=name, detail=str(error)[:200]) from error
        text = cleaned("\n".join(lines))
        first = re.search(r"^# +(.+)$", text, re.MULTILINE)
        generic = titled.strip().lower() in ("", "word document", "python-docx")
        return ParsedDocument((first.group(1) if first else "") or ("" if generic else titled) or stem(name), text)


def _lines(block: Any) -> list[str]:
    if hasattr(block, "rows"):
        return ["", *table_lines([_cells(row) for row in block.rows]), ""]
    return [*_words(block), *_boxes(block)]


def _boxes(paragraph: Any) -> list[str]:
    """Return the paragraphs of text boxes anchored in a paragraph; the older copy that Word keeps of each is left."""
    boxes = paragraph._p.iter(qn("w:txbxContent"))
    seen = [box for box in boxes if not any(above.tag == _FALLBACK for above in box.iterancestors())]
    said = ["".join(text.text or "" for text in p.iter(qn("w:t"))).strip() for box in seen for p in box.iter(qn("w:p"))]
    return [line for words in said if words for line in ("", words, "")]


def _words(block: Any) -> list[str]:
    words = block.text.strip()
    if not words:
        return []
    if level := _level(block):
        return ["", f"{'#' * level} {' '.join(words.split())}", ""]
    if _is_item(block):
        return [f"- {' '.join(words.split())}"]
    return ["", words, ""]


def _cells(row: Any) -> list[str]:
    """Return a row's cells; a merged cell counts once."""
    cells, seen = [], set()
    for cell in row.cells:
        if id(cell._tc) not in seen:
            seen.add(id(cell._tc))
            cells.append(_cell(cell))
    return cells


def _cell(cell: Any) -> str:
    """Return a cell's words, those of tables inside it too."""
    if not cell.tables:
        return str(cell.text)
    blocks = cell.iter_inner_content()
    inner = [_cells(row) for block in blocks if hasattr(block, "rows") for row in block.rows]
    return " ".join([cell.text.strip(), *(text for row in inner for text in row if text.strip())])


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
