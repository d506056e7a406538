"""Frames that make many wordings of few: around a keyword, and around a whole sentence or question.

``{w}`` is a word that only one attribute of this kind of entity uses, ``{W}`` the same with a capital letter,
``{s}`` a sentence or question that begins inside another one.
"""

from __future__ import annotations

KEYWORD_DOCUMENTS: dict[str, tuple[str, ...]] = {
    "en": (
        "The {p}: {w}, {v}.",
        "{W}, the {p}: {v}.",
        "The {p} ({w}): {v}.",
        "With the {p}, {w} stands for {v}.",
        "Under {w}, the {p} shows {v}.",
        "As for {w}, the {p} comes with {v}.",
        "The {p} and {w}: {v}.",
        "When it comes to {w}, the {p} is at {v}.",
        "For the {p}, see {w}: {v}.",
        "About the {p}: {w} {v}.",
        "{W} with the {p} - {v}.",
        "The {p} is entered in our list, {w}: {v}.",
        "Note on the {p}, {w}: now {v}.",
    ),
    "ja": (
        "{p}、{w}: {v}。",
        "{p}({w}){v}。",
        "{p}・{w}・{v}。",
        "{w}に関して、{p}は{v}です。",
        "{w}の項目では、{p}は{v}。",
        "{p}は{w}の欄に{v}とあります。",
        "{p}で{w}といえば{v}です。",
        "{w}のこと、{p}なら{v}です。",
        "{p}のデータ、{w}、{v}。",
        "{p}については{w}の点で{v}となります。",
        "{p}の表では、{w}が{v}と記されている。",
        "{p}、{w}という点では{v}だ。",
    ),
}
KEYWORD_QUESTIONS: dict[str, tuple[str, ...]] = {
    "en": (
        "{p} {w}?",
        "{p} {w}",
        "{p}, {w}?",
        "{W}, {p}?",
        "{w} {p}",
        "{p}: {w}?",
        "{W} and the {p}?",
        "Tell me about {w} and the {p}.",
        "What do you have on {w} for the {p}?",
        "Concerning the {p}: {w}?",
        "Is there anything about {w} for the {p}?",
        "I wonder about {w} with the {p}.",
        "The {p} and {w}, what does it say?",
        "My question on the {p} is about {w}.",
        "Search for {p}, {w}.",
    ),
    "ja": (
        "{p} {w}",
        "{p} {w}?",
        "{w} {p}",
        "{p}、{w}?",
        "{p}・{w}",
        "{p}で{w}のことを教えて。",
        "{w}の件、{p}についてです。",
        "{p}について、{w}のところを見てください。",
        "{p}を検索、{w}。",
        "{w}のことですが、{p}ではどう書いてありますか?",
        "{p}、{w}のあたりを知りたい。",
        "{w}を{p}で調べてください。",
    ),
}
SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "Please note that {s}",
        "According to the data sheet, {s}",
        "As printed on the first page, {s}",
        "We can confirm that {s}",
        "In daily use, {s}",
        "As in earlier years, {s}",
        "For your information, {s}",
        "Our staff told us that {s}",
        "Since last year, {s}",
        "It is good to know that {s}",
        "After many requests, {s}",
        "Unless we write otherwise, {s}",
        "To be exact, {s}",
        "On the whole, {s}",
    ),
    "ja": (
        "なお、{s}",
        "ちなみに、{s}",
        "ご案内のとおり、{s}",
        "資料によると、{s}",
        "現在、{s}",
        "昨年から、{s}",
        "お客様の声を受け、{s}",
        "念のためお知らせすると、{s}",
        "繰り返しになりますが、{s}",
        "前のページにもあるように、{s}",
        "確認したところ、{s}",
        "特に変更がなければ、{s}",
    ),
}
ENDINGS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "en": (
        (
            "{v}.",
            (
                "{v}, as before.",
                "{v} at present.",
                "{v}, unless agreed otherwise.",
                "{v}, and this holds everywhere.",
                "{v}; see also the last page.",
                "{v}, we hear.",
            ),
        ),
    ),
    "ja": (
        (
            "です。",
            (
                "ですので、ご確認ください。",
                "です(変更なし)。",
                "ですが、変わることがあります。",
                "です。以前と同じです。",
                "ですね。",
            ),
        ),
        (
            "ます。",
            (
                "ますので、ご了承ください。",
                "ますが、変わることがあります。",
                "ます(変更なし)。",
                "ますので、覚えておいてください。",
            ),
        ),
    ),
}
ABOUT: dict[str, tuple[str, ...]] = {
    "en": (
        "It is about {n}. {s}",
        "We have {n} here. {s}",
        "I am reading about {n}. {s}",
        "My colleague asks about {n}: {s}",
        "Regarding {n}: {s}",
        "You know {n}, right? {s}",
        "We talked about {n} yesterday. {s}",
    ),
    "ja": (
        "{n}の件です。{s}",
        "{n}のことで伺います。{s}",
        "{n}の資料を見ています。{s}",
        "昨日{n}の話が出ました。{s}",
        "{n}に興味があります。{s}",
        "同僚が{n}のことを聞いています。{s}",
    ),
}
ASKING: dict[str, tuple[str, ...]] = {
    "en": (
        "{s} I could not see it anywhere.",
        "{s} A customer is waiting.",
        "{s} The table is too small to read.",
        "{s} It was on the sheet, I think.",
        "{s} We argue about it.",
    ),
    "ja": (
        "{s}お客様がお待ちです。",
        "{s}資料のどこかにあるはずです。",
        "{s}急いでいます。",
        "{s}会議で必要です。",
        "{s}見当たらないもので。",
    ),
}
# Words that say nothing about an attribute even where only one attribute happens to use them.
STOP: frozenset[str] = frozenset(
    "the and for with from this that you your our their they she his her him its are was were will would can could may "
    "must does did done has have had not but all any each every one two who whom whose which what when where why how "
    "much many long often there here then than also only just now into onto upon over under after before between "
    "please tell know need want like look ask give get let see say said call called use used using make made take "
    "about without been inside takes set put come comes goes anyone someone something anything people customers customer staff".split()
)
