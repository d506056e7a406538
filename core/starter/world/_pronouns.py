"""Questions with a pronoun in place of the name."""

from __future__ import annotations

import re


def pronoun_question(template: str, language: str, person: bool, word: str) -> str | None:
    """The question with a pronoun in place of the name, or None where that is no grammar."""
    if language == "ja":
        if person:
            return template.replace("{p}さん", "その人") if "{p}さん" in template else None
        if "{p}の" in template:
            return template.replace("{p}の", "その")
        return template.replace("{p}", word)
    if "{p}'s" in template or re.search(r"\b[Mm]y \{p\}|one \{p\}", template):
        return None
    if person:
        return template.replace("{p}", "this person") if not template.startswith("{p}") else None
    if template.startswith("The {p}"):
        return word[0].upper() + word[1:] + template[7:]
    return template.replace("the {p}", word) if "the {p}" in template else None
