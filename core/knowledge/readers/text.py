"""Plain text: paragraphs as they stand; a short first line alone is the title."""

from __future__ import annotations

from typing import ClassVar

from core.knowledge.readers._base import DocumentReader, ParsedDocument, decoded, stem

__all__ = ["TextReader"]


class TextReader(DocumentReader):
    """Reads plain text."""

    name: ClassVar[str] = "text"
    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".text", ".log")
    media_type: ClassVar[str] = "text/plain"

    def read(self, data: bytes, name: str) -> ParsedDocument:
        """See `DocumentReader.read`."""
        text = decoded(data, name)
        head, _, rest = text.partition("\n\n")
        alone = "\n" not in head and len(head) <= 80 and rest and not head.rstrip().endswith((".", "。", ":", ":"))
        return ParsedDocument(head.strip("#＃■●◆= ") if alone else stem(name), text)
