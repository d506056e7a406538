"""Markdown: headings, lists and tables stay; front matter, comments and link targets go."""

from __future__ import annotations

import re
from typing import ClassVar

from core.knowledge.readers._base import DocumentReader, ParsedDocument, cleaned, decoded, stem

__all__ = ["MarkdownReader"]

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\]\n]*)\]\([^)\n]*\)")
_LINK = re.compile(r"\[([^\]\n]+)\]\([^)\n]*\)")
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
        text = cleaned("\n".join(_lines(_COMMENT.sub("", text).split("\n"))))
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
            line = (
                re.sub(r"^(#{1,6}) *(.*?) *#* *$", lambda m: f"{m[1]} {m[2]}", line) if line.startswith("#") else line
            )
        result.append(line)
    return result
