"""Many wordings of few, for training: keyword searches, asides, other endings, the name in a sentence of its own.

A small reader that met twenty wordings of an attribute knows these twenty. Frames around the attribute's own words
teach it that the words count, not the construction. Nothing here reads a held-out wording.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from core.starter.world import _wide_words as frames
from core.starter.world import wordings as words
from core.starter.world._pronouns import pronoun_question
from core.starter.world.attributes import BY_ENTITY, BY_KEY

_SHARE_OF_KNOWN = 1.8  # known wordings for each derived one
_SHARE_OF_MORE = 2  # how often a wording that only training uses stands among the known ones
_IT = {"en": "it", "ja": "それ"}


@lru_cache(maxsize=200)
def _vocabulary(language: str, key: str) -> frozenset[str]:
    """The words of an attribute's training wordings, small."""
    entry = words.wordings(language)[key]
    found: set[str] = set()
    for template in (*entry.documents, *entry.questions, entry.answer, *entry.label):
        found.update(word.lower() for word in words.words_of(language, template))
    return frozenset(found)


@lru_cache(maxsize=200)
def keywords(language: str, key: str) -> tuple[str, ...]:
    """Words that no other attribute of the same kind of entity uses, and the labels that are nouns."""
    if BY_KEY[key].extra:  # without its code such a question has no answer
        return ()
    spread: Counter[str] = Counter()
    for attribute in BY_ENTITY[BY_KEY[key].entity]:
        spread.update(_vocabulary(language, attribute.key))
    own = [w for w in _vocabulary(language, key) if spread[w] == 1 and w not in frames.STOP]
    labels = [label for label in words.wordings(language)[key].label if words.is_noun(language, label)]
    if language == "en":
        labels = [words.lower_label(label) for label in labels]
    shortest = 3 if language == "en" else 2  # a single Chinese character is part of too many words
    own = [w for w in own if len(w) >= shortest]
    return tuple(sorted({*own, *labels}))


def _spoken(template: str, key: str, language: str) -> str:
    """The template with the article or title that this kind of entity takes."""
    if BY_KEY[key].entity != "person":
        return template
    if language == "ja":
        return template.replace("{p}", "{p}さん")
    return template.replace("the {p}", "{p}").replace("The {p}", "{p}")


def _around_keywords(language: str, key: str, forms: tuple[str, ...]) -> list[str]:
    found = []
    for word in keywords(language, key):
        for form in forms:
            marked = form.replace("{w}", "{<}" + word + "{>}")
            marked = marked.replace("{W}", "{<}" + word[0].upper() + word[1:] + "{>}")
            found.append(_spoken(marked, key, language))
    return found


def _around_sentences(language: str, key: str, known: tuple[str, ...]) -> list[str]:
    found = []
    for plain in known:
        template = words.marked(plain, words.telling_word(language, plain))
        if language == "ja" or template.startswith(("The {p}", "{p} ")):
            inner = template[0].lower() + template[1:]
            found += [form.replace("{s}", inner) for form in frames.SENTENCES[language]]
        for ending, others in frames.ENDINGS[language]:
            if template.endswith(ending):
                found += [template.removesuffix(ending) + other for other in others]
    return found


def _around_questions(language: str, key: str, known: tuple[str, ...]) -> list[str]:
    found = []
    person = BY_KEY[key].entity == "person"
    name = _spoken("the {p}" if language == "en" else "{p}", key, language)
    for plain in known:
        template = words.mark_attribute(language, plain)
        found += [form.replace("{s}", template) for form in frames.ASKING[language]]
        short = pronoun_question(template, language, person, _IT[language])
        if short is not None and "{p}" not in short:
            found += [form.replace("{n}", name).replace("{s}", short) for form in frames.ABOUT[language]]
    return found


def _mixed(known: tuple[str, ...], derived: list[list[str]], held: tuple[str, ...]) -> tuple[str, ...]:
    """Known wordings repeated so that they are a little more than half; each group of derived ones equally often."""
    most = max((len(group) for group in derived), default=0)
    found: list[str] = []
    for group in derived:
        kept = [template for template in group if words.unmarked(template) not in held]
        found += kept * max(1, round(most / max(1, len(kept))))
    return known * max(1, round(_SHARE_OF_KNOWN * len(found) / len(known))) + tuple(found)


@lru_cache(maxsize=400)
def documents(language: str, key: str) -> tuple[str, ...]:
    """Sentences that state an attribute, the known ones and many derived from them."""
    known = words.documents(language, key, "train")
    plain = tuple(dict.fromkeys(known))
    known += words.more(language, key).documents * _SHARE_OF_MORE
    derived = [
        _around_keywords(language, key, frames.KEYWORD_DOCUMENTS[language]),
        _around_sentences(language, key, plain),
    ]
    return _mixed(known, derived, words.wordings(language)[key].held_documents)


@lru_cache(maxsize=400)
def questions(language: str, key: str) -> tuple[str, ...]:
    """Questions for an attribute, the known ones and many derived from them."""
    known = words.questions(language, key, "train")
    plain = tuple(dict.fromkeys(words.unmarked(template) for template in known))
    known += tuple(words.mark_attribute(language, q) for q in words.more(language, key).questions * _SHARE_OF_MORE)
    derived = [
        _around_keywords(language, key, frames.KEYWORD_QUESTIONS[language]),
        _around_questions(language, key, plain),
    ]
    return _mixed(known, derived, words.wordings(language)[key].held_questions)
