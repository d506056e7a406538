"""Characters that a wrong decoding left behind, and those that nobody sees."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, Rewrite, rewritten, shortened

__all__ = ["Mojibake", "is_garbled", "restored", "without_invisible"]

_REPLACEMENT = re.compile(r"\ufffd|ï¿½")
_UTF8_AS_LATIN = re.compile(
    r"Ã[\x80-\xbf©¨¢¤¶¼±³º§®«»´¸]|â€[\x80-\xbf™œ\u009d“”˜]|(?:[ãäåæçèé][\x80-\xbf€-™]{1,2}){2,}"
)
_UTF8_AS_CP932 = re.compile(r"(?:縺|繧|繝|蜿|荳|譁|鬘|菴|逕|縲)[\u0000-\uffff]?(?:縺|繧|繝|縲|蜿|荳|譁|菴|逕|[ｦ-ﾟ])")
_CP932_AS_LATIN = re.compile(r"(?:[\x82\x83‚ƒ][\x80-\xff\u0152-\u2122]){3,}")
# Kana of EUC-JP begin with A4 or A5: half-width ､ and ･ to CP932, ¤ and ¥ to Latin-1.
_EUC_AS_CP932 = re.compile(r"(?:[､･][\uff61-\uff9f]){2,}")
_EUC_AS_LATIN = re.compile(r"(?:[¤¥][\xa1-\xf6]){2,}")
_UTF8_AS_MAC = re.compile(r"‚Ä[ôúùîìòñ¶¢ò]|√[©®†°ß∂º¥≠±§¢´ª]")
_KINDS = (
    _REPLACEMENT,
    _UTF8_AS_LATIN,
    _UTF8_AS_CP932,
    _CP932_AS_LATIN,
    _EUC_AS_CP932,
    _EUC_AS_LATIN,
    _UTF8_AS_MAC,
)
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_BREAKS = re.compile(r"[\u2028\u2029]")
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")
"""Characters that a company made for itself (外字): another font shows nothing, and only people know what was meant."""

_READ_AS = (
    ("cp1252", "utf-8"), ("latin-1", "utf-8"), ("cp932", "utf-8"), ("mac_roman", "utf-8"),
    ("cp932", "euc_jp"), ("latin-1", "euc_jp"), ("cp1252", "cp932"), ("latin-1", "cp932"),
)  # fmt: skip
"""How text was read and how it was written."""


@dataclass(frozen=True)
class Mojibake(Check):
    """Finds garbled text, and control characters that nobody sees but the model reads."""

    name: ClassVar[str] = "mojibake"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        garbled: list[int] = []
        control: list[int] = []
        sample = ""
        repaired = stripped = False
        for position, row in data.rows():
            text = f"{row.question}\n{row.answer}"
            if is_garbled(text):
                garbled.append(position)
                sample = sample or shortened(text)
                repaired = repaired or restored(text) != text or restored(row.answer) != row.answer
            elif _INVISIBLE.search(text) or _BREAKS.search(text) or _PRIVATE.search(text):
                control.append(position)
                stripped = stripped or without_invisible(text) != text
        findings = []
        if garbled:
            findings.append(self.finding("garbled", "error", garbled, _repair(repaired, restored), sample=sample))
        if control:
            findings.append(self.finding("control", "warning", control, _repair(stripped, without_invisible)))
        return findings


def is_garbled(text: str) -> bool:
    """Tell whether text shows the traces of UTF-8, CP932 or EUC-JP read as something else, or of a loss."""
    return any(pattern.search(text) for pattern in _KINDS)


def restored(text: str) -> str:
    """Return garbled text as it was written, where all of its bytes are still there; else the text as it is."""
    if not is_garbled(text):
        return text
    for read, written in _READ_AS:
        try:
            found = text.encode(read).decode(written)
        except UnicodeError:
            continue
        if not is_garbled(found) and not _INVISIBLE.search(found):
            return found
    return text


def without_invisible(text: str) -> str:
    """Return text without control characters; separators of lines become line breaks."""
    return _INVISIBLE.sub("", _BREAKS.sub("\n", text))


def _repair(possible: bool, change: Callable[[str], str]) -> dict[str, Rewrite] | None:
    return {"rewrite": partial(rewritten, change=change)} if possible else None
