"""Turns Japanese written in です・ます into the plain form (常体) and into the samurai tone (ござる調)."""

from __future__ import annotations

import re
from collections.abc import Callable

# A polite ending where a sentence, a line or a citation follows: only these are rewritten.
_END = re.compile(r"(ませんでした|ません|ました|ます|でした|です)(?=。|！|!|\n|\[|$)")
_STEM = re.compile(r"([^\s。、「」]*)$")
_GODAN = dict(zip("いきぎしちにびみり", "うくぐすつぬぶむる", strict=True))
_NEGATIVE = dict(zip("いきぎしちにびみり", "わかがさたなばまら", strict=True))
_PAST = dict(
    zip("いきぎしちにびみり", ("った", "いた", "いだ", "した", "った", "んだ", "んだ", "んだ", "った"), strict=True)
)
# Verbs whose stem ends in the i-row although they only drop る.
_ONE_STEP = (
    "でき",
    "降り",
    "借り",
    "足り",
    "過ぎ",
    "起き",
    "見",
    "着",
    "てい",
    "でい",
    "がい",
    "もい",
    "にい",
    "人い",
    "名い",
)
_SURU_BEFORE = re.compile(r"([一-鿿々]{2}|[ァ-ヿ]{2}|お[^。、]{1,4})し$")


def _one_step(stem: str) -> bool:
    return stem.endswith(_ONE_STEP) or stem[-1:] not in _GODAN


def _suru(stem: str) -> bool:
    return stem == "し" or stem.endswith(("をし", "がし", "うし", "らし")) or bool(_SURU_BEFORE.search(stem))


def dictionary_form(stem: str) -> str:
    """The dictionary form of a verb from the stem before ます: 持ち → 持つ, 保証し → 保証する, でき → できる."""
    if _suru(stem):
        return stem[:-1] + "する"
    if stem.endswith("てき"):
        return stem[:-1] + "くる"
    return stem + "る" if _one_step(stem) else stem[:-1] + _GODAN[stem[-1]]


def negative_form(stem: str, ending: str = "ない") -> str:
    """The plain negative from the stem before ません: 見つかり → 見つからない; あり → ない."""
    if stem.endswith("あり") and not stem.endswith("であり"):
        return stem[:-2] + ending
    if _suru(stem) or _one_step(stem):
        return stem + ending
    return stem[:-1] + _NEGATIVE[stem[-1]] + ending


def past_form(stem: str) -> str:
    """The plain past from the stem before ました: 持ち → 持った, 始め → 始めた, 保証し → 保証した."""
    if _suru(stem) or _one_step(stem):
        return stem + "た"
    # 行き is the one verb in き whose past is って.
    return stem[:-1] + ("った" if stem.endswith("行き") else _PAST[stem[-1]])


def _rewrite(text: str, verb: Callable[[str], str], copula: dict[str, str]) -> str:
    """Replaces each polite ending; ``verb`` finishes a plain verb, ``copula`` replaces です and でした."""
    done, place = "", 0
    for found in _END.finditer(text):
        done += text[place : found.start()]
        place, ending = found.end(), found.group()
        if ending in copula:
            done += copula[ending]
            continue
        stem = _STEM.findall(done)[0]
        done = done[: len(done) - len(stem)] + verb(_plain_verb(stem, ending))
    return done + text[place:]


def _plain_verb(stem: str, ending: str) -> str:
    if ending == "ます":
        return dictionary_form(stem)
    if ending == "ました":
        return past_form(stem)
    return negative_form(stem, "ない" if ending == "ません" else "なかった")


def plain(text: str) -> str:
    """The text in 常体: 「24か月です。」 → 「24か月だ。」, 「持っていません。」 → 「持っていない。」."""
    return _rewrite(text, lambda verb: verb, {"です": "だ", "でした": "だった"})


def written(text: str) -> str:
    """The text in the である form of reports: 「24か月です。」 → 「24か月である。」."""
    return _rewrite(text, lambda verb: verb, {"です": "である", "でした": "であった"})


def gozaru(text: str) -> str:
    """The text in ござる調: 「24か月です。」 → 「24か月でござる。」, 「あります。」 → 「あるでござる。」."""
    return _rewrite(text, lambda verb: f"{verb}でござる", {"です": "でござる", "でした": "でござった"})
