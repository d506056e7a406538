"""Markdown: headings, lists and tables stay; front matter, comments and link targets go."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, ClassVar

from core.knowledge.readers._base import DocumentReader, ParsedDocument, cleaned, decoded, stem

__all__ = ["MarkdownReader"]

# No bracket may stand inside brackets, and every run is possessive: a line of brackets alone costs one pass.
_TARGET = r"\((?:[^()\n]++|\([^()\n]*+\))*+\)"
_IMAGE = re.compile(r"!\[([^\[\]\n]*+)\]" + _TARGET)
_LINK = re.compile(r"\[([^\[\]\n]++)\]" + _TARGET)
_FRONT = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\n", re.DOTALL)
_FENCE = re.compile(r"^\s*(```|~~~)")


class MarkdownReader(DocumentReader):
    """Reads Markdown."""

    name: ClassVar[str] = "markdown"
    suffixes: ClassVar[tuple[str, ...]] = (".md", ".markdown")
    media_type: ClassVar[str] = "text/markdown"

    def read(self, data: bytes, name: str) -> ParsedDocument:
        """See `DocumentReader.read`."""
        text, said = decoded(data, name), {}
        if front := _FRONT.match(text):
            text = text[front.end() :]
            said = _front_matter(front.group(1))
        text = cleaned("\n".join(_lines(_without_comments(text).split("\n"))))
        first = re.search(r"^# +(.+)$", text, re.MULTILINE)
        title = said.get("title", "") or (first.group(1).strip() if first else stem(name))
        return ParsedDocument(title, text, notes=_facts(said))


def _front_matter(text: str) -> dict[str, str]:
    """Return the values of front matter; lines of a list are joined with commas."""
    said: dict[str, str] = {}
    name = ""
    for line in text.split("\n"):
        if line.lstrip().startswith("- ") and name:
            said[name] = f"{said[name]}, {line.lstrip()[2:].strip()}".strip(", ")
        elif not line.startswith((" ", "\t", "#")) and ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            said[name] = value.strip().strip("[]\"'").strip()
    return said


def _facts(said: dict[str, str]) -> list[dict[str, Any]]:
    """Return tags and date of front matter as notes; a date that is none is left."""
    facts: list[dict[str, Any]] = []
    tags = [tag.strip().strip("\"'") for tag in re.split(r"[,、]", said.get("tags", ""))]
    if any(tags):
        facts.append({"code": "tags", "params": {"tags": ", ".join(dict.fromkeys(tag for tag in tags if tag))}})
    try:
        facts.append({"code": "dated", "params": {"date": date.fromisoformat(said.get("date", "")[:10]).isoformat()}})
    except ValueError:
        pass
    return facts


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
