"""Names of products, branches, people, plans and procedures: pools and invented ones."""

from __future__ import annotations

import random

SYLLABLES = (
    "ba be bi bo bu da de di do du fa fe fi fo ga ge gi go ha he ho ja jo ju ka ke ki ko ku la le li lo lu ma me mi "
    "mo mu na ne ni no nu pa pe pi po ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa we wi ya yo za ze "
    "zi zo qua xen tor vex lin mar nel pax ryn dor bel kan fen gol has jun lor mun per sil tam ulm wex yar zan"
).split()
KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワガギグゴザジダデドバビブベボパピプポ"
KANJI = "青緑白黒赤金銀山川海森林竹松梅桜花月星空風雲雪石水火光南北東西中上下新古大小高長広丘谷池泉原野本港橋町里島岡崎浜沢井田村"
SUFFIXES = ("Pro", "Mini", "Max", "Lite", "Plus", "Air", "X", "S", "Duo", "One", "Eco", "Go")
SUFFIXES_JA = ("プロ", "ミニ", "ライト", "プラス", "エコ", "デュオ", "ワン", "エアー")

_SURNAMES = (
    "Tanaka/田中 Sato/佐藤 Suzuki/鈴木 Mori/森 Kato/加藤 Ito/伊藤 Ueda/上田 Ono/小野 Hara/原 Kudo/工藤 Noda/野田 Endo/遠藤 "
    "Abe/阿部 Ogawa/小川 Miura/三浦 Sakai/酒井 Doi/土井 Imai/今井 Hirano/平野 Maeda/前田 Okada/岡田 Takagi/高木 Nagai/永井 "
    "Baker/ベイカー Novak/ノバク Silva/シルバ Weber/ウェーバー Rossi/ロッシ Larsen/ラーセン Kim/キム Dubois/デュボワ Costa/コスタ "
    "Moore/ムーア Ivanov/イワノフ Gupta/グプタ"
)
_GIVEN = (
    "Mika/美香 Ken/健 Yui/結衣 Taro/太郎 Hana/花 Jun/純 Emi/恵美 Ryo/涼 Aki/明 Nao/直 Sho/翔 Rei/玲 Kana/加奈 Goro/五郎 Yuki/雪 "
    "Anna/アンナ Paul/ポール Nina/ニーナ Omar/オマール Lena/レナ Hugo/ヒューゴ Sara/サラ Ivo/イヴォ Mara/マラ Tom/トム Vera/ベラ "
    "Leo/レオ Ada/エイダ Noah/ノア Iris/アイリス"
)


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(w.split("/")[0], w.split("/")[1]) for w in text.split()]


SURNAMES = _pairs(_SURNAMES)
GIVEN = _pairs(_GIVEN)


def syllable_word(rng: random.Random, low: int, high: int) -> str:
    """An invented lower-case word of low to high syllables."""
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(low, high)))


def person_name(rng: random.Random) -> tuple[str, str]:
    """A person of the pools, or with an invented surname: (English, Japanese)."""
    given, given_ja = rng.choice(GIVEN)
    if rng.random() < 0.35:
        surname = syllable_word(rng, 2, 3).capitalize()
        first, second = rng.choice(KANJI), rng.choice(KANJI)
        surname_ja = first + second
    else:
        surname, surname_ja = rng.choice(SURNAMES)
    joint = "・" if given_ja[0] >= "ァ" and given_ja[0] <= "ヿ" else ""
    if joint:
        return f"{given} {surname}", f"{given_ja}{joint}{surname_ja}"
    return f"{given} {surname}", f"{surname_ja}{given_ja}"
