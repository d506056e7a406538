"""Near duplicates of wordings: character n-grams with MinHash, which needs no word boundaries and so suits Japanese.

Two questions that differ in a name, a number or a word that carries meaning ask different things, however alike they
look; such pairs never count.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence

from core.datasets.words import figures_of, same_subject, words_of
from core.identity import match_key

__all__ = [
    "NEAR_LIMIT",
    "asks_the_same",
    "bare_letters",
    "distinctive",
    "exact_key",
    "near_pairs",
    "plain_key",
    "shingles",
    "similarity",
    "wording_groups",
]

NEAR_LIMIT = 200_000
"""Texts above which only exact repetitions are looked for; the caller says so."""

_PERMUTATIONS = 64
_CANDIDATE = 0.6
_FOREIGN = 0.1
"""Share of a document's names and figures that may be missing from one that is nearly the same."""
_NAMES = re.compile(
    r"\d+(?:[.,]\d+)*|[ァ-ヴ][ァ-ヴー]+|(?<![A-Za-z])[A-Za-z]++[\-_]?\d[0-9A-Za-z_\-]*"
    r"|(?<=[a-z,0-9] )[A-Z][0-9A-Za-zÀ-ɏ_\-]+"
)
"""Letters are listed, for ``\\w`` would take the kana and kanji that follow a code without a space for part of it.

A run of letters is tried once, from its beginning: from every letter of it would take time by the square of its length.
"""

_SPELLINGS = str.maketrans({"下": "くだ", "頂": "いただ", "致": "いた"})
_SPELLED = re.compile(r"(?<=て)下(?=さ)|(?<=て)頂(?=[きくけい])|(?<=し)致(?=し)")
"""Endings that are written with a kanji or without, as the writer likes."""

_LONG = re.compile(r"(?<=[ァ-ヴー]{3})ー(?![ァ-ヴー])")
"""The mark at the end of サーバー, which as many leave out; コピー and カー are other words without it."""

_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-") | {"〜": "~"})
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BETWEEN = re.compile(r"(?<=\d)[^\w%#+]+(?=\d)")
_MEANT = re.compile(
    r"(?<=[a-z])[#+]+(?![a-z\d#+])|(?<=\d) ?[%‰]|[<>≤≥≦≧±≠]=?(?= ?\d)|(?<![a-z\dァ-ヺー])-(?=\d)|(?<=\d)[^\w%](?=\d)"
)
"""Marks that say something: C# and C++, 5 %, > 5, −5, and what stands between two figures (1.5, 9:30, 10-20)."""


def plain_key(text: str) -> str:
    """Return `text` for comparing wordings: NFKC, lower case, letters, digits and the marks that say something.

    "" where there is nothing to compare by, as in ``？？？``; compare whole texts by `exact_key`, which never is.
    """
    plain = _THOUSANDS.sub("", match_key(text).translate(_DASHES))
    plain = _BETWEEN.sub(
        lambda found: mark if len(mark := found.group().strip()) == 1 and mark in ".,:-/~" else " ", plain
    )
    if plain.isalnum():
        return plain
    kept = {place for found in _MEANT.finditer(plain) for place in range(*found.span())}
    return "".join(
        c for place, c in enumerate(plain) if _says(c) or (place in kept and (c != " " or _inner(plain, place)))
    )


def _says(c: str) -> bool:
    return c.isalnum() or unicodedata.category(c) in ("Mn", "Mc", "Me", "Sc")


def _inner(text: str, place: int) -> bool:
    """Tell whether a space stands between two figures."""
    return place > 0 and text[place - 1].isdigit() and text[place + 1 : place + 2].isdigit()


def exact_key(text: str) -> str:
    """Return what two texts share that are the same wording; texts of marks alone are the same only as they stand."""
    return plain_key(text) or match_key(text)


def bare_letters(text: str) -> str:
    """Return the letters and digits of a text alone: to find a quotation whose marks were copied otherwise."""
    return "".join(c for c in match_key(text) if c.isalnum() or unicodedata.category(c)[0] == "M")


def distinctive(text: str) -> frozenset[str]:
    """Return the names and numbers of a text: figures, codes, katakana words, capitalised words inside a sentence."""
    plain = _LONG.sub("", unicodedata.normalize("NFKC", text))
    return frozenset(match.casefold() for match in _NAMES.findall(plain))


def shingles(text: str) -> set[str]:
    """Return the character n-grams of a text: of 3 where it is Japanese or Chinese, of 4 elsewhere."""
    key = _SPELLED.sub(lambda found: found.group().translate(_SPELLINGS), _LONG.sub("", plain_key(text)))
    wide = sum(1 for c in key if ord(c) >= 0x2E80) * 2 > len(key)
    size = min(3 if wide else 4, max(1, len(key)))
    return {key[start : start + size] for start in range(len(key) - size + 1)}


