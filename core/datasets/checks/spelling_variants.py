"""One word spelled in several ways (表記揺れ): harmless to people, several words to a tokenizer and to full text."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from sudachipy import Dictionary, SplitMode, Tokenizer

from core.datasets.checks._base import Check, CheckInput, Finding

__all__ = ["SpellingVariants"]

_AT_ONCE = 10_000
"""Characters analysed at once; Sudachi takes at most 49,149 bytes."""

_JAPANESE = re.compile(r"[ぁ-ヿ一-鿿ｦ-ﾟ]")
_KANJI = re.compile(r"[一-鿿々]")
_HIRAGANA = re.compile(r"[ぁ-ゖー]+")
_POLITE = (("ください", "下さい"), ("いただき", "頂き"), ("できます", "出来ます"))
"""Helping verbs, which the analyser cannot tell from verbs of their own (してみる, 見る)."""
_ENGLISH = (
    ("color", "colour"), ("center", "centre"), ("organize", "organise"), ("catalog", "catalogue"), ("fiber", "fibre"),
    ("canceled", "cancelled"), ("license", "licence"), ("email", "e-mail"), ("online", "on-line"), ("liter", "litre"),
)  # fmt: skip


@dataclass(frozen=True)
class SpellingVariants(Check):
    """Finds Japanese words by their normal form in the Sudachi dictionary, and British among American spelling."""

    name: ClassVar[str] = "spelling_variants"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        spelled: dict[str, Counter[str]] = defaultdict(Counter)
        rows: dict[str, list[int]] = defaultdict(list)
        for position, row in data.rows():
            for key, word in _words(f"{row.question}\n{row.answer}"):
                spelled[key][word] += 1
                if len(rows[word]) < 200:
                    rows[word].append(position)
        mixed = {key: counts for key, counts in spelled.items() if len(counts) > 1}
        if not mixed:
            return []
        rare = [word for counts in mixed.values() for word, _ in counts.most_common()[1:]]
        shown = "; ".join(" / ".join(counts) for counts in list(mixed.values())[:5])
        found = sorted({position for word in rare for position in rows[word]})
        return [self.finding("mixed", "info", found, words=len(mixed), examples=shown)]


def _words(text: str) -> set[tuple[str, str]]:
    """Return (key that the spellings of one word share, spelling) of each word that could be spelled otherwise."""
    found = set(_japanese(text)) if _JAPANESE.search(text) else set()
    lowered = text.casefold()
    for family in _POLITE:
        found |= {(family[0], word) for word in family if word in text}
    for family in _ENGLISH:
        found |= {(family[0], word) for word in family if re.search(rf"\b{re.escape(word)}s?\b", lowered)}
    return found


def _japanese(text: str) -> Iterator[tuple[str, str]]:
    """Yield the words of Japanese text; 引越し and 引っ越し, サーバー and ｻｰﾊﾞ have one key."""
    # One character may be several to the analyser (㍿): they are written out before the text is cut to its limit.
    for part in re.findall(rf"[\s\S]{{1,{_AT_ONCE}}}", _written_out(text)):
        for word in _tokenizer().tokenize(part):
            kind, detail = word.part_of_speech()[:2]
            noun = kind == "名詞" and detail in ("普通名詞", "固有名詞")
            if not noun and not (kind in ("動詞", "形容詞") and detail == "一般"):
                continue
            spelling = word.surface() if noun else word.dictionary_form()
            if _JAPANESE.search(spelling) and (key := _key(spelling, word.normalized_form(), noun=noun)):
                yield key, spelling


def _key(spelling: str, normal: str, *, noun: bool) -> str | None:
    """Return what the spellings of one word share, or None where kana and kanji are chosen by meaning.

    聞く and 聴く have one normal form and are two words, as are 使う and 使える; とき and 時 are one that nobody minds.
    """
    if _HIRAGANA.fullmatch(spelling) and (len(spelling) < 3 or len(_KANJI.findall(normal)) < 2):
        return None
    if noun:
        plain = unicodedata.normalize("NFKC", normal).replace("・", "").replace("ヴァ", "バ").replace("ヴ", "ブ")
        return re.sub(r"ー$", "", plain) if len(plain) > 3 else plain
    return f"{normal} {''.join(_KANJI.findall(spelling))} {spelling[-1:]}"


def _written_out(text: str) -> str:
    """Write characters that stand for several out; all others stay as people wrote them."""
    if unicodedata.is_normalized("NFKC", text):
        return text
    return "".join(plain if len(plain := unicodedata.normalize("NFKC", c)) > 1 else c for c in text)


_OWN = threading.local()


def _tokenizer() -> Tokenizer:
    """Return this thread's analyser: one serves a single caller at a time, and pages of several people run at once."""
    if not hasattr(_OWN, "tokenizer"):
        _OWN.tokenizer = _dictionary().tokenizer(mode=SplitMode.C)
    made: Tokenizer = _OWN.tokenizer
    return made


@cache
def _dictionary() -> Dictionary:
    return Dictionary(dict="small")
