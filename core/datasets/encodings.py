"""Judge a text file's encoding on the whole file, in bounded memory; its head alone says little.

A Japanese export may begin with ten thousand ASCII rows and hold its first kanji at the end, so every
candidate decodes every byte, and what remains possible is ranked by how Japanese the result reads.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from core.errors import KurabeError

__all__ = ["ENCODINGS", "EncodingJudgement", "encoding_of", "judge_encoding"]

ENCODINGS = ("utf-8", "utf-8-sig", "cp932", "euc_jp", "utf-16", "iso2022_jp", "cp1252")
"""Encodings that a person may name by hand."""

_BLOCK = 1 << 20
_SCORED = 1 << 18
_BEYOND_ASCII = re.compile(r"[\x00-\x7f]+")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = ("utf-8", "cp932", "euc_jp", "cp1252")


@dataclass(frozen=True, slots=True)
class EncodingJudgement:
    """What a file's bytes can be read as."""

    encoding: str
    """Python codec name of the best reading."""
    certain: bool
    """True when a byte order mark or the bytes leave no other sensible reading."""
    alternatives: tuple[str, ...] = ()
    """Other codecs that also decode every byte, best first."""


@dataclass(slots=True)
class _Candidate:
    """One decoder that has not failed yet, and how plausible its text is so far."""

    encoding: str
    decoder: codecs.IncrementalDecoder
    score: int = 0
    alive: bool = True
    scored: int = 0

    def feed(self, block: bytes, final: bool) -> None:
        """Decode one more block, or give up for good."""
        if not self.alive:
            return
        try:
            text = self.decoder.decode(block, final)
        except UnicodeDecodeError:
            self.alive = False
            return
        # UTF-8 needs no score: its rules decide. The others are told apart by far fewer characters than this.
        if self.encoding != "utf-8" and self.scored < _SCORED and not text.isascii():
            beyond = _BEYOND_ASCII.sub("", text)[:_SCORED]
            self.scored += len(beyond)
            self.score += _plausibility(beyond)


def _plausibility(text: str) -> int:
    """Count what written Japanese is made of, less what wrong decoding produces.

    Half-width katakana read as EUC-JP become kanji, a third of them rare ones: those weigh against a reading.
    """
    score = 0
    common = _common_kanji()
    for character in text:
        point = ord(character)
        if 0x3041 <= point <= 0x30FF or 0x3000 <= point <= 0x3002:
            score += 2
        elif 0x4E00 <= point <= 0x9FFF:
            score += 1 if character in common else -2
        elif 0xE000 <= point <= 0xF8FF or 0x80 <= point < 0xA0:
            score -= 1
    return score


@lru_cache(maxsize=1)
def _common_kanji() -> frozenset[str]:
    """Return the kanji of JIS X 0208 level 1 (rows 16 to 47): nearly all that written Japanese uses."""
    pairs = (bytes((lead, trail)) for lead in range(0xB0, 0xD0) for trail in range(0xA1, 0xFF))
    return frozenset(pair.decode("euc_jp", "ignore") for pair in pairs)


