"""One word spelled in several ways (表記揺れ): harmless to people, several words to a tokenizer and to full text."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, rewritten
from core.datasets.japanese import JAPANESE, morphemes, written_out
from core.datasets.rows import Row

__all__ = ["SpellingVariants"]

_KANJI = re.compile(r"[一-鿿々]")
_HIRAGANA = re.compile(r"[ぁ-ゖー]+")
_POLITE = (("ください", "下さい"), ("いただき", "頂き"), ("できます", "出来ます"))
"""Helping verbs, which the analyser cannot tell from verbs of their own (してみる, 見る)."""

_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_FAMILIES = tuple(
    (re.compile(rf"({begin})({middle})({end})"), shown)
    for begin, middle, end, shown in (
        (r"[a-z]{2,}", r"ou?r", r"(?:s|ed|ings?|ites?|able|ful|fully|ers?|hood|ly|less)?", ""),
        (r"[a-z]{3,}", r"[iy][sz]", r"(?:e|es|ed|ers?|ing|ations?|able)", "e"),
        (r"[a-z]*[aeiou][a-z]*[aeiou]", r"ll?", r"(?:ed|ing|ers?)", "ed"),
        (r"(?:cen|thea|li|spec|kilome|centime|millime)t", r"re|er", r"s?", ""),
        (r"(?:fi|cali|sa)b", r"re|er", r"s?", ""),
        (r"(?:cata|ana)log", r"(?:ue)?", r"s?", ""),
        (r"(?:def|off|pret|lic)en", r"[cs]", r"e[sd]?", "e"),
        (r"gr", r"[ae]", r"ys?", "y"),
        (r"alumin", r"iu|u", r"m", "m"),
        (r"(?:judg|acknowledg)", r"e?", r"ments?", "ment"),
        (r"jewel", r"(?:le)?", r"ry", "ry"),
    )
)
"""British and American spelling: beginning, the part that differs, ending, and the ending by which a word is shown."""
_NO_VARIANTS = frozenset(("analyses", "paralyses", "catalyses", "meter", "meters", "metre", "metres"))
"""Nouns that both spell alike, and metre beside meter, which are two words."""
_JOINED = frozenset(
    """email online offline website login logout signup signin checkin checkout setup backup followup startup popup
    preorder reuse onsite inhouse addon plugin dropdown homepage wifi cooperate cooperation coordinate coordination
    lineup makeup takeaway workflow desktop lifetime voicemail""".split()
)
"""Words that some write with a hyphen."""


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
        usual = {key: counts.most_common(1)[0][0] for key, counts in mixed.items()}
        one_way = {"rewrite": partial(_in_usual_spelling, usual=usual)}
        return [self.finding("mixed", "info", found, one_way, words=len(mixed), examples=shown)]


def _words(text: str) -> set[tuple[str, str]]:
    """Return (key that the spellings of one word share, spelling) of each word that could be spelled otherwise."""
    found = {(key, spelling) for _, _, key, spelling in _japanese(text)} if JAPANESE.search(text) else set()
    for family in _POLITE:
        found |= {(family[0], word) for word in family if word in text}
    return found | {known for word in _parts(text) if (known := _english(word)) is not None}


def _parts(text: str) -> Iterator[str]:
    """Yield English words; of colour-coded both parts too."""
    for found in _WORD.findall(text):
        yield found.lower()
        yield from found.lower().split("-") if "-" in found else ()


@lru_cache(maxsize=50_000)
def _english(word: str) -> tuple[str, str] | None:
    """Return what the spellings of one English word share and how this one is spelled, without its ending."""
    bare = word.removesuffix("s")
    if (joined := bare.replace("-", "")) in _JOINED:
        return f"-{joined}", bare
    if word in _NO_VARIANTS or len(word) > 30:
        return None
    for number, (family, shown) in enumerate(_FAMILIES):
        if found := family.fullmatch(word):
            return f"{number}-{found[1]}", f"{found[1]}{found[2]}{shown}"
    return None


def _japanese(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield (place, surface, key, spelling) of Japanese words; 引越し and 引っ越し, サーバー and ｻｰﾊﾞ have one key."""
    for place, word in morphemes(text):
        kind, detail = word.part_of_speech()[:2]
        noun = kind == "名詞" and detail in ("普通名詞", "固有名詞")
        if not noun and not (kind in ("動詞", "形容詞") and detail == "一般"):
            continue
        spelling = word.surface() if noun else word.dictionary_form()
        if JAPANESE.search(spelling) and (key := _key(spelling, word.normalized_form(), noun=noun)):
            yield place, word.surface(), key, spelling


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


def _in_usual_spelling(row: Row, usual: Mapping[str, str]) -> dict[str, Any]:
    """Return the texts of a row in the spelling that most rows have; quotations stay as their documents spell them."""
    return rewritten(row, lambda text: _respelled(text, usual))


def _respelled(text: str, usual: Mapping[str, str]) -> str:
    if text.lstrip().startswith(("{", "[")) or "```" in text:
        return text  # names in code are no spelling of anybody's
    if JAPANESE.search(text) and written_out(text) == text:
        text = _japanese_respelled(text, usual)
    return _WORD.sub(lambda found: _english_respelled(found.group(), usual), text)


def _japanese_respelled(text: str, usual: Mapping[str, str]) -> str:
    pieces: list[str] = []
    end = 0
    for place, surface, key, spelling in _japanese(text):
        wanted = usual.get(key, spelling)
        if spelling == wanted:
            continue
        # of a verb the dictionary form is known: what it ends with stays as it is conjugated (行なった → 行った)
        same = next((n for n in range(min(map(len, (spelling, wanted)))) if spelling[-1 - n] != wanted[-1 - n]), 1)
        stem, other = (surface, wanted) if surface == spelling else (spelling[: -same or None], wanted[: -same or None])
        if surface.startswith(stem):
            pieces += [text[end:place], other, surface[len(stem) :]]
            end = place + len(surface)
    text = "".join([*pieces, text[end:]])
    for family in _POLITE:
        for word in family if family[0] in usual else ():
            text = text.replace(word, usual[family[0]])
    return text


def _english_respelled(word: str, usual: Mapping[str, str]) -> str:
    known = _english(word.lower())
    if known is None and "-" in word:
        return "-".join(_english_respelled(part, usual) for part in word.split("-"))
    wanted = usual.get(known[0]) if known is not None else None
    if known is None or wanted is None or wanted == known[1]:
        return word
    changed = _with_ending(word.lower(), known, wanted)
    return changed.upper() if word.isupper() else changed.capitalize() if word[0].isupper() else changed


def _with_ending(word: str, known: tuple[str, str], wanted: str) -> str:
    """Return a word in another spelling with the ending that it has."""
    if known[0].startswith("-"):
        return wanted + word.removeprefix(known[1])
    family, shown = _FAMILIES[int(known[0].partition("-")[0])]
    found = family.fullmatch(word)
    return wanted.removesuffix(shown) + found[3] if found else word
