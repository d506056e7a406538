"""One word spelled in several ways (表記揺れ): harmless to people, several words to a tokenizer and to full text."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding

__all__ = ["SpellingVariants", "folded_spelling"]

_KATAKANA = re.compile(r"[ァ-ヴ][ァ-ヴー・]{2,}|[ｦ-ﾟ]{3,}")
_PAIRED = (
    ("問い合わせ", "問合せ", "問合わせ"), ("取り扱い", "取扱い"), ("申し込み", "申込み"), ("引き換え", "引換え"),
    ("組み合わせ", "組合せ"), ("受け付け", "受付け"), ("ください", "下さい"),
    ("いただき", "頂き"), ("できます", "出来ます"), ("子ども", "子供"),
)  # fmt: skip
_ENGLISH = (
    ("color", "colour"), ("center", "centre"), ("organize", "organise"), ("catalog", "catalogue"), ("fiber", "fibre"),
    ("canceled", "cancelled"), ("license", "licence"), ("email", "e-mail"), ("online", "on-line"), ("liter", "litre"),
)  # fmt: skip


@dataclass(frozen=True)
class SpellingVariants(Check):
    """Finds katakana words with and without long vowel, half-width kana, okurigana, British among American spelling."""

    name: ClassVar[str] = "spelling_variants"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        spelled: dict[str, Counter[str]] = defaultdict(Counter)
        rows: dict[str, list[int]] = defaultdict(list)
        for position, row in data.rows():
            for word in _words(f"{row.question}\n{row.answer}"):
                spelled[folded_spelling(word)][word] += 1
                if len(rows[word]) < 200:
                    rows[word].append(position)
        mixed = {key: counts for key, counts in spelled.items() if len(counts) > 1}
        if not mixed:
            return []
        rare = [word for counts in mixed.values() for word, _ in counts.most_common()[1:]]
        shown = "; ".join(" / ".join(counts) for counts in list(mixed.values())[:5])
        found = sorted({position for word in rare for position in rows[word]})
        return [self.finding("mixed", "info", found, words=len(mixed), examples=shown)]


def _words(text: str) -> set[str]:
    found = {word.strip("・") for word in _KATAKANA.findall(text)}
    lowered = text.casefold()
    found |= {word for family in _PAIRED for word in family if word in text}
    for family in _ENGLISH:
        found |= {word for word in family if re.search(rf"\b{re.escape(word)}s?\b", lowered)}
    return found


_FAMILY = {word: family[0] for family in (*_PAIRED, *_ENGLISH) for word in family}


def folded_spelling(word: str) -> str:
    """Return the key that the spellings of one word share: サーバー, サーバ and ｻｰﾊﾞ have one."""
    if word in _FAMILY:
        return _FAMILY[word]
    plain = (
        unicodedata.normalize("NFKC", word)
        .replace("・", "")
        .replace("ヴァ", "バ")
        .replace("ヴィ", "ビ")
        .replace("ヴ", "ブ")
    )
    return re.sub(r"ー(?=$)", "", plain) if len(plain) > 3 else plain
