"""Markdown: headings, lists and tables stay; front matter, comments and link targets go."""

from __future__ import annotations

import re
from typing import ClassVar

from core.knowledge.readers._base import DocumentReader, ParsedDocument, cleaned, decoded, stem

__all__ = ["MarkdownReader"]

# No bracket may stand inside brackets, and every run is possessive: a line of brackets alone costs one pass.
_TARGET = r"\((?:[^()\n]++|\([^()\n]*+\))*+\)"
_IMAGE = re.compile(r"!\[([^\[\]\n]*+)\]" + _TARGET)
_LINK = re.compile(r"\[([^\[\]\n]++)\]" + _TARGET)
_FRONT = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\n", re.DOTALL)
_TITLE_LINE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)
_FENCE = re.compile(r"^\s*(```|~~~)")


class MarkdownReader(DocumentReader):
    """Reads Markdown."""

    name: ClassVar[str] = "markdown"
    suffixes: ClassVar[tuple[str, ...]] = (".md", ".markdown")
    media_type: ClassVar[str] = "text/markdown"

    def read(self, data: bytes, name: str) -> ParsedDocument:
        """See `DocumentReader.read`."""
        text, titled = decoded(data, name), ""
        if front := _FRONT.match(text):
            text = text[front.end() :]
            found = _TITLE_LINE.search(front.group(1))
            titled = found.group(1) if found else ""
        text = cleaned("\n".join(_lines(_without_comments(text).split("\n"))))
        first = re.search(r"^# +(.+)$", text, re.MULTILINE)
        return ParsedDocument(titled or (first.group(1).strip() if first else stem(name)), text)


def _lines(lines: list[str]) -> list[str]:
    """Turn underlined headings into ``#`` and links into their words, outside of code."""
    result: list[str] = []
    code = False
    for line in lines:
        if _FENCE.match(line):
            code = not code
        elif not code:
            under = line.strip()
            above = result[-1].strip() if result else ""
            if above and not above.startswith(("#", "|", "-", ">")) and re.fullmatch(r"={3,}|-{3,}", under):
                result[-1] = ("# " if under[0] == "=" else "## ") + above
                continue
            line = _LINK.sub(r"\1", _IMAGE.sub(r"\1", line))
            line = _heading(line) if line.startswith("#") else line
        result.append(line)
    return result


def _without_comments(text: str) -> str:
    kept: list[str] = []
    place = 0
    while (opened := text.find("<!--", place)) >= 0 and (closed := text.find("-->", opened + 4)) >= 0:
        kept.append(text[place:opened])
        place = closed + 3
    return "".join([*kept, text[place:]])


def _heading(line: str) -> str:
    """Write a heading in one way; marks that close it go, but not those of its last word (C#)."""
    words = line.lstrip("#")
    marks = min(6, len(line) - len(words))
    words = line[marks:].strip(" ")
    bare = words.rstrip("#")
    return f"{'#' * marks} {bare.rstrip(' ') if not bare or bare.endswith(' ') else words}"
