"""Writes documents as Markdown, HTML, PDF, DOCX and CSV, byte for byte the same each time."""

from __future__ import annotations

import csv
import html
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

import docx
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from core.starter.samples.company import Document

_DATE = datetime(2026, 4, 1)  # noqa: DTZ001  # a DOCX core property is naive by its format
_ZIP_DATE = (2026, 4, 1, 0, 0, 0)
_MARGIN, _WIDTH = 56, 480


def render(document: Document, language: str, head: tuple[str, str]) -> bytes:
    """The bytes of a document in the format that its name asks for; ``head`` heads two-column tables."""
    kind = document.name.rsplit(".", 1)[1]
    if kind == "csv":
        return _csv(document)
    if kind == "md":
        return _markdown(document, head)
    if kind == "html":
        return _html(document, language, head)
    return _pdf(document, language) if kind == "pdf" else _docx(document, head)


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Runs of lines of one sort: "item", "row", "text"."""
    for sort, run in groupby(lines, key=lambda x: "item" if x[:2] == "- " else "row" if x[0] == "|" else "text"):
        yield sort, list(run)


def _rows(lines: list[str], head: tuple[str, str]) -> list[list[str]]:
    """Cells of table lines, under a header; a header of their own is replaced by the common one."""
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if "---" not in line]
    return [list(head), *[row for row in rows if not _is_head(row)]]


def _is_head(row: list[str]) -> bool:
    heads = {
        ("Item", "Value"),
        ("Feature", "Details"),
        ("Field", "Entry"),
        ("項目", "内容"),
        ("項目", "値"),
        ("仕様", "内容"),
    }
    return tuple(row) in heads


def _markdown(document: Document, head: tuple[str, str]) -> bytes:
    parts = [f"# {document.title}"]
    for section in document.sections:
        parts.append(f"## {section.heading}")
        for sort, lines in _blocks(section.lines):
            if sort == "row":
                rows = _rows(lines, head)
                rows.insert(1, ["---"] * 2)
                lines = ["| " + " | ".join(row) + " |" for row in rows]
            parts.append("\n".join(lines) if sort != "text" else "\n\n".join(lines))
    return ("\n\n".join(parts) + "\n").encode()


def _html(document: Document, language: str, head: tuple[str, str]) -> bytes:
    title = html.escape(document.title)
    out = [
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8"><title>{title}</title></head>',
        f"<body>\n<h1>{title}</h1>",
    ]
    for section in document.sections:
        out.append(f"<h2>{html.escape(section.heading)}</h2>")
        for sort, lines in _blocks(section.lines):
            if sort == "item":
                out.append("<ul>\n" + "\n".join(f"<li>{html.escape(x[2:])}</li>" for x in lines) + "\n</ul>")
            elif sort == "row":
                cells = [[html.escape(cell) for cell in row] for row in _rows(lines, head)]
                first = "<tr>" + "".join(f"<th>{cell}</th>" for cell in cells[0]) + "</tr>"
                rest = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells[1:]]
                out.append("<table>\n" + "\n".join([first, *rest]) + "\n</table>")
            else:
                out += [f"<p>{html.escape(x)}</p>" for x in lines]
    return ("\n".join([*out, "</body>\n</html>"]) + "\n").encode()


def _docx(document: Document, head: tuple[str, str]) -> bytes:
    file = docx.Document()
    core = file.core_properties
    core.title, core.author, core.created, core.modified = document.title, "", _DATE, _DATE
    file.add_heading(document.title, 1)
    for section in document.sections:
        file.add_heading(section.heading, 2)
        for sort, lines in _blocks(section.lines):
            if sort == "row":
                rows = _rows(lines, head)
                table = file.add_table(rows=len(rows), cols=2)
                for row, cells in zip(table.rows, rows, strict=True):
                    for cell, value in zip(row.cells, cells, strict=True):
                        cell.text = value
            else:
                for line in lines:
                    file.add_paragraph(line.removeprefix("- "), style="List Bullet" if sort == "item" else None)
    for number, relation in list(file.part.package.rels.items()):
        if relation.reltype.endswith("/thumbnail"):  # the picture of the library's template
            del file.part.package.rels[number]
    buffer = io.BytesIO()
    file.save(buffer)
    return _fixed_zip(buffer.getvalue())


def _fixed_zip(data: bytes) -> bytes:
    """The same archive with fixed dates, so that equal documents are equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            new.writestr(zipfile.ZipInfo(name, _ZIP_DATE), old.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _csv(document: Document) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([document.title])
    writer.writerows(document.rows)
    return out.getvalue().encode()


class _Page:
    """Writes lines down a page, and begins a new one when it is full."""

    def __init__(self, document: Document, language: str) -> None:
        self.buffer = io.BytesIO()
        self.canvas = Canvas(self.buffer, pagesize=A4, invariant=1)
        self.canvas.setTitle(document.title)
        # a built-in Japanese font of PDF readers: nothing has to be embedded
        self.font = "HeiseiMin-W3" if language == "ja" else "Helvetica"
        if language == "ja":
            pdfmetrics.registerFont(UnicodeCIDFont(self.font))
        self.top = A4[1] - _MARGIN

    def line(self, text: str, size: float, before: float) -> None:
        """Writes a paragraph, broken at the margin."""
        self.top -= before
        for piece in _broken(text, self.font, size):
            if self.top < _MARGIN:
                self.canvas.showPage()
                self.top = A4[1] - _MARGIN
            self.canvas.setFont(self.font, size)
            self.canvas.drawString(_MARGIN, self.top, piece)
            self.top -= size * 1.5


def _broken(text: str, font: str, size: float) -> Iterator[str]:
    """Breaks at spaces and between Japanese characters, never inside a word or a number."""
    line = ""
    for word in _words(text):
        if line and pdfmetrics.stringWidth(line + word.rstrip(), font, size) > _WIDTH:
            yield line.rstrip()
            line = ""
        line += word
    if line:
        yield line.rstrip()


def _words(text: str) -> Iterator[str]:
    word = ""
    for here, after in zip(text, text[1:] + " ", strict=True):
        word += here
        # no line begins with a closing mark
        wide = ord(here) > 0x2E80 and ord(after) > 0x2E80 and after not in "。、」）？！ー"
        if here == " " or wide:
            yield word
            word = ""
    if word:
        yield word


def _pdf(document: Document, language: str) -> bytes:
    page = _Page(document, language)
    page.line(document.title, 18, 0)
    for section in document.sections:
        page.line(section.heading, 14, 10)
        for line in section.lines:
            page.line("• " + line[2:] if line.startswith("- ") else line, 11, 3)
    page.canvas.save()
    return page.buffer.getvalue()
