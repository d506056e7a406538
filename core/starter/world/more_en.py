"""More English wordings, for training alone: neither the samples nor the measured questions use them.

A reader that met twenty wordings of an attribute learns twenty wordings. These are twenty others, with other words
and constructions, and none is nearly one of those kept from training.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.starter.world._more_en_others import BLOCKS as OTHERS
from core.starter.world._more_en_products import BLOCKS as PRODUCTS


@dataclass(frozen=True, slots=True)
class More:
    """More wordings of one attribute.

    Attributes:
        documents: Sentences with {p} before {v} (and {e}).
        questions: Questions with {p} (and {e}).
    """

    documents: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


def _read(text: str) -> dict[str, More]:
    found = {}
    for block in text.strip().split("\n\n"):
        key, documents, questions = block.splitlines()
        found[key] = More(*(tuple(line[3:].split(" | ")) for line in (documents, questions)))
    return found


MORE: dict[str, More] = _read(PRODUCTS + OTHERS)
