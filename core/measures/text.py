"""Text as metrics compare it: normal form, tokens for Japanese and English, citations, abstention."""

from __future__ import annotations

import re
import unicodedata

_CITATION = re.compile(r"[\[［【](\d{1,3}(?:\s*[,、]\s*\d{1,3})*)[\]］】]")
_SPACE = re.compile(r"\s+")
_EDGE_PUNCTUATION = " \t\n.,;:!?。、．,!?・\"'`“”‘’「」『』()（）"
# One token per CJK character, one per run of Latin letters or digits: scoring MLQA's and other
# multilingual question sets this way needs no dictionary and works for mixed scripts.
_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005\u30fc]"
    r"|\d+(?:[.,]\d+)*|[^\W\d_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+(?:['’][^\W\d_\u3040-\u30ff\u3400-\u9fff]+)?"
)
_KANJI_LETTER = r"[\u3400-\u4dbf\u4e00-\u9fff々]"
_KANJI = re.compile(rf"{_KANJI_LETTER}+")
_FENCE = re.compile(r"^\s*```[\w-]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)
_REASONING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)

_ABSTAIN_EN = re.compile(
    r"\b(?:i|we) (?:do not|don't|cannot|can't|could not|couldn't|(?:am|are) not able to|(?:was|am|are) unable to)"
    r" (?:know|find|answer|say|tell|locate|determine|confirm)"
    r"|\b(?:not|isn't|is not|aren't|are not|wasn't|was not) "
    r"(?:stated|mentioned|specified|given|available|covered|included|found|provided|in the)"
    r"(?: \w+){0,3} ?(?:documents?|passages?|context|information|sources?)\b"
    r"|\bno (?:information|mention|answer|details?) (?:about|on|of|is|was|in|for|could|regarding)\b"
    r"|\b(?:documents?|passages?|context|information|sources?|texts?|materials?|excerpts?|manuals?)\b[^.!?]{0,40}"
    r"\b(?:do(?:es)? not|don't|doesn't) (?:contain|mention|say|state|cover|specify|include|provide)\b"
    r"|\bdo not have (?:that|this|any|enough) information\b"
    r"|\b(?:documents?|passages?) (?:have|has) no (?:information|answer)\b"
)
_ABSTAIN_JA = re.compile(
    r"(?:分か|わか|判|解)り(?:ません|かねます|兼ねます)"
    r"|(?:情報|記載|記述|記録|回答|答え|資料)(?![^。]{0,8}必要)[^。]{0,8}(?:ありません|見当たりません|ございません|ない(?:ため|です|ようです|。|$))"
    r"|見つか(?:りません|らなかった|らない)(?!場合|とき|時|際|こと|よう)|見当たりません|見つけられません"
    r"|(?:情報|データ|知識)[^。]{0,4}(?:を)?(?:持って|持ち合わせて)(?:い(?:ません|ない|ぬ)|お(?:りません|らない|らぬ))"
    r"|(?:お答え|回答|お伝え)[^。]{0,4}(?:できません|できかねます|いたしかねます)"
    r"|存じ(?:ません|上げません|ておりません)|不明です|知りません"
    r"|(?:記載|言及|明記)されて(?:い|お)(?:ません|りません|ない(?=$|[。、]|ため|です|ので|よう))"
)


def normal(text: str) -> str:
    """NFKC, case folded, spaces collapsed, citations and outer punctuation gone; for matching only."""
    folded = unicodedata.normalize("NFKC", without_citations(text)).casefold()
    return _SPACE.sub(" ", folded).strip(_EDGE_PUNCTUATION)


def tokens(text: str) -> list[str]:
    """Words and numbers of Latin scripts, single characters of Chinese and Japanese scripts."""
    return _TOKEN.findall(normal(text))


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where each word of a text begins and ends; words as in `tokens`, the text as it stands."""
    return [match.span() for match in _TOKEN.finditer(text)]


def without_citations(text: str) -> str:
    """The text without markers such as `[2]` or `[1, 3]`."""
    return _CITATION.sub("", text)


def citations(text: str) -> list[int]:
    """Passage numbers cited in the text, in order, each once."""
    found: dict[int, None] = {}
    for group in _CITATION.findall(unicodedata.normalize("NFKC", text)):
        for number in re.split(r"\s*[,、]\s*", group):
            found[int(number)] = None
    return list(found)


def without_fence(text: str) -> str:
    """The inside of a Markdown code fence that is the whole text; else the text."""
    match = _FENCE.match(text)
    return match.group(1) if match else text


def without_reasoning(text: str) -> str:
    """The text without `<think>…</think>` blocks, which servers without a reasoning field leave in."""
    return _REASONING.sub("", text).strip()


def abstains(text: str) -> bool:
    """Whether the text says that the answer is not known, in English or Japanese.

    Recognised by set phrases; a reply that evades in other words counts as an answer.
    """
    folded = unicodedata.normalize("NFKC", text).replace("’", "'")
    return bool(_ABSTAIN_EN.search(folded.casefold()) or _ABSTAIN_JA.search(folded))


def contains_phrase(text: str, phrase: str) -> bool:
    """Whether the normal form of `phrase` stands in `text`, not inside a longer word or number."""
    wanted, given = normal(phrase), normal(text)
    if not wanted:
        return False
    before = r"(?<![a-z0-9])" if wanted[0].isascii() and wanted[0].isalnum() else ""
    # a figure is not the beginning of a longer one: 2 is not in 2.5, 1 not in 1,200
    after = r"(?![a-z0-9]|[.,]\d)" if wanted[-1].isascii() and wanted[-1].isalnum() else ""
    if wanted[0].isdigit():
        before = r"(?<![a-z0-9])(?<!\d[.,])"
    if _KANJI.fullmatch(wanted):
        # without spaces, a longer word or a negation would hold it: 京都 in 東京都, 可能 in 不可能
        before = rf"(?:(?<!{_KANJI_LETTER})|(?<=[約毎週計]))" if len(wanted) <= 2 else "(?<![不非未無])"
    return re.search(before + re.escape(wanted) + after, given) is not None
