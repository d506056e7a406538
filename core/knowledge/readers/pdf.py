"""PDF: text page by page, headings by their larger type; pages that are scanned or garbled are named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, ClassVar

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, PyPdfError

from core.errors import KurabeError
from core.knowledge.readers._base import DocumentReader, ParsedDocument, cleaned, stem

__all__ = ["PdfDocumentReader"]

_PAGE_LIMIT = 3000
_BROKEN = (
    PyPdfError, DependencyError, LookupError, ValueError, ArithmeticError, TypeError, AttributeError, RuntimeError,
    AssertionError, EOFError, OSError,
)  # fmt: skip
"""What pypdf raises on damaged files and on filters that it does not know; its parsers index and convert freely."""
_SCAN_PIXELS = 500_000
"""Pixels of a picture from which it may be a scanned page: A4 at 75 dots per inch."""
_SCAN_LETTERS = 80
"""Letters below which the text beside such a picture is a footer or a stamp rather than the page."""
_BULLET = re.compile(r"^[・•●◦▪\-*]\s*(?=\S)")
_ENDS = tuple("。.!?！？:：;；)）」』")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: float


class PdfDocumentReader(DocumentReader):
    """Reads PDF with a text layer."""

    name: ClassVar[str] = "pdf"
    suffixes: ClassVar[tuple[str, ...]] = (".pdf",)
    media_type: ClassVar[str] = "application/pdf"

    def read(self, data: bytes, name: str) -> ParsedDocument:
        """See `DocumentReader.read`."""
        reader = _opened(data, name)
        pages: list[list[_Line]] = []
        notes: list[dict[str, Any]] = []
        for number, page in enumerate(_pages(reader, name), 1):
            lines = _lines_of(page)
            if (judgement := _judge_page(page, lines)) is not None:
                notes.append({"code": judgement, "params": {"page": number}})
                lines = [] if judgement == "page_garbled" else lines
            pages.append(lines or [])
        if not any(pages) or _only_footers(pages, notes):
            code = "garbled_pdf" if any(note["code"] == "page_garbled" for note in notes) else "scanned_pdf"
            raise KurabeError(f"knowledge.{code}", name=name, pages=len(pages))
        return _assembled(pages, notes, _metadata_title(reader), name)


def _opened(data: bytes, name: str) -> PdfReader:
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise KurabeError("knowledge.encrypted", name=name)
    except KurabeError:
        raise
    except (*_BROKEN, ImportError) as error:
        code = "knowledge.encrypted" if "crypt" in str(error).lower() else "knowledge.broken_document"
        raise KurabeError(code, name=name, detail=str(error)[:200]) from error
    return reader


def _pages(reader: PdfReader, name: str) -> list[PageObject]:
    try:
        if len(reader.pages) > _PAGE_LIMIT:
            raise KurabeError("knowledge.too_many_pages", name=name, pages=len(reader.pages), limit=_PAGE_LIMIT)
        return list(reader.pages)
    except _BROKEN as error:
        raise KurabeError("knowledge.broken_document", name=name, detail=str(error)[:200]) from error


def _metadata_title(reader: PdfReader) -> str:
    try:
        title = reader.metadata.title if reader.metadata else None
    except _BROKEN:
        return ""
    named = str(title or "").strip()
    return "" if named.lower() in ("untitled", "anonymous", "(anonymous)", "無題") else named


def _lines_of(page: PageObject) -> list[_Line] | None:
    """Return a page's lines with the size of their type in points; None if its content cannot be taken apart."""
    lines: list[_Line] = []
    current: list[str] = []
    sizes: Counter[float] = Counter()

    def end_line() -> None:
        text = " ".join("".join(current).split())
        if text:
            lines.append(_Line(text, sizes.most_common(1)[0][0] if sizes else 0.0))
        current.clear()
        sizes.clear()

    def visit(text: str, _cm: Any, tm: Any, _font: Any, size: float | None) -> None:
        scale = abs(float(tm[3])) or abs(float(tm[0])) or 1.0
        points = round(float(size or 0) * scale, 1)
        for index, part in enumerate(text.split("\n")):
            if index:
                end_line()
            current.append(part)
            sizes[points] += len(part.strip())

    try:
        page.extract_text(visitor_text=visit)
    except _BROKEN:
        return None
    end_line()
    return lines


def _judge_page(page: PageObject, lines: list[_Line] | None) -> str | None:
    """Return the code of the note that a page deserves, or None for one that reads well."""
    if lines is None:
        return "page_broken"
    text = "".join(line.text for line in lines)
    judgement = _judge(text)
    if judgement is None and len("".join(text.split())) < _SCAN_LETTERS and _shows_large_picture(page):
        return "page_scanned"
    return judgement


def _shows_large_picture(page: PageObject) -> bool:
    """Tell whether a page can show a picture as large as a scan, also inside a form; none is decoded."""
    try:
        return any(pixels >= _SCAN_PIXELS for pixels in _pictures(page.get("/Resources"), depth=3))
    except _BROKEN:
        return False


