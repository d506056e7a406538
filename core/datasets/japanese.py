"""Japanese words by the Sudachi analyser: a sentence has no spaces, and one word has several spellings."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sudachipy import Dictionary, Morpheme, Tokenizer

__all__ = ["JAPANESE", "morphemes", "script_language", "written_out"]

JAPANESE = re.compile(r"[ぁ-ヿ一-鿿ｦ-ﾟ]")
"""A letter that only Japanese (or Chinese) text has."""

_CODE = re.compile(r"```.*?```|`[^`]*`|https?://\S+|\{.*\}", re.DOTALL)
_KANA_KANJI = re.compile(r"[ぁ-ヿ一-\u9fff]+")
_LATIN = re.compile(r"[A-Za-z]+")

_AT_ONCE = 10_000
"""Characters analysed at once; Sudachi takes at most 49,149 bytes."""

_OWN = threading.local()


def morphemes(text: str) -> Iterator[tuple[int, Morpheme]]:
    """Yield the words of a text with the place where each begins in `written_out(text)`."""
    # One character may be several to the analyser (㍿): they are written out before the text is cut to its limit.
    whole = written_out(text)
    for start in range(0, len(whole), _AT_ONCE):
        for word in _tokenizer().tokenize(whole[start : start + _AT_ONCE]):
            yield start + word.begin(), word


def written_out(text: str) -> str:
    """Write characters that stand for several out; all others stay as people wrote them."""
    if unicodedata.is_normalized("NFKC", text):
        return text
    return "".join(plain if len(plain := unicodedata.normalize("NFKC", c)) > 1 else c for c in text)


def script_language(text: str) -> str | None:
    """Return ``ja`` where kana or kanji make up a good part, ``en`` for longer Latin text without them, else None."""
    plain = _CODE.sub("", text)
    japanese, latin = (sum(map(len, script.findall(plain))) for script in (_KANA_KANJI, _LATIN))
    if japanese > 0.2 * (japanese + latin):
        return "ja"
    return "en" if latin >= 20 and japanese <= 0.02 * latin else None


def _tokenizer() -> Tokenizer:
    """Return this thread's analyser: one serves a single caller at a time, and pages of several people run at once."""
    if not hasattr(_OWN, "tokenizer"):
        from sudachipy import SplitMode

        _OWN.tokenizer = _dictionary().tokenizer(mode=SplitMode.C)
    made: Tokenizer = _OWN.tokenizer
    return made


@cache
def _dictionary() -> Dictionary:
    from sudachipy import Dictionary

    return Dictionary(dict="small")
