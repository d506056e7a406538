"""The documents' passages, prepared so that what many answers say can be looked up in them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.datasets.coverage import value_pattern, words_key
from core.datasets.japanese import JAPANESE, morphemes
from core.datasets.similarity import distinctive
from core.datasets.words import words_of
from core.measures import Language
from core.measures.values import quantities

__all__ = ["Passage", "Passages", "content_words"]


_KANA_ALONE = re.compile(r"[ぁ-ゖー]+")
"""こと, ため: nouns by their class, and endings by their use."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document as a reader finds it."""

    document: str
    """File name."""
    title: str
    """Title and headings above it."""
    text: str


class Passages:
    """Finds the passages that state something; each statement is looked for once, however many rows make it."""

    def __init__(self, passages: Iterable[Passage], language: str = "en") -> None:
        """Keep the passages, those of a document side by side; they are prepared when first looked into."""
        self.all = list(passages)
        self._language: Language = "ja" if language == "ja" else "en"
        self._found: dict[str, frozenset[int]] = {}

    def __bool__(self) -> bool:
        """Tell whether there is anything to look in."""
        return bool(self.all)

    def stating(self, value: str) -> frozenset[int]:
        """Return the passages that state a value, spaces, width, case and thousands separators aside."""
        key = words_key(value)
        if key not in self._found:
            pattern, packed = value_pattern(value), key.strip("。.、, ").replace(" ", "")
            self._found[key] = frozenset(
                place
                for place, (text, bare) in enumerate(self._texts)
                if pattern is not None and packed in bare and pattern.search(text)
            )
        return self._found[key]

    def measuring(self, answer: str, figure: str) -> frozenset[int]:
        """Return the passages that state a figure's amount in another form: 24 months are 2 years, 三十日 is 30日."""
        found: frozenset[int] = frozenset()
        plain = unicodedata.normalize("NFKC", answer).casefold()
        for quantity in quantities(answer, self._language):
            if words_key(figure) in words_key(plain[quantity.start : quantity.end]):
                found |= self._amounts.get(str(quantity.key), frozenset())
        return found

    def naming(self, all_of: Sequence[str], some_of: Sequence[str], least: int) -> frozenset[int]:
        """Return the passages that name all of some names and enough of others, and their neighbours: one reads on.

        Args:
            all_of: Names in lower case, as `distinctive` gives them.
            some_of: Further names.
            least: How many of these must be named.
        """
        must = [self._naming(name) for name in all_of]
        counts = Counter(place for name in some_of for place in self._naming(name))
        places = frozenset.intersection(*must) if must else frozenset(range(len(self.all)))
        places = frozenset(place for place in places if counts[place] >= least)
        return places | {place + step for place in places for step in (-1, 1) if self._beside(place, place + step)}

    def _naming(self, name: str) -> frozenset[int]:
        return self._named.get(name, frozenset()) | self.stating(name)

    def _beside(self, place: int, other: int) -> bool:
        return 0 <= other < len(self.all) and self.all[other].document == self.all[place].document

    def best_share(self, words: Collection[str]) -> float:
        """Return the largest share of these words that one passage holds; 0 without any."""
        return max(self._counts(words).values(), default=0) / len(words) if words else 0.0

    def sharing(self, words: Collection[str], least: float) -> frozenset[int]:
        """Return the passages that hold at least this share of some words; none without any."""
        return frozenset(place for place, n in self._counts(words).items() if n >= least * len(words))

    def _counts(self, words: Collection[str]) -> Counter[int]:
        return Counter(place for word in words for place in self._holding(word))

    def _holding(self, word: str) -> frozenset[int]:
        key = f"\0{word}"  # words are found inside of others, values are not
        if key not in self._found:
            self._found[key] = frozenset(place for place, (_, bare) in enumerate(self._texts) if word in bare)
        return self._found[key]

    @cached_property
    def _texts(self) -> list[tuple[str, str]]:
        """Each passage under its titles, as it is and without spaces."""
        whole = [words_key(_whole(each)) for each in self.all]
        return [(text, text.replace(" ", "")) for text in whole]

    @cached_property
    def _named(self) -> dict[str, frozenset[int]]:
        return _by_key(distinctive(f"the {_whole(each)}") for each in self.all)

    @cached_property
    def _amounts(self) -> dict[str, frozenset[int]]:
        return _by_key({str(one.key) for one in quantities(each.text, self._language)} for each in self.all)


def _whole(passage: Passage) -> str:
    return f"{passage.title} {passage.document} {passage.text}"


def _by_key(keys: Iterable[Iterable[str]]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for place, named in enumerate(keys):
        for key in named:
            found[key].add(place)
    return {key: frozenset(places) for key, places in found.items()}


def content_words(text: str) -> frozenset[str]:
    """Return the words that carry a text's meaning, shortened to what all their forms share.

    Of Japanese the nouns, for verbs and endings are written in too many ways to be looked up; of English all words that
    do more than ask, without their endings.
    """
    if not JAPANESE.search(text):
        return frozenset(word[: max(4, len(word) - 3)] for word in words_of(text) if len(word) >= 4)
    nouns = (word for _, word in morphemes(text) if word.part_of_speech()[0] == "名詞")
    plain = (words_key(word.surface()) for word in nouns if word.part_of_speech()[1] not in ("数詞", "助動詞語幹"))
    return frozenset(word for word in plain if len(word) >= 2 and not _KANA_ALONE.fullmatch(word))