def _opened(source: Path | bytes) -> BinaryIO:
    return BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _blocks(source: Path | bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield the file's blocks with True at the last one."""
    with _opened(source) as file:
        block = file.read(_BLOCK)
        while True:
            following = file.read(_BLOCK)
            yield block, not following
            if not following:
                return
            block = following


def judge_encoding(source: Path | bytes, name: str | None = None) -> EncodingJudgement:
    """Return how to read a text file, judged on all of its bytes.

    Args:
        source: The file or its bytes.
        name: What errors call it; the path's name if not given.

    Raises:
        KurabeError: ``datasets.empty_file``; ``datasets.binary_file`` if it is no text (its first bytes are named);
            ``datasets.damaged_text`` if it is UTF-8 but for a few bytes, with the line of the first of them;
            ``datasets.unknown_encoding`` if no candidate decodes every byte.
    """
    called = name or (source.name if isinstance(source, Path) else "-")
    with _opened(source) as file:
        head = file.read(4096)
    if not head:
        raise KurabeError("datasets.empty_file", name=called)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return _checked(source, called, EncodingJudgement(encoding, certain=True))
    if (wide := _utf16_without_mark(head)) is not None:
        return _checked(source, called, EncodingJudgement(wide, certain=False))
    return _best(source, called)


def encoding_of(path: Path, by_hand: str | None) -> EncodingJudgement:
    """Return the encoding that a person chose, else the judged one; a choice also opens what cannot be judged.

    Raises:
        KurabeError: as `judge_encoding`, if nothing was chosen or the file is no text at all.
    """
    if by_hand is None:
        return judge_encoding(path)
    try:
        return replace(judge_encoding(path), encoding=by_hand)
    except KurabeError as error:
        if error.code not in ("datasets.damaged_text", "datasets.unknown_encoding"):
            raise
        return EncodingJudgement(by_hand, certain=False)


def _utf16_without_mark(head: bytes) -> str | None:
    """Recognise UTF-16 by the zero bytes of its ASCII characters: nearly all on odd or nearly all on even places.

    A wide space (U+3000) has its zero byte on the other side.
    """
    zeros = head.count(0)
    if zeros <= len(head) // 10 or len(head) < 4:
        return None
    odd = head[1::2].count(0)
    if odd >= 0.9 * zeros:
        return "utf-16-le"
    return "utf-16-be" if odd <= 0.1 * zeros else None


def _checked(source: Path | bytes, name: str, judgement: EncodingJudgement) -> EncodingJudgement:
    decoder = codecs.getincrementaldecoder(judgement.encoding)()
    try:
        for block, final in _blocks(source):
            decoder.decode(block, final)
    except UnicodeDecodeError as error:
        raise KurabeError(
            "datasets.unknown_encoding",
            name=name,
            tried=judgement.encoding,
            found=error.object[error.start : error.start + 4].hex(" "),
        ) from error
    return judgement


def _best(source: Path | bytes, name: str) -> EncodingJudgement:
    candidates = [_Candidate(name, codecs.getincrementaldecoder(name)()) for name in _CANDIDATES]
    escapes = plain = False
    for block, final in _blocks(source):
        if b"\x00" in block:
            raise KurabeError("datasets.binary_file", name=name, found=_signature(source))
        escapes |= b"\x1b$" in block
        plain |= not block.isascii()
        for candidate in candidates:
            candidate.feed(block, final)
    if escapes and not plain:
        return _checked(source, name, EncodingJudgement("iso2022_jp", certain=True))
    return _ranked(source, name, [candidate for candidate in candidates if candidate.alive])


def _ranked(source: Path | bytes, name: str, alive: list[_Candidate]) -> EncodingJudgement:
    """Prefer UTF-8, whose rules other encodings hardly meet by accident; then the most Japanese reading."""
    if not alive or alive[0].encoding != "utf-8":
        _refuse_damaged_utf8(source, name)
    if not alive:
        raise KurabeError(
            "datasets.unknown_encoding", name=name, tried=", ".join(_CANDIDATES), found=_signature(source)
        )
    if alive[0].encoding == "utf-8":
        return EncodingJudgement("utf-8", certain=True)
    japanese = [candidate for candidate in alive if candidate.encoding != "cp1252" and candidate.score > 0]
    japanese.sort(key=lambda candidate: -candidate.score)
    ordered = japanese + [candidate for candidate in alive if candidate not in japanese]
    names = tuple(candidate.encoding for candidate in ordered)
    return EncodingJudgement(names[0], certain=len(japanese) == 1, alternatives=names[1:])


def _refuse_damaged_utf8(source: Path | bytes, name: str) -> None:
    """Refuse what is UTF-8 but for a few bytes: another encoding would garble all of it without a word.

    Text of CP932 or EUC-JP hardly ever forms UTF-8 by accident, so four good characters for each bad place decide.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = line = 0
    lines = 1
    for block, final in _blocks(source):
        text = decoder.decode(block, final)
        lost = text.count("\ufffd")
        if lost and not bad:
            line = lines + text.count("\n", 0, text.index("\ufffd"))
        lines += text.count("\n")
        bad += lost
        good += sum(1 for character in text if ord(character) > 0x7F) - lost
    if bad and good >= 4 * bad:
        raise KurabeError("datasets.damaged_text", name=name, encoding="utf-8", line=line, count=bad)


def _signature(source: Path | bytes) -> str:
    """Name a well-known binary format, else show the first bytes."""
    with _opened(source) as file:
        head = file.read(8)
    for mark, kind in _SIGNATURES:
        if head.startswith(mark):
            return kind
    return head.hex(" ")


_SIGNATURES = (
    (b"PK\x03\x04", "ZIP/Excel/Word"),
    (b"\xd0\xcf\x11\xe0", "Excel 97-2003 / encrypted Office"),
    (b"%PDF", "PDF"),
    (b"PAR1", "Parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8", "JPEG"),
    (b"SQLite", "SQLite"),
)
