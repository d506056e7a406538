"""Names of persons in Japanese text, by the Sudachi dictionary and by what stands beside them.

A family name alone is no person: Japanese companies, places and products are called after families (小林製薬,
松本城, 石川県). So a name counts only with its given name, with a form of address, or after a label such as 担当者.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.datasets.japanese import JAPANESE, morphemes

__all__ = ["person_names"]

_ADDRESSED = re.compile(
    r"さん|様|さま|氏|君|くん|ちゃん|殿|先生|先輩|医師|教授|弁護士|(?:次|店|部|課|係|社|会|院|所|室|校)長"
    r"|副[店部社会院所校]長|主任|専務|常務|取締役|監督|選手|議員|夫妻|夫人"
)
"""What people put behind a person's name."""
_ORGANISATION = re.compile(
    r"株式|有限|合同|会社|\(株|㈱|商事|商店|商会|製薬|製作|製菓|製粉|製紙|薬品|電機|電器|電気|電工|電力|家電|工業|産業|興業|建設|"
    r"工務店|不動産|物産|食品|酒造|醸造|印刷|出版|書店|銀行|証券|生命|保険|病院|医院|クリニック|歯科|内科|薬局|法律|会計|税理|"
    r"事務所|記念|美術館|博物館|図書館|大学|高校|学園|学院|小学|中学|財団|空港|駅|線|賞|杯|式|流|派|城|町|市|県|区|村|島|山|川|橋|"
    r"通り|ビル|グループ|ホール|ブランド|モデル|シリーズ|カメラ|自動車|技研|重工|製|研究所|科学|法則|定理|病"
)
"""What follows a family's name in the name of a company, a place or a thing."""
_LABEL = re.compile(
    r"(?:担当者?|責任者|代表者?|氏名|お?名前|ご?芳名|記入者|申込者|契約者|受取人|差出人|宛名|宛先|届け?先|連絡先|作成者|承認者|"
    r"患者|会員|本人|窓口|上司|部下|同僚|店員|社員|署名)(?:名|様)?(?:[:=はがのを]|\s|、|[(「]){1,3}$"
)
_CALLED = re.compile(
    r" ?(?:と(?:申し|言い|いい)|でございます|宛|あて|名義|\( ?\d{1,3} ?歳)"
    r"|です[。、]? ?(?:お世話|いつも|よろしく|初め|はじめ)"
)
"""What people write behind a name when they give their own, or behind another's."""
_GAP = re.compile(r"[ ・·=]")
_KATAKANA = re.compile(r"[ァ-ヴー]+")
_KANJI = re.compile(r"[一-鿿々]{2,}")


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    text: str
    kind: str
    """``family``, ``given``, ``name`` (of another language), ``place``, ``gap`` between parts of a name, or empty."""


def person_names(text: str) -> Iterator[tuple[int, int]]:
    """Yield where names of persons stand in `text`, each whole, without the form of address.

    Args:
        text: Text in NFKC, as the analyser counts its characters.
    """
    if not JAPANESE.search(text):
        return
    words = [_word(start, found.surface(), found.part_of_speech()) for start, found in morphemes(text)]
    place = 0
    while place < len(words):
        end = _name_end(words, place)
        if end > place and _is_person(text, words[place:end]):
            yield words[place].start, words[end - 1].end
        place = max(end, place + 1)


def _word(start: int, surface: str, speech: Sequence[str]) -> _Word:
    kind = ""
    if speech[1] == "固有名詞" and speech[2] == "人名":
        kind = {"姓": "family", "名": "given"}.get(speech[3], "name")
    elif speech[1] == "固有名詞" and speech[2] == "地名":
        kind = "place"
    elif _GAP.fullmatch(surface):
        kind = "gap"
    return _Word(start, start + len(surface), surface, kind)


def _name_end(words: Sequence[_Word], place: int) -> int:
    """Return behind which word a name that begins here ends; `place` itself if none begins."""
    if words[place].kind == "place":
        return _after_place(words, place)
    end = place
    while end < len(words) and words[end].kind in ("family", "given", "name", "gap"):
        end += 1
    while end > place and words[end - 1].kind == "gap":
        end -= 1
    return end if words[place].kind != "gap" else place


def _after_place(words: Sequence[_Word], place: int) -> int:
    """Return the end of a name whose family is called as a place is (千葉太郎): only a given name in kanji shows it."""
    behind = place + 1 + (place + 1 < len(words) and words[place + 1].kind == "gap")
    is_name = behind < len(words) and words[behind].kind == "given" and _KANJI.fullmatch(words[behind].text)
    return behind + 1 if is_name else place


def _is_person(text: str, name: Sequence[_Word]) -> bool:
    """Tell whether a name is a person's, by its parts and by what stands before and behind it."""
    before, behind = text[max(0, name[0].start - 12) : name[0].start], text[name[-1].end : name[-1].end + 12]
    if _ORGANISATION.match(behind):
        return False
    if _is_whole(name) or _ADDRESSED.match(behind) or _CALLED.match(behind):
        return True
    return name[0].kind == "family" and _LABEL.search(before) is not None


def _is_whole(name: Sequence[_Word]) -> bool:
    """Tell whether family and given name stand together; names in katakana without a gap may be a shop's."""
    kinds = [word.kind for word in name if word.kind != "gap"]
    if len(kinds) == len(name) and all(_KATAKANA.fullmatch(word.text) for word in name):
        return False
    both = kinds[0] in ("family", "place") and "given" in kinds[1:]
    foreign = len(kinds) > 1 and kinds[0] == "name" and "place" not in kinds
    return (both or foreign) and sum(len(word.text) for word in name) > 2
