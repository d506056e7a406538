"""Builds Japanese wordings: what was written for one attribute, and forms that fit every attribute."""

from __future__ import annotations

from zlib import crc32

from core.starter.world._ja_questions import asked_otherwise
from core.starter.world.attributes import Wording

GENERIC_DOCUMENTS: tuple[str, ...] = (
    "{p}の{L}は{v}です。",
    "{p}の{L}は{v}。",
    "{p}は{L}が{v}です。",
    "{p}の{L}は{v}となっています。",
    "{p}の{L}は{v}である。",
    "{p}の{L}: {v}。",
    "{p}の場合、{L}は{v}です。",
    "{p}については、{L}が{v}です。",
    "{p}の{L}は次のとおりです: {v}。",
    "{p}({L}: {v})。",
    "{p}に関しては、{L}は{v}です。",
    "{p}の{L}をお知らせします: {v}。",
    "{p}では{L}を{v}としています。",
)
GENERIC_QUESTIONS: tuple[str, ...] = (
    "{p}の{L}は?",
    "{p}の{L}を教えてください。",
    "{p}の{L}について教えてください。",
    "{p}の{L}を教えて。",
    "{p}の{L}が知りたいです。",
    "{p}の{L}を知りたい。",
    "{p}の{L}はどうなっていますか?",
    "{p}の{L}をお教えいただけますか?",
    "{p}の{L}を確認したいのですが。",
    "{p}の{L}がわかりません。教えてください。",
    "{p}について質問です。{L}は?",
    "{p}ですが、{L}を教えてもらえますか?",
    "{p}の{L}についてお聞きしたいです。",
    "{L}を知りたいのですが、{p}の場合はどうですか?",
    "{p}の{L}を調べて。",
    "{p}の{L}はわかりますか?",
    "{p}、{L}は?",
    "{p}の{L}をお願いします。",
    "{p}の{L}を忘れました。教えてください。",
    "{p}の{L}を教えていただけませんか?",
    "{p}の{L}って?",
    "{p}に関して、{L}を教えてください。",
    "{p}の{L}を見つけてください。",
    "{p}の{L}は資料に書いてありますか? 教えてください。",
    "お尋ねしますが、{p}の{L}は?",
    "{p}の{L}を確かめたいです。",
)
GENERIC_HELD_QUESTIONS: tuple[str, ...] = (
    "{p}の{L}、わかりますか?",
    "{p}の場合の{L}を教えてもらえますか?",
    "{L}について質問です。{p}はどうですか?",
    "{p}の{L}が知りたいのですが、教えてください。",
)


def split(text: str) -> tuple[str, ...]:
    """The parts of a text that stand on lines of their own or between ``｜``."""
    return tuple(part for line in text.splitlines() for part in line.strip().split("｜") if part)


def _pick(patterns: tuple[str, ...], labels: tuple[str, ...], count: int) -> tuple[str, ...]:
    """``count`` patterns, each with one label: the same for the same labels, different between attributes."""
    start = crc32(labels[0].encode())
    order = sorted(patterns, key=lambda pattern: crc32(f"{start}{pattern}".encode()))
    return tuple(
        pattern.replace("{L}", labels[(start + place) % len(labels)]) for place, pattern in enumerate(order[:count])
    )


def entry(
    labels: str,
    documents: str,
    questions: str,
    answer: str,
    held_documents: str,
    held_questions: str,
    *,
    generic: bool = True,
    stated_generic: bool = True,
    title: str = "",
) -> Wording:
    """The wording of one attribute, its parts separated by ``｜`` or line ends.

    Args:
        labels: Short nouns, the most usual first.
        documents: Sentences that state the value, the name before it.
        questions: Ways to ask for it.
        answer: The full sentence that answers.
        held_documents: Sentences kept from training.
        held_questions: Questions kept from training.
        generic: Whether the labels also go into the forms that fit every attribute.
        stated_generic: Whether statements are among those forms; no for values that fit no 「は…です」.
        title: What follows every name, such as さん for persons.
    """
    names, asked, stated = split(labels), split(questions), split(documents)
    held = split(held_questions)
    asked = (*asked, *(other for other in map(asked_otherwise, asked) if other and other not in held))
    if generic:
        nouns = names[:3]
        stated = (*stated, *_pick(GENERIC_DOCUMENTS, nouns, 7 if stated_generic else 0))
        asked = (*asked, *_pick(GENERIC_QUESTIONS, nouns, 12))
        held = (*held, *_pick(GENERIC_HELD_QUESTIONS, nouns, 1))

    def unique(templates: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(template.replace("{p}", "{p}" + title) for template in templates))

    return Wording(
        label=names[:4],
        documents=unique(stated),
        questions=unique(asked),
        answer=unique((answer,))[0],
        held_documents=unique(split(held_documents)),
        held_questions=unique(held),
    )
