"""Measures a finished starter on held-out questions: the table of its model card, with Wilson intervals."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from statsmodels.stats.proportion import proportion_confint
from transformers import Qwen3ForCausalLM

from core.starter.kept import kept
from core.starter.reading import Question, abstains, answer, cites_rightly, question
from core.starter.source import Generate
from core.starter.tokenizer import load_tokenizer

PASSAGES = 4
LENGTH = (60, 200)
LANGUAGES = ("en", "ja")

# name of a slice -> options of the generator. "names" and "wording" are the generator's own words.
SLICES: dict[str, dict[str, str]] = {
    "new facts": {"names": "pool", "wording": "train"},
    "invented names": {"names": "invented", "wording": "train"},
    "new wordings": {"names": "mixed", "wording": "heldout"},
}


@dataclass(slots=True)
class Tally:
    """Right answers out of all."""

    right: int = 0
    all: int = 0

    def add(self, right: bool) -> None:
        """Count one."""
        self.right += right
        self.all += 1

    def report(self) -> dict[str, float | int]:
        """Counts, share and its 95 % Wilson interval; the share of nothing is left out."""
        if not self.all:
            return {"right": 0, "all": 0}
        low, high = proportion_confint(self.right, self.all, alpha=0.05, method="wilson")
        return {
            "right": self.right,
            "all": self.all,
            "share": round(self.right / self.all, 4),
            "low": round(float(low), 4),
            "high": round(float(high), 4),
        }


@dataclass(slots=True)
class Slice:
    """Everything counted for one language and kind of question."""

    exact: Tally = field(default_factory=Tally)
    wrongly_abstains: Tally = field(default_factory=Tally)
    cites: Tally = field(default_factory=Tally)
    abstains: Tally = field(default_factory=Tally)
    closed: Tally = field(default_factory=Tally)
    formats: dict[str, Tally] = field(default_factory=dict)
    failures: list[dict[str, str]] = field(default_factory=list)

    def add(self, asked: Question, text: str) -> None:
        """Count one answer; the first failures are kept to be read."""
        self.formats.setdefault(asked.conversation.format, Tally()).add(kept(asked, text))
        if asked.values:
            right = all(value in text for value in asked.values)
            self.exact.add(right)
            self.wrongly_abstains.add(abstains(text, asked.values))
            if right and asked.citation is not None:
                self.cites.add(cites_rightly(asked, text))
        else:
            right = abstains(text)
            (self.closed if asked.lookup.kind == "closed" else self.abstains).add(right)
        if not right and len(self.failures) < 12:
            self.failures.append(
                {
                    "question": asked.messages[-1]["content"].splitlines()[-1],
                    "reference": asked.reference,
                    "answer": text,
                }
            )

    def report(self) -> dict[str, Any]:
        """The counts as plain data."""
        names = ("exact", "wrongly_abstains", "cites", "abstains", "closed")
        found: dict[str, Any] = {name: getattr(self, name).report() for name in names}
        found["formats"] = {name: tally.report() for name, tally in sorted(self.formats.items())}
        found["failures"] = self.failures
        return found


def _draw(generate: Generate, rng: random.Random, kind: str, count: int, options: dict[str, Any]) -> Iterator[Question]:
    """First questions of ``count`` conversations that ask for something of this kind.

    Conversations are drawn until there are enough, at most 40 times as many as asked for.
    """
    found = 0
    for _ in range(40 * count):
        if found == count:
            return
        conversation = generate(rng, progress=1.0, **options)
        asked = [x for x in conversation.lookups if x.kind == kind]
        if asked:
            found += 1
            yield question(conversation, asked[0])


def evaluate(
    folder: Path, generate: Generate, *, questions: int = 400, seed: int = 7, threads: int = 2
) -> dict[str, Any]:
    """Measure the model in ``folder``.

    Args:
        folder: A finished model.
        generate: The world; seeds here are never those of training.
        questions: Answerable questions for each language and slice; a quarter as many that no passage answers,
            and in the first slice a quarter as many without passages.
        seed: Seed of the questions.
        threads: Threads of the matrix products.
    """
    torch.set_num_threads(threads)
    model = Qwen3ForCausalLM.from_pretrained(str(folder), dtype=torch.float32)
    tokenizer = load_tokenizer(folder)
    report: dict[str, Any] = {"questions": questions, "seed": seed, "passages": PASSAGES, "slices": {}}
    for language in LANGUAGES:
        for name, options in SLICES.items():
            rng = random.Random(f"evaluation/{seed}/{language}/{name}")
            common: dict[str, Any] = {**options, "language": language, "turns": 1}
            passages = {**common, "passages": PASSAGES, "length": LENGTH, "kind": "context"}
            asked = list(_draw(generate, rng, "context", questions, {**passages, "missing": 0.0}))
            asked += _draw(generate, rng, "missing", questions // 4, {**passages, "missing": 1.0})
            asked += _draw(generate, rng, "closed", questions // 4, {**common, "kind": "closed"})
            found = Slice()
            for one, text in zip(asked, answer(model, tokenizer, [q.messages for q in asked]), strict=True):
                found.add(one, text)
            report["slices"][f"{language}: {name}"] = found.report()
    return report


def cell(tally: dict[str, float | int]) -> str:
    """One cell of the table: share, interval and counts."""
    if not tally["all"]:
        return "not measured"
    share, low, high = (100 * float(tally[key]) for key in ("share", "low", "high"))
    return f"{share:.1f} % ({low:.0f}–{high:.0f}), {tally['right']} of {tally['all']}"


def table(report: dict[str, Any]) -> str:
    """The report as a Markdown table, formats below it."""
    lines = [
        "| held-out questions | exact value | wrongly abstains | cites the right passage | abstains: not in the passages"
        " | says it does not know: no passages |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in report["slices"].items():
        columns = ("exact", "wrongly_abstains", "cites", "abstains", "closed")
        lines.append(f"| {name} | " + " | ".join(cell(found[c]) for c in columns) + " |")
    return "\n".join([*lines, "", *_formats(report)])


def _formats(report: dict[str, Any]) -> list[str]:
    lines = ["| format asked for | kept, English | kept, Japanese |", "|---|---|---|"]
    sums: dict[str, dict[str, Tally]] = {}
    for name, found in report["slices"].items():
        for style, tally in found["formats"].items():
            total = sums.setdefault(style, {}).setdefault(name[:2], Tally())
            total.right += tally["right"]
            total.all += tally["all"]
    for style, by_language in sorted(sums.items()):
        cells = [cell(by_language.get(language, Tally()).report()) for language in LANGUAGES]
        lines.append(f"| {style} | {cells[0]} | {cells[1]} |")
    return lines
