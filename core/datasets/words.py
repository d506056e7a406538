"""The words of a question that carry its meaning: what it asks about, apart from how it asks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from core.datasets.japanese import JAPANESE, morphemes

__all__ = ["figures_of", "same_subject", "words_of"]

_FIGURES = re.compile(
    r"\d+(?:[.,:]\d+)*(?: ?[%‰])?|[ァ-ヴ][ァ-ヴー]+|(?<![A-Za-z])[A-Za-z]++[\-_]?\d[0-9A-Za-z_\-]*|[A-Za-z][#+]+"
)
_SPELLED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))|(?<=[A-Za-z])[\-_](?=\d)|(?<=[ァ-ヴー]{3})ー(?![ァ-ヴー])| (?=[%‰])")
"""What people write or leave out within one figure, code or word: 1,000, X-100, サーバー, 5 %."""

_ENGLISH = re.compile(r"[a-zà-ɏ]+(?:['’][a-z]+)?")
_SAID = frozenset(
    """a an and any are at be been can could did do does for from get give had has have having hello help hi how i if in
    is it its just kindly know let like me may might mine must my need of on or our out please provide say shall should
    show so some tell than that the their them there these they this those to us want was we were what what's which will
    with would you your find learn inform explain describe about also into by as am does exactly
    reply answer question wondering tells thank thanks sure""".split()
)
"""Words with which people ask, whatever they ask about; when, where, who and why ask for different things."""
_ENDINGS = frozenset(("", "s", "es", "ed", "d", "ing", "er", "ers", "ly", "y", "ies", "ied", "e", "led", "ling"))

_ASKED = frozenset(
    """教える 知る 存じる 御存じ 分かる 願う 御願い 伺う 聞く 尋ねる 訊く 言う 見る 為る 有る 居る 成る 出来る
    下さる 頂く     何 幾ら 幾つ
    物 事 時 方 所 為 場合 質問 回答 答える 説明 知らせる 詳しい 宜しい 良い 様 件 御
    此れ 其れ 欲しい 願い 致す 御座る 申す 何れ 他""".split()
)
_CARRYING = frozenset(("名詞", "動詞", "形容詞", "形状詞", "接頭辞", "代名詞"))


def figures_of(text: str) -> frozenset[str]:
    """Return the figures, codes and katakana words of a text, each in one spelling."""
    plain = _SPELLED.sub("", unicodedata.normalize("NFKC", text))
    return frozenset(found.casefold() for found in _FIGURES.findall(plain))


def words_of(text: str) -> frozenset[str]:
    """Return the words of a question that carry meaning: Japanese ones in normal form, English in lower case."""
    return frozenset(_japanese(text)) if JAPANESE.search(text) else frozenset(_english(text))


def same_subject(left: frozenset[str], right: frozenset[str]) -> bool:
    """Tell whether two questions ask about the same thing.

    They do not where each has a word that the other lacks: Tokyo here and Osaka there. A word more on one side is a
    wording more, and an ending more or a letter left out is the same word.
    """
    here, there = left - right, right - left
    if not here or not there:
        return True
    unmatched = [word for word in here if not any(_one_word(word, other) for other in there)]
    others = [word for word in there if not any(_one_word(word, other) for other in here)]
    return not unmatched or not others


def _english(text: str) -> Iterator[str]:
    for word in _ENGLISH.findall(unicodedata.normalize("NFKC", text).casefold()):
        if word not in _SAID:
            yield word.removesuffix("'s").removesuffix("’s")


def _japanese(text: str) -> Iterable[str]:
    for _, word in morphemes(text):
        kind, detail = word.part_of_speech()[:2]
        normal = unicodedata.normalize("NFKC", word.normalized_form()).casefold()
        helping = detail in ("非自立可能", "助動詞語幹") and kind != "名詞"
        if kind in _CARRYING and not helping and normal not in _ASKED and not normal.isdigit():
            yield normal.removesuffix("ー") if len(normal) > 3 else normal


def _one_word(left: str, right: str) -> bool:
    """Tell whether two words are one but for an ending or a letter too few; another letter makes another word."""
    if not (left.isascii() and right.isascii()):
        return False
    short, long = sorted((left, right), key=len)
    same = next((place for place, c in enumerate(short) if c != long[place]), len(short))
    if same >= 4 and short[same:] in _ENDINGS and long[same:] in _ENDINGS:
        return True
    left_out = len(long) == len(short) + 1 and long[:same] + long[same + 1 :] == short
    return len(long) >= 6 and 0 < same and left_out
