"""Look up a sentence by key in the reader's language; the catalogues are ``catalog/<room>.<language>.json``.

A sentence holds its parameters in braces as `str.format` reads them, and words that agree with a count after it:
``{n} {n:row is|rows are} in the new version.`` The first form is for one, the second for every other number.
"""

from __future__ import annotations

import json
import logging
import os
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any, Literal, get_args

from core.errors import KurabeError, as_kurabe_error
from core.settings import settings

__all__ = ["LANGUAGES", "Language", "catalogue", "describe", "language", "t", "use_language"]

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_FOLDER = Path(__file__).with_name("catalog")
_current: ContextVar[Language | None] = ContextVar("kurabe_language", default=None)
logger = logging.getLogger(__name__)


class _Agreeing(Formatter):
    """Fills in a sentence as `str.format` does, and chooses between the two forms in ``{n:row|rows}``."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        """Return the form that agrees with `value`, or the value itself if no forms are given.

        A count comes as a number or worded already ("1,234", "+1"), so its text decides: "1.0 points" stays plural.

        Raises:
            ValueError: if there are more than two forms.
        """
        if "|" not in format_spec:
            return super().format_field(value, format_spec)
        one, other = format_spec.split("|")
        return one if str(value).lstrip("+-−") == "1" else other


_fill = _Agreeing().vformat


@lru_cache(maxsize=4)
def catalogue(code: Language) -> dict[str, str]:
    """Return all sentences of one language by key.

    Raises:
        ValueError: if two files hold the same key.
    """
    sentences: dict[str, str] = {}
    for file in sorted(_FOLDER.glob(f"*.{code}.json")):
        part: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        if twice := sentences.keys() & part.keys():
            raise ValueError(f"{file.name} repeats {sorted(twice)[:5]}")
        sentences.update(part)
    return sentences


def language() -> Language:
    """Return the reader's language: set by `use_language`, else the setting, else the locale, else English."""
    if (chosen := _current.get()) is not None:
        return chosen
    try:
        set_by = settings().language
    except KurabeError:  # settings that cannot be used must still be explained in some language
        set_by = None
    if set_by is not None:
        return set_by
    return "ja" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("ja") else "en"


def use_language(code: Language | None) -> None:
    """Choose the language for this thread or task from here on; None goes back to the settings and the locale."""
    _current.set(code)


def t(key: str, code: Language | None = None, /, **params: Any) -> str:
    """Return the sentence of `key` with `params` in its braces; an unknown key shows itself, marked.

    A sentence must never stop a page, so a missing parameter leaves the sentence as it is and is logged.
    """
    sentence = catalogue(code or language()).get(key)
    if sentence is None:
        logger.warning("no sentence for %s", key)
        return f"⟦{key}⟧"
    try:
        return _fill(sentence, (), params) if params else sentence
    except (KeyError, IndexError, ValueError):
        logger.warning("sentence %s does not fit its parameters %s", key, sorted(params))
        return sentence


def describe(error: BaseException, code: Language | None = None) -> tuple[str, str]:
    """Return an error's sentence (what, where) and its hint (what to do next)."""
    known: KurabeError = as_kurabe_error(error)
    sentences = catalogue(code or language())
    if f"error.{known.code}" not in sentences:
        return known.code, str(known)
    params = {name: _worded(name, value, code) for name, value in known.params.items()}
    hint = f"error.{known.code}.hint"
    return t(f"error.{known.code}", code, **params), t(hint, code, **params) if hint in sentences else ""


_WORDS = {"kind": "word", "what": "word", "stage": "jobs.stage", "status": "jobs.status"}
"""Parameters of errors that may hold a word of ours, and where its translations are."""


def _worded(name: str, value: Any, code: Language | None) -> Any:
    """Translate a parameter that is one of our words, or that is itself a stored error."""
    if isinstance(value, dict) and value.keys() >= {"code", "params"}:
        return describe(KurabeError(value["code"], **value["params"]), code)[0]
    key = f"{_WORDS[name]}.{str(value).replace(' ', '_')}" if name in _WORDS else ""
    return t(key, code) if key in catalogue(code or language()) else value
