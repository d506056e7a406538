"""Real manuals, searched by words, by meaning and by both: is both as good as the better of the two?

`make bench-hybrid` fetches manuals of Debian in English and Japanese and asks two kinds of questions made from them:

- a heading, taken out of its document before that is indexed, asks for the section that stood under it;
- half of the words of a sentence, in their order, ask for the passage that holds it.

Neither kind was written by a person who searched, and the second favours full text: read the kinds apart. What passes
or fails are manuals that were never looked at while the way of fusing was chosen; `--chosen-on` asks those that were.

It ends with exit code 1 when a limit is missed: both below the better of the two by more than the margin, vectors that
are off where nobody is told, or no language at all that was searched by both.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.knowledge import AskedOf, RetrievalReport
from tests.benchmarks.limits import Limit, all_kept

K = 10
MARGIN = 0.02
"""By how much both may be worse than the better of the two: points of recall@10."""

FOLDERS = {
    "en": ("usr/share/doc/debian-handbook/html/en-US", "usr/share/doc/debian-policy/policy.html",
           "usr/share/doc/installation-guide-amd64/en"),
    "ja": ("usr/share/doc/installation-guide-amd64/ja",),
}  # fmt: skip
CHOSEN_ON = {
    "en": ("usr/share/debian-reference", "usr/share/developers-reference", "usr/share/doc/maint-guide/html",
           "usr/share/doc/debian/FAQ"),
    "ja": ("usr/share/debian-reference", "usr/share/developers-reference/ja", "usr/share/doc/maint-guide-ja/html",
           "usr/share/doc/debian/FAQ/ja"),
}  # fmt: skip

_HEADING = re.compile(r"^(#{2,6}) (?:(?:[A-Z]\.)?[\d.]+\s+)?(.{8,120}?)[¶]?$")
_SENTENCE = {"en": re.compile(r"(?<=[.!?])\s+"), "ja": re.compile(r"(?<=[。！？])")}
_PIECE = {"en": re.compile(r"[\w'-]+"), "ja": re.compile(r"[一-鿿々]+|[ァ-ヺー]+|[ぁ-ゖ]+|[A-Za-z0-9_.-]+")}
_LEAST = {"en": 60, "ja": 30}
"""Characters of a sentence that says enough to be looked for."""


@dataclass(frozen=True)
class Manual:
    """One page of a manual, its headings that ask taken out, and the questions made from it."""

    name: str
    text: str
    asked: tuple[AskedOf, ...]


def pages(folder: Path, places: Sequence[str], language: str) -> Iterator[Path]:
    """Yield the saved pages of a language; some packages hold both side by side."""
    for place in places:
        if not (folder / place).is_dir():
            raise SystemExit(f"no manual at {folder / place}: was its package unpacked, or has it moved?")
        for path in sorted((folder / place).glob("*.html")):
            other = re.search(r"\.([a-z]{2}(?:-[a-z]{2})?)\.html$", path.name)
            if path.is_symlink():
                continue  # one page under two names
            if (other is None and "debian-reference" not in place) or (other and other[1] == language):
                yield path


def manual(path: Path, language: str, chance: random.Random) -> Manual | None:
    """Read a page as the documents page would, and make questions from it."""
    from core.errors import KurabeError
    from core.knowledge.readers import parse

    try:
        parsed = parse(path.read_bytes(), path.name)
    except KurabeError:
        return None  # a page of nothing but links
    name = f"{path.parent.name}-{path.stem}.md"
    lines, kept, asked = parsed.text.split("\n"), [], []
    for number, line in enumerate(lines):
        heading = _HEADING.match(line)
        first = _first_sentence(lines[number + 1 :], language) if heading and chance.random() < 0.5 else ""
        if heading and first and parsed.text.count(first) == 1:
            asked.append(AskedOf(heading[2].strip(), ((name, first),), "heading"))
        else:
            kept.append(line)
    text = "\n".join(kept)
    sentences = [s.strip() for line in kept if not line.startswith(("#", "|", "-", "`")) for s in _cut(line, language)]
    good = [s for s in sentences if _LEAST[language] <= len(s) <= 400 and text.count(s) == 1]
    good = [s for s in good if len(_PIECE[language].findall(s)) >= 6]
    for sentence in chance.sample(good, min(len(good), 12)):
        asked.append(AskedOf(_half(sentence, language, chance), ((name, sentence),), "half a sentence"))
    return Manual(name, f"# {parsed.title}\n\n{text}", tuple(asked))


def _cut(line: str, language: str) -> list[str]:
    return _SENTENCE[language].split(line)


def _first_sentence(lines: Sequence[str], language: str) -> str:
    """Return the first sentence under a heading, if prose stands there."""
    prose = next((line for line in lines if line.strip()), "")
    if prose.startswith(("#", "|", "-", "`")):
        return ""
    first = _cut(prose, language)[0].strip()
    return first if len(first) >= _LEAST[language] else ""


def _half(sentence: str, language: str, chance: random.Random) -> str:
    pieces = _PIECE[language].findall(sentence)
    kept = sorted(chance.sample(range(len(pieces)), len(pieces) // 2))
    return " ".join(pieces[place] for place in kept)


def judge(folder: Path, places: Sequence[str], language: str, questions: int) -> tuple[RetrievalReport, bool]:
    """Index the manuals of a language and judge every way of searching that the index knows.

    Returns:
        The report, and whether a search says that vectors are off.
    """
    from core import knowledge
    from core.knowledge import IndexConfig
    from core.store import tables as tb
    from core.store import write

    chance = random.Random(1)
    manuals = [made for path in pages(folder, places, language) if (made := manual(path, language, chance))]
    with write() as session:
        project = tb.Project(name=f"Manuals {language}", language=language)
        session.add(project)
    base = knowledge.default_kb(project.id).id
    for made in manuals:
        knowledge.add_document(base, made.name, made.text.encode())
    version = knowledge.build_index(base, IndexConfig(tokenizer="estimate"))
    say(f"{language}: {len(manuals)} pages, {version.chunk_count} passages, embedder {version.embedder or 'none'}")
    chosen = []
    for kind in ("heading", "half a sentence"):
        every = [asked for made in manuals for asked in made.asked if asked.slice == kind]
        once = Counter(asked.question for asked in every)
        every = [asked for asked in every if once[asked.question] == 1]
        chosen += chance.sample(every, min(len(every), questions // 2))
    notes = knowledge.search(version.id, chosen[0].question).notes
    told = "vectors_off" in [note["code"] for note in notes]
    return knowledge.judge_search(version.id, chosen, k=K), told


def tell(language: str, report: RetrievalReport, told: bool) -> Limit:
    """Print what was found; return what must be kept: both not worse than the better of the two, or vectors off.

    Args:
        language: Of the manuals.
        report: What was measured.
        told: Whether a search says that vectors are off.
    """
    for judged in report.modes:
        slices = ", ".join(f"{name} {interval.estimate:.3f}" for name, interval in judged.slices.items())
        low, high = judged.recall.low or 0.0, judged.recall.high or 0.0
        say(
            f"{language} {judged.mode:7} recall@{K} {judged.recall.estimate:.3f} [{low:.3f}, {high:.3f}] "
            f"MRR {judged.mrr.estimate:.3f} nDCG {judged.ndcg.estimate:.3f} ({slices})"
        )
    named = {judged.mode: judged for judged in report.modes}
    if "hybrid" not in named:
        return Limit(f"{language}: vectors are off, and a search says so", float(told), 1, at_least=True)
    better = max(("vector", "text"), key=lambda mode: named[mode].recall.estimate)
    [pair] = [pair for pair in report.pairs if {pair.first, pair.second} == {"hybrid", better}]
    sign = 1 if pair.first == "hybrid" else -1
    gained = sign * pair.difference.estimate
    bounds = sorted((sign * (pair.difference.low or 0.0), sign * (pair.difference.high or 0.0)))
    span = f"{gained:+.3f} [{bounds[0]:+.3f}, {bounds[1]:+.3f}]"
    say(f"{language}: both against {better}: {span}, {report.questions} pairs")
    return Limit(f"{language}: both less the better ({better}), recall@{K}", gained, -MARGIN, at_least=True)


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Judge every language that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path, help="Folder into which the packages were unpacked.")
    parser.add_argument("--languages", nargs="+", default=["en", "ja"])
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--chosen-on", action="store_true", help="Ask the manuals that fusing was chosen on.")
    parser.add_argument("--home", help="Keep what is built here.")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KURABE_HOME"] = chosen.home or folder
        from core.models import stop_host
        from core.store import migrate

        migrate()
        try:
            folders = CHOSEN_ON if chosen.chosen_on else FOLDERS
            judged = {code: judge(chosen.texts, folders[code], code, chosen.questions) for code in chosen.languages}
        finally:
            stop_host()
    limits = [tell(language, *found) for language, found in judged.items()]
    both = sum(any(mode.mode == "hybrid" for mode in report.modes) for report, _ in judged.values())
    limits.append(Limit("languages searched by both", both, 1, at_least=True))
    sys.exit(0 if all_kept(limits) else 1)


if __name__ == "__main__":
    main()
