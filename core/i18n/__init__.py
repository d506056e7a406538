"""Sentences in Japanese and English: catalogues, the reader's language, numbers, money and time."""

from core.i18n.catalogue import LANGUAGES, Language, catalogue, describe, language, t, use_language
from core.i18n.formats import (
    format_bytes,
    format_datetime,
    format_duration,
    format_money,
    format_number,
    format_percent,
)

__all__ = [
    "LANGUAGES",
    "Language",
    "catalogue",
    "describe",
    "format_bytes",
    "format_datetime",
    "format_duration",
    "format_money",
    "format_number",
    "format_percent",
    "language",
    "t",
    "use_language",
]
