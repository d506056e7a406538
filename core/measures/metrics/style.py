"""Style: form, tone and set phrases of the reference answers are kept."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from ..case import Case, Measured, Metric
from ..text import normal, tokens, without_citations

_SENTENCE_END = re.compile(r"(?<=[。．!?！？])(?![」』)）])|(?<=\.)(?=\s|\Z)|\n+")
_LIST = re.compile(r"^\s*(?:[-*+•・●◦]|\d{1,2}[.)、．]|[①-⑳])\s*\S", re.MULTILINE)
_FENCED = re.compile(r"^\s*```")
_JAPANESE = re.compile(r"[\u3041-\u30ff\u3400-\u9fff]")
_HIRAGANA_END = re.compile(r"[\u3041-\u309f]+$")
_EMOJI = re.compile(r"[\U0001f300-\U0001faff\u2600-\u27bf]")

_ENDINGS = {
    "honorific": r"(?:ござい|いたし|致し|おり|存じ|申し上げ)ま(?:す|した|せん|しょう)|いただけますと幸いです",
    "custom": r"(?:でござる|でおじゃる|なのだ|のだ|のじゃ|じゃ|にゃ(?:ん)?|ぴょん|っす|ぜ|だぞ|やで|やねん|[でま]すわ)",
    "polite": r"(?:です|でした|でしょう|ます|ました|ません|ましょう|ください|下さい|ませ)(?:か|ね|よ|よね)?",
    "plain": r"(?:である|であった|だった|だ|ない|なかった|できる|ある|いる|する|した|なる|なった)(?:か|ね|よ|よね)?",
}
"""How Japanese sentences end, by register; the first that fits counts."""
_REGISTERS = {name: re.compile(rf"(?:{ending})$") for name, ending in _ENDINGS.items()}

_MARKS = {
    "greeting": r"^\W*(?:dear\b|hello\b|hi\b|hey\b|good (?:morning|afternoon|evening)|greetings\b"
    r"|こんにちは|こんばんは|おはよう|はじめまして|拝啓|いつも|お世話に|毎度|やあ|ようこそ)",
    "thanks": r"\bthank(?:s| you)\b|we appreciate|ありがと|感謝|御礼|お礼",
    "closing": r"(?:(?:kind|best|warm) regards|sincerely|yours (?:truly|faithfully)|let (?:me|us) know"
    r"|(?:glad|happy) to help|hope (?:this|that) helps|have a (?:nice|great|good) day|feel free to)"
    r"[^\n]*(?:\n[^\n]*){0,2}\Z"
    r"|(?:よろしくお願い|お気軽に|ご不明な点|お待ちして|敬具|以上です|以上、|失礼いたします)[^\n]*(?:\n[^\n]*)?\Z",
    "apology": r"\b(?:sorry|apologi[sz]e|apologies|unfortunately)\b|申し訳|恐れ入り|すみません|ごめん|あいにく",
    "exclaiming": r"[!！]",
    "asking": r"[?？]\s*\Z",
    "casual": r"\b(?:gonna|wanna|gotta|yeah|yep|nope|cool|awesome|no worries|guys|btw|lol)\b"
    r"|じゃん|だよ|めっちゃ|マジ|[(（]笑[)）]|(?<![a-z])w{2,}(?![a-z.])",
    "contraction": r"\b\w+(?:n't|'(?:re|ve|ll|m|d))\b|\b(?:it|that|there|what|here|let)'s\b",
    "first_person": r"\b(?:i|we|our|us|my)\b|(?:私|わたし|僕|俺|拙者|当社|弊社|当店)(?:ども|たち|は|が|の|も|で)",
    "bold": r"\*\*[^*\n]+\*\*|^#{1,6}\s",
}
"""What a text can have or not have."""
_PATTERNS = {name: re.compile(pattern, re.IGNORECASE | re.MULTILINE) for name, pattern in _MARKS.items()}

_FEWEST, _LEAST_SHARE = 3, 0.05
"""A phrase belongs to the house when so many references, and such a share of them, begin or end with it."""


def sentences_of(text: str) -> list[str]:
    """Sentences and lines of a text with their closing marks; a point inside a number or a name ends nothing."""
    return [part.strip() for part in _SENTENCE_END.split(without_citations(text)) if tokens(part)]


def house_phrases(references: Iterable[str]) -> tuple[str, ...]:
    """Phrases that many references begin or end with: a greeting, a closing line, whatever the house always says.

    Only texts of two sentences or more can show one, since else every frequent answer would be a phrase.

    Args:
        references: Reference answers of one dataset, most usefully those of the training split.

    Returns:
        Sentences in their normal form, most frequent first, then by the alphabet.
    """
    texts = [sentences_of(text) for text in references]
    told = [found for found in texts if len(found) > 1]
    ends = Counter(phrase for found in told for phrase in {normal(found[0]), normal(found[-1])} if phrase)
    needed = max(_FEWEST, _LEAST_SHARE * len(told))
    often = ((-count, phrase) for phrase, count in ends.items() if count >= needed)
    return tuple(phrase for _, phrase in sorted(often))


def form_of(text: str) -> str:
    """How a text is laid out: `json`, `code`, `list`, `label` (a code, name or number alone) or `prose`."""
    stripped = text.strip()
    if _FENCED.match(stripped):
        return "json" if stripped.lower().startswith("```json") else "code"
    if stripped[:1] in ("{", "["):
        try:
            json.loads(stripped)
            return "json"
        except ValueError:
            pass
    if len(_LIST.findall(stripped)) >= 2:
        return "list"
    short = len(tokens(stripped)) <= 4 and "\n" not in stripped and not stripped.endswith((".", "。", "!", "?"))
    return "label" if short and not _register(stripped) else "prose"


def _register(sentence: str) -> str | None:
    """How a Japanese sentence ends: a register, the custom ending itself, or `noun`; None for other languages."""
    bare = re.sub(r"[\W_]+$", "", sentence)
    for name, ending in _REGISTERS.items():
        if found := ending.search(bare):
            return f"ending:{found.group()}" if name == "custom" else f"ending.{name}"
    if len(_JAPANESE.findall(bare)) < 4:
        return None
    return "ending.plain" if _HIRAGANA_END.search(bare) else "ending.noun"


def style_marks(text: str, phrases: Iterable[str] = ()) -> dict[str, float]:
    """Marks of a text's style with their weights: 1 for what it has, for sentence endings their share.

    Args:
        text: Any text.
        phrases: Phrases of the house in their normal form, as `house_phrases` finds them.
    """
    folded = unicodedata.normalize("NFKC", without_citations(text)).replace("’", "'").strip()
    form = form_of(folded)
    marks = {f"form.{form}": 1.0}
    if form in ("json", "code", "label"):
        return marks
    endings = Counter(register for sentence in sentences_of(folded) if (register := _register(sentence)))
    marks |= {register: count / endings.total() for register, count in endings.items()}
    marks |= {name: 1.0 for name, pattern in _PATTERNS.items() if pattern.search(folded)}
    if _EMOJI.search(folded):
        marks["emoji"] = 1.0
    plain = normal(folded)
    return marks | {f"phrase:{phrase}": 1.0 for phrase in phrases if phrase in plain}


@dataclass(frozen=True)
class Style(Metric):
    """How much the answer's style marks agree with those of the reference, from 0 to 1.

    Marks are the form (prose, list, JSON, a bare code), the share of Japanese sentence endings by register
    (です・ます, だ・である, ございます, custom ones as でござる, nouns), greeting, thanks, closing words, apology,
    exclamation, question at the end, casual words, contractions, first person, bold text, emoji, and the phrases that
    the dataset's references share (`Case.phrases`). The value is their weighted Jaccard similarity Σ min / Σ max
    (Ružička 1958): what is lost and what is added counts alike. It says nothing about whether the answer is right.
    """

    name: ClassVar[str] = "style"
    binary: ClassVar[bool] = False

    house: bool = field(default=True, metadata={"help": "measures.field.style.house.help"})
    """Whether phrases count that many references of the dataset begin or end with."""

    def score(self, case: Case) -> Measured:
        """Compare the marks of answer and reference."""
        if not tokens(case.reference):
            return Measured(None, "not_applicable_reference")
        if not tokens(case.answer_text):
            return Measured(0.0, "empty_answer")
        phrases = case.phrases if self.house else ()
        wanted, given = style_marks(case.reference, phrases), style_marks(case.answer_text, phrases)
        names = wanted.keys() | given.keys()
        shared = sum(min(wanted.get(name, 0.0), given.get(name, 0.0)) for name in names)
        value = shared / sum(max(wanted.get(name, 0.0), given.get(name, 0.0)) for name in names)
        lost, added = sorted(wanted.keys() - given.keys()), sorted(given.keys() - wanted.keys())
        reason = "style_kept" if value > 0.999 else "style_differs"
        return Measured(min(1.0, value), reason, {"lost": lost, "added": added})
