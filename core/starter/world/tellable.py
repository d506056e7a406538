"""Leaves out sentences in which only words after the value tell what the value is.

A small causal reader meets "The Zenta is 42 cm ..." before it can know whether width, height or depth is
meant, so such sentences cannot be found again by attribute. They are left out only where two attributes
of the same kind of entity share everything before the value, and their values look alike from the start.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from functools import lru_cache

from core.starter.world.attributes import BY_KEY, Wording

# Kinds of values whose first token is a digit or a currency sign look alike where they begin.
_NUMBERS = frozenset(
    "amount weight length date time months hours minutes watts decibels litres metres days weeks temperature volts "
    "square_metres age times percent count extension floor phone".split()
)


def _look(key: str) -> str:
    kind = BY_KEY[key].value
    return "number" if kind in _NUMBERS else kind


@lru_cache(maxsize=2)
def _sharers(language: str) -> dict[tuple[str, str, str], set[str]]:
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    entries: dict[str, Wording] = importlib.import_module(f"core.starter.world.wordings_{language}").WORDINGS
    for key, entry in entries.items():
        for template in (*entry.documents, entry.answer):
            found[BY_KEY[key].entity, _look(key), template.split("{v}")[0]].add(key)
    return found


def tellable(language: str, key: str, templates: tuple[str, ...], *, strict: bool = False) -> tuple[str, ...]:
    """The templates whose attribute can be told before the value; if none could, all of them (``strict``: none)."""
    sharers = _sharers(language)
    entity, look = BY_KEY[key].entity, _look(key)
    kept = tuple(t for t in templates if len(sharers.get((entity, look, t.split("{v}")[0]), ())) < 2)
    return kept if strict else kept or templates
