"""PowerPoint presentations: slide by slide, titles as headings, text from top to bottom, tables, speaker notes."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any, ClassVar

from pptx import Presentation
from pptx.exc import PackageNotFoundError, PythonPptxError

from core.errors import KurabeError
from core.knowledge.readers._base import DocumentReader, ParsedDocument, cleaned, refuse_bomb, stem, table_lines

__all__ = ["PptxReader"]

_BROKEN = (
    PackageNotFoundError, PythonPptxError, zipfile.BadZipFile, zlib.error, SyntaxError, LookupError, ValueError,
    ArithmeticError, AttributeError, TypeError, RuntimeError, EOFError, OSError,
)  # fmt: skip


class PptxReader(DocumentReader):
    """Reads .pptx; a page is a slide."""

    name: ClassVar[str] = "pptx"
    suffixes: ClassVar[tuple[str, ...]] = (".pptx",)
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.presentationml.presentation"

    def read(self, data: bytes, name: str) -> ParsedDocument:
        """See `DocumentReader.read`; slides without any text are named in the notes."""
        refuse_bomb(data, name)
        try:
            presentation = Presentation(BytesIO(data))
            slides = [cleaned("\n".join(_slide_lines(slide))) for slide in presentation.slides]
            titles = [_title(slide) for slide in presentation.slides]
            titled = presentation.core_properties.title or ""
        except _BROKEN as error:
            raise KurabeError("knowledge.broken_document", name=name, detail=str(error)[:200]) from error
        text, starts = "", []
        for slide in slides:
            starts.append(len(text) + (2 if text else 0))
            text = f"{text}\n\n{slide}" if text and slide else text or slide
        empty = [number for number, slide in enumerate(slides, 1) if not slide]
        notes = [{"code": "slide_empty", "params": {"page": number}} for number in empty]
        generic = titled.strip().lower() in ("", "powerpoint presentation", "powerpoint プレゼンテーション")
        first = next((title for title in titles if title), "")
        return ParsedDocument(first or ("" if generic else titled) or stem(name), text, starts, notes)


def _title(slide: Any) -> str:
    shape = slide.shapes.title
    return " ".join(shape.text_frame.text.split()) if shape is not None and shape.has_text_frame else ""


def _slide_lines(slide: Any) -> Iterator[str]:
    """Yield a slide's lines: its title, its shapes from top to bottom and left to right, its notes."""
    if title := _title(slide):
        yield from (f"## {title}", "")
    heading = slide.shapes.title
    for shape in _in_reading_order(slide.shapes):
        if heading is None or shape.shape_id != heading.shape_id:
            yield from _shape_lines(shape)
    if slide.has_notes_slide and (said := slide.notes_slide.notes_text_frame) is not None and said.text.strip():
        yield from ("", said.text.strip(), "")


def _in_reading_order(shapes: Any) -> list[Any]:
    return sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0))


def _shape_lines(shape: Any) -> Iterator[str]:
    if hasattr(shape, "shapes"):  # a group
        for inner in _in_reading_order(shape.shapes):
            yield from _shape_lines(inner)
    elif getattr(shape, "has_table", False):
        yield from ("", *table_lines([[cell.text for cell in row.cells] for row in shape.table.rows]), "")
    elif shape.has_text_frame:
        paragraphs = [" ".join(p.text.split()) for p in shape.text_frame.paragraphs]
        words = [text for text in paragraphs if text]
        yield ""
        yield from (f"- {text}" for text in words) if len(words) > 1 else words
        yield ""