def _pictures(resources: Any, depth: int) -> Iterator[int]:
    held = (resources.get_object() if resources is not None else {}).get("/XObject")
    for each in (held.get_object() if held is not None else {}).values():
        drawn = each.get_object()
        if drawn.get("/Subtype") == "/Image":
            yield int(drawn.get("/Width", 0)) * int(drawn.get("/Height", 0))
        elif depth:
            yield from _pictures(drawn.get("/Resources"), depth - 1)


def _only_footers(pages: list[list[_Line]], notes: list[dict[str, Any]]) -> bool:
    """Tell whether all text of several pages is one footer, page numbers aside, under pictures of the pages."""
    scanned = sum(note["code"] == "page_scanned" for note in notes)
    filled = [page for page in pages if page]
    said = {re.sub(r"\d+", "", "".join(line.text for line in page)) for page in filled}
    return scanned > 1 and scanned == len(filled) and len(said) == 1


def _judge(text: str) -> str | None:
    """Return ``page_without_text`` or ``page_garbled``, or None for a page that reads well."""
    letters = [character for character in text if not character.isspace()]
    if not letters:
        return "page_without_text"
    odd = sum(1 for c in letters if c == "\ufffd" or 0xE000 <= ord(c) <= 0xF8FF or ord(c) < 32)
    odd += 5 * len(re.findall(r"\(cid:\d+\)|/g\d+|/uni[0-9A-F]{4}", text))
    return "page_garbled" if odd > 0.2 * len(letters) or _is_japanese_as_latin("".join(letters)) else None


def _is_japanese_as_latin(text: str) -> bool:
    """Tell whether a font passed bytes of Japanese off as Latin letters: read as what they are, they give kana."""
    high = sum(1 for c in text if ord(c) > 0x7E and ord(c) < 0x2E80)
    if high < 0.3 * len(text):
        return False
    raw = b"".join(_byte(character) for character in text)
    for encoding in ("cp932", "euc_jp", "utf-8"):
        read = raw.decode(encoding, "ignore")
        kana = sum(1 for c in read if "ぁ" <= c <= "ん" or "ァ" <= c <= "ー")
        kanji = sum(1 for c in read if "一" <= c <= "鿿")
        if kana >= 0.1 * len(read) and kana + kanji >= 0.5 * len(read):
            return True
    return False


def _byte(character: str) -> bytes:
    """Return the byte that Windows' Latin, or else Latin-1, writes for a character; nothing for others."""
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1", "ignore")


def _assembled(pages: list[list[_Line]], notes: list[dict[str, Any]], titled: str, name: str) -> ParsedDocument:
    """Join lines to paragraphs, mark headings, and remember where pages begin."""
    sizes: Counter[float] = Counter()
    for line in (line for page in pages for line in page):
        sizes[line.size] += len(line.text)
    body = sizes.most_common(1)[0][0]
    larger = sorted((size for size in sizes if size > body * 1.12), reverse=True)
    levels = {size: min(index + 1, 4) for index, size in enumerate(larger)}
    text, starts = "", []
    for page in pages:
        starts.append(len(text) + (2 if text else 0))
        part = cleaned("\n".join(_page_lines(page, levels)))
        text = f"{text}\n\n{part}" if text and part else text or part
    first = re.search(r"^# +(.+)$", text, re.MULTILINE)
    title = (first.group(1) if first else "") or titled or stem(name)
    return ParsedDocument(title, text, [min(start, len(text)) for start in starts], notes)


def _page_lines(page: list[_Line], levels: dict[float, int]) -> list[str]:
    """Return text lines: broken sentences joined, a new line for items, rows and after a sentence's end."""
    result: list[str] = []
    before: _Line | None = None
    for line in page:
        level = levels.get(line.size) if len(line.text) <= 90 else None
        if level:
            if before is not None and levels.get(before.size) == level and result and result[-2].startswith("#"):
                result[-2] += _gap(result[-2], line.text) + line.text
            else:
                result += ["", f"{'#' * level} {line.text}", ""]
        elif _continues(before, line, levels) and result and result[-1]:
            result[-1] += _gap(result[-1], line.text) + line.text
        else:
            result.append(_BULLET.sub("- ", line.text))
        before = line
    return result


def _continues(before: _Line | None, line: _Line, levels: dict[float, int]) -> bool:
    """Tell whether a line goes on with the sentence of the line before."""
    if before is None or before.size in levels or _BULLET.match(line.text) or line.text.startswith("|"):
        return False
    return len(before.text) > 25 and not before.text.endswith(_ENDS) and ": " not in line.text[:40]


def _gap(left: str, right: str) -> str:
    """Join Japanese without a space, everything else with one."""
    return " " if ord(left[-1]) < 0x2E80 and ord(right[0]) < 0x2E80 else ""
