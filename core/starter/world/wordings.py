"""Access to the wordings of a language: templates, forms for every attribute, and attribute words."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from functools import lru_cache

from core.starter.world.attributes import BY_KEY, Wording
from core.starter.world.more_en import MORE, More
from core.starter.world.tellable import tellable

_WORD = {"en": re.compile(r"[A-Za-z][A-Za-z-]+"), "ja": re.compile(r"[一-龥々]+|[ァ-ヶー]{2,}|[A-Za-z-]{2,}")}
_KANA = re.compile(r"[ぁ-ん]{2,}")

GENERIC_DOCUMENTS = (
    "{L} of the {p}: {v}.",
    "The {p} at a glance, {l}: {v}.",
    "{L} for the {p}: {v}.",
    "The {l} of the {p} is {v}.",
    "For the {p}, the {l} is {v}.",
    "The {p} has this {l}: {v}.",
)
GENERIC_QUESTIONS = (
    "What is the {l} of the {p}?",
    "Please tell me the {l} of the {p}.",
    "I need to know the {l} of the {p}.",
    "Can you tell me the {l} of the {p}?",
    "Do you know the {l} of the {p}?",
    "{L} of the {p}?",
    "Could you look up the {l} of the {p}?",
    "I am looking for the {l} of the {p}.",
    "{L} of the {p}, please.",
    "Give me the {l} of the {p}.",
    "For the {p}, what is the {l}?",
    "I would like to know the {l} of the {p}.",
)
_NOT_NOUNS = (
    "Made in",
    "On ",
    "Return",
    "Clean with",
    "In the",
    "Suitable",
    "For ",
    "Safe",
    "May ",
    "When ",
    "Designed",
    "Opens",
    "Closes",
    "Closed",
    "Managed",
    "Opened",
    "In business",
    "Services offered",
    "Also",
    "Works",
    "Joined",
    "With us",
    "Speaks",
    "Represented",
    "Apply",
    "Register",
    "Questions to",
    "Approved",
    "Paid",
    "Cancel",
    "Free",
    "No charge",
    "Refund within",
    "Money",
    "Bring",
    "Valid until",
    "Expires",
    "Age from",
    "Members save",
    "Start with",
    "Step",
    "Finish",
    "Takes",
    "You need",
    "Done",
    "Repeat",
    "Form to",
    "Temperature up",
    "Change the",
    "Returns",
    "Delivery within",
    "Dishwasher",
    "{e}",
    "Modes",
    "Places for",
    "Employees",
    "Languages",
    "Spoken",
    "Papers",
    "Required",
    "Visits",
    "Services",
    "Responsible",
    "Error",
)


@lru_cache(maxsize=2)
def wordings(language: str) -> dict[str, Wording]:
    """The wordings of a language by attribute key."""
    module = importlib.import_module(f"core.starter.world.wordings_{language}")
    found: dict[str, Wording] = module.WORDINGS
    return found


def lower_label(label: str) -> str:
    """A label inside a sentence: its first letter small unless it is an abbreviation."""
    first = label.split(" ")[0]
    keep = len(first) > 1 and (first[1:] != first[1:].lower() or "-" in first and first != "E-mail")
    return label if keep else label[0].lower() + label[1:]


def _generic(language: str, key: str, forms: tuple[str, ...]) -> tuple[str, ...]:
    if language != "en":
        return ()
    found = []
    for label in wordings(language)[key].label:
        if label.startswith(_NOT_NOUNS):
            continue
        found += [f.replace("{L}", label).replace("{l}", lower_label(label)) for f in forms]
    if BY_KEY[key].entity == "person":
        found = [f.replace("the {p}", "{p}").replace("The {p}", "{p}") for f in found]
    return tuple(found)


def _wide(what: str, language: str, key: str) -> tuple[str, ...]:
    """Derived wordings; their module reads this one."""
    module = importlib.import_module("core.starter.world.wide")
    found: tuple[str, ...] = getattr(module, what)(language, key)
    return found


def more(language: str, key: str) -> More:
    """Wordings of an attribute that only training uses, beside the known ones."""
    return MORE[key] if language == "en" else More()


def words_of(language: str, template: str) -> list[str]:
    """The words of a template that may carry meaning."""
    return _WORD[language].findall(_plain(template))


def unmarked(template: str) -> str:
    """The template without the marks around an attribute's word."""
    return template.replace("{<}", "").replace("{>}", "")


