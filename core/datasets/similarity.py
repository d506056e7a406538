"""Near duplicates of wordings: character n-grams with MinHash, which needs no word boundaries and so suits Japanese.

Two questions that differ in a name or a number ask different things, however alike they look; such pairs never count.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence

from core.identity import match_key

__all__ = ["NEAR_LIMIT", "distinctive", "near_pairs", "plain_key", "shingles", "similarity", "wording_groups"]

NEAR_LIMIT = 200_000
"""Texts above which only exact repetitions are looked for; the caller says so."""

_PERMUTATIONS = 64
_CANDIDATE = 0.6
_NAMES = re.compile(
    r"\d+(?:[.,]\d+)*|[ァ-ヴ][ァ-ヴー]+|[A-Za-z]+[\-_]?\d[0-9A-Za-z_\-]*|(?<=[a-z,0-9] )[A-Z][0-9A-Za-zÀ-ɏ_\-]+"
)
"""Letters are listed, for ``\\w`` would take the kana and kanji that follow a code without a space for part of it."""

_SPELLINGS = str.maketrans({"下": "くだ", "頂": "いただ", "致": "いた"})
_SPELLED = re.compile(r"(?<=て)下(?=さ)|(?<=て)頂(?=[きくけい])|(?<=し)致(?=し)")
"""Endings that are written with a kanji or without, as the writer likes."""


def plain_key(text: str) -> str:
    """Return `text` for comparing wordings: NFKC, lower case, letters and digits only."""
    return "".join(c for c in match_key(text) if c.isalnum() or unicodedata.category(c)[0] == "M")


def distinctive(text: str) -> frozenset[str]:
    """Return the names and numbers of a text: figures, codes, katakana words, capitalised words inside a sentence."""
    return frozenset(match.casefold() for match in _NAMES.findall(unicodedata.normalize("NFKC", text)))


def shingles(text: str) -> set[str]:
    """Return the character n-grams of a text: of 3 where it is Japanese or Chinese, of 4 elsewhere."""
    key = _SPELLED.sub(lambda found: found.group().translate(_SPELLINGS), plain_key(text))
    wide = sum(1 for c in key if ord(c) >= 0x2E80) * 2 > len(key)
    size = min(3 if wide else 4, max(1, len(key)))
    return {key[start : start + size] for start in range(len(key) - size + 1)}


def similarity(left: str, right: str) -> float:
    """Return the Jaccard similarity of two texts' n-grams, 0…1."""
    a, b = shingles(left), shingles(right)
    return len(a & b) / len(a | b) if a or b else 1.0


def near_pairs(texts: Sequence[str], threshold: float = 0.7) -> list[tuple[int, int, float]]:
    """Return pairs (i, j, similarity), i < j, of texts that are nearly the same wording and ask the same thing.

    Exact repetitions (as `plain_key` sees them) are left out; see `wording_groups` for both together.
    """
    first: dict[str, int] = {}
    for index, text in enumerate(texts):
        first.setdefault(plain_key(text), index)
    chosen = [index for key, index in first.items() if len(key) >= 4]
    grams = {index: shingles(texts[index]) for index in chosen}
    pairs = []
    for left, right in _candidates(chosen, grams):
        score = len(grams[left] & grams[right]) / len(grams[left] | grams[right])
        if score >= threshold and distinctive(texts[left]) == distinctive(texts[right]):
            pairs.append((min(left, right), max(left, right), score))
    return sorted(pairs)


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
        same[plain_key(text)].append(index)
    for members in same.values():
        for other in members[1:]:
            parent[root(other)] = root(members[0])
    if len(texts) <= NEAR_LIMIT:
        for left, right, _ in near_pairs(texts, threshold):
            parent[root(right)] = root(left)
    return [root(index) for index in range(len(texts))]
