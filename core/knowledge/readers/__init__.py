"""Document readers, one file a format: text with its headings, tables and pages, and what could not be read."""

from core.knowledge.readers._base import DocumentReader, ParsedDocument, document_readers, parse, reader_for

__all__ = ["DocumentReader", "ParsedDocument", "document_readers", "parse", "reader_for"]