def similarity(left: str, right: str) -> float:
    """Return the Jaccard similarity of two texts' n-grams, 0…1."""
    a, b = shingles(left), shingles(right)
    return len(a & b) / len(a | b) if a and b else float(exact_key(left) == exact_key(right))


def near_pairs(
    texts: Sequence[str], threshold: float = 0.7, *, whole_documents: bool = False
) -> list[tuple[int, int, float]]:
    """Return pairs (i, j, similarity), i < j, of texts that are nearly the same wording and ask the same thing.

    Exact repetitions (as `exact_key` sees them) are left out; see `wording_groups` for both together.

    Args:
        texts: Questions, or whole documents.
        threshold: Jaccard similarity of the n-grams from which two texts are alike.
        whole_documents: A document with another date or one more name is still nearly the same document.
    """
    first: dict[str, int] = {}
    for index, text in enumerate(texts):
        first.setdefault(exact_key(text), index)
    chosen = [index for index in first.values() if len(plain_key(texts[index])) >= 4]
    grams = {index: shingles(texts[index]) for index in chosen}
    words: dict[int, frozenset[str]] = {}
    pairs = []
    for bucket in [chosen] if whole_documents else _of_one_thing(texts, chosen):
        for left, right in _candidates(bucket, grams):
            score = len(grams[left] & grams[right]) / len(grams[left] | grams[right])
            alike = _one_holds_the_other if whole_documents else _same_words
            if score >= threshold and alike(texts, left, right, words):
                pairs.append((min(left, right), max(left, right), score))
    return sorted(pairs)


def _one_holds_the_other(texts: Sequence[str], left: int, right: int, known: dict[int, frozenset[str]]) -> bool:
    """Tell whether one of two documents has hardly a name or figure that the other has not.

    A copy to which something was added still is one; a form filled in for another product has other figures.
    """
    for index in (left, right):
        known.setdefault(index, distinctive(texts[index]))
    a, b = known[left], known[right]
    return min(len(a - b), len(b - a)) <= _FOREIGN * min(len(a), len(b))


def asks_the_same(left: str, right: str) -> bool:
    """Tell whether two questions name the same things: figures, names, and the words that carry meaning."""
    return figures_of(left) == figures_of(right) and same_subject(words_of(left), words_of(right))


def _of_one_thing(texts: Sequence[str], chosen: Sequence[int]) -> list[list[int]]:
    """Divide texts by the figures and codes in them: forms filled in with a thousand numbers are not compared."""
    buckets: dict[frozenset[str], list[int]] = defaultdict(list)
    named = {index: distinctive(texts[index]) for index in chosen}
    known = frozenset(name for names in named.values() for name in names if name.isalpha() and name.isascii())
    for index in chosen:
        names = known.intersection(_LATIN.findall(texts[index].casefold()))
        buckets[figures_of(texts[index]) | names].append(index)
    return [members for members in buckets.values() if len(members) > 1]


_LATIN = re.compile(r"[a-z]+")


def _same_words(texts: Sequence[str], left: int, right: int, known: dict[int, frozenset[str]]) -> bool:
    for index in (left, right):
        if index not in known:
            known[index] = words_of(texts[index])
    return same_subject(known[left], known[right])


def _candidates(chosen: Sequence[int], grams: dict[int, set[str]]) -> Iterator[tuple[int, int]]:
    from datasketch import MinHash, MinHashLSH  # brings SciPy along, which a page that only shows rows does not need

    encoded = [[gram.encode() for gram in grams[index]] for index in chosen]
    lsh = MinHashLSH(threshold=_CANDIDATE, num_perm=_PERMUTATIONS)
    for index, sketch in zip(chosen, MinHash.generator(encoded, num_perm=_PERMUTATIONS, seed=1), strict=True):
        for other in lsh.query(sketch):
            yield other, index
        lsh.insert(index, sketch)


def wording_groups(texts: Sequence[str], threshold: float = 0.7) -> list[int]:
    """Return a group number for every text; texts of one group are the same or nearly the same wording."""
    parent = list(range(len(texts)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    same: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        same[exact_key(text)].append(index)
    for members in same.values():
        for other in members[1:]:
            parent[root(other)] = root(members[0])
    if len(texts) <= NEAR_LIMIT:
        for left, right, _ in near_pairs(texts, threshold):
            parent[root(right)] = root(left)
    return [root(index) for index in range(len(texts))]