@lru_cache(maxsize=1000)
def documents(language: str, key: str, wording: str) -> tuple[str, ...]:
    """Sentences that state an attribute; in training also forms that fit every attribute."""
    if wording == "wide":
        return _wide("documents", language, key)
    entry = wordings(language)[key]
    if wording == "heldout":
        return tellable(language, key, entry.held_documents)
    generic = _generic(language, key, GENERIC_DOCUMENTS)
    own = tellable(language, key, (*entry.documents, entry.answer))
    return own * (2 if generic else 1) + generic


@lru_cache(maxsize=1000)
def questions(language: str, key: str, wording: str) -> tuple[str, ...]:
    """Questions for an attribute, with "{<}" and "{>}" around the words that name it."""
    if wording == "wide":
        return _wide("questions", language, key)
    entry = wordings(language)[key]
    if wording == "heldout":
        found = entry.held_questions
    else:
        generic = _generic(language, key, GENERIC_QUESTIONS)
        found = entry.questions * (3 if len(generic) > 12 else 2 if generic else 1) + generic
    return tuple(mark_attribute(language, q) for q in found)


@lru_cache(maxsize=4)
def _spread(language: str) -> Counter[str]:
    """In how many attributes' questions each word occurs."""
    spread: Counter[str] = Counter()
    for key, entry in wordings(language).items():
        words: set[str] = set()
        for template in entry.questions + entry.held_questions + more(language, key).questions:
            words.update(_WORD[language].findall(_plain(template)))
        spread.update(words)
    return spread


def _plain(template: str) -> str:
    return re.sub(r"\{[pvel]\}", lambda m: " " * len(m.group()), template)


@lru_cache(maxsize=20_000)
def mark_attribute(language: str, template: str) -> str:
    """Marks the word of a question that the fewest attributes share (or its code, if it asks for one)."""
    if "{e}" in template:
        return template.replace("{e}", "{<}{e}{>}", 1)
    plain, spread = _plain(template), _spread(language)
    found = list(_WORD[language].finditer(plain)) or list(_KANA.finditer(plain))
    if not found:
        return template
    best = min(found, key=lambda m: (spread[m.group()] or 99, -len(m.group())))
    a, b = best.span()
    return template[:a] + "{<}" + template[a:b] + "{>}" + template[b:]


@lru_cache(maxsize=4)
def _stated(language: str) -> Counter[str]:
    """In how many attributes' statements each word stands before the value."""
    spread: Counter[str] = Counter()
    for key, entry in wordings(language).items():
        found: set[str] = set()
        for template in (*entry.documents, *entry.held_documents, entry.answer, *more(language, key).documents):
            found.update(_WORD[language].findall(_plain(template.split("{v}")[0])))
        spread.update(found)
    for template in GENERIC_DOCUMENTS:  # words of the forms that fit every attribute tell nothing
        spread.update(dict.fromkeys(_WORD["en"].findall(template), 99))
    return spread


@lru_cache(maxsize=50_000)
def telling_word(language: str, template: str) -> str:
    """The word before the value that the fewest attributes' statements share (or the code); "" if none."""
    if "{e}" in template:
        return "{e}"
    plain, spread = _plain(template.split("{v}")[0]), _stated(language)
    found = _WORD[language].findall(plain) or _KANA.findall(plain.replace("さん", "  "))
    return str(min(found, key=lambda word: (spread[word] or 99, -len(word)))) if found else ""


@lru_cache(maxsize=50_000)
def marked(template: str, word: str) -> str:
    """The template with "{<}" and "{>}" around the first place of a word before the value, unless it has them."""
    if "{<}" in template:
        return template
    whole = rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])" if word.isascii() and word != "{e}" else re.escape(word)
    found = re.search(whole, template.split("{v}")[0]) if word else None
    if found is None:
        return template
    return template[: found.start()] + "{<}" + word + "{>}" + template[found.end() :]


def is_noun(language: str, label: str) -> bool:
    """Whether a label can stand after "the"."""
    return "{e}" not in label and not (language == "en" and label.startswith(_NOT_NOUNS))
