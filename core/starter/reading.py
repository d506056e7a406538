"""Asks a model held-out questions in the real prompt and counts what it reads, refuses and cites."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer

from core.starter.conversation import Conversation, Lookup
from core.starter.guides import encode_prompt
from core.starter.source import Generate
from core.starter.tokenizer import END, PAD

_ABSTAINS = (
    "could not find",
    "couldn't find",
    "do not know",
    "don't know",
    "not in the documents",
    "unknown",
    "null",
    "見つかりません",
    "見つからな",
    "持っていません",
    "持っていない",
    "不明",
    "わかりません",
    "分かりません",
    "おらぬ",
    "ありません",
)


@dataclass(frozen=True, slots=True)
class Question:
    """One held-out question with its reference.

    Attributes:
        messages: The prompt.
        reference: The right answer.
        values: Texts that the answer must contain; empty where the right answer is to abstain.
        citation: Number that must be cited, or None.
        lookup: What must be looked up.
        conversation: The conversation that it was taken from.
    """

    messages: list[dict[str, str]]
    reference: str
    values: tuple[str, ...]
    citation: str | None
    lookup: Lookup
    conversation: Conversation


def question(conversation: Conversation, lookup: Lookup) -> Question:
    """The question that ``lookup`` answers, with everything said before it."""
    fact = None if lookup.fact is None else conversation.facts[lookup.fact]
    values: list[str] = []
    if fact is not None:
        for place, source in lookup.copies:
            same = source.message == fact.value.message
            if same and source.start < fact.value.end and fact.value.start < source.end:
                values.append(conversation.text(place))
        values = values or [conversation.text(fact.value)]
    return Question(
        conversation.messages[: lookup.message],
        conversation.messages[lookup.message]["content"],
        tuple(values),
        None if lookup.citation is None else conversation.text(lookup.citation),
        lookup,
        conversation,
    )


def abstains(answer: str, values: Sequence[str] = ()) -> bool:
    """Whether an answer says that it does not know, and does not state one of ``values``."""
    low = answer.lower()
    return any(word in low for word in _ABSTAINS) and not any(v in answer for v in values)


def cited(answer: str, key: str | None = None) -> str | None:
    """The passage number in an answer: ``[2]``, a last line of ``Source: 2``, or the value of ``key`` in JSON."""
    if key is not None:
        try:
            found = json.loads(answer)
        except json.JSONDecodeError:
            return None
        return str(found[key]) if isinstance(found, dict) and key in found else None
    numbers = re.findall(r"\[(\d+)\]", answer) or re.findall(r"[::]\s*(\d+)$", answer)
    return numbers[-1] if numbers else None


def cites_rightly(asked: Question, answer: str) -> bool:
    """Whether an answer cites the passage that the reference cites, in the same way."""
    key = None
    if asked.conversation.format == "json":
        numbers = [k for k, v in json.loads(asked.reference).items() if isinstance(v, int) and str(v) == asked.citation]
        key = numbers[0] if numbers else None
    return cited(answer, key) == asked.citation


@torch.no_grad()
def answer(
    model: Any, tokenizer: Tokenizer, prompts: Sequence[list[dict[str, str]]], *, length: int = 72, group: int = 32
) -> list[str]:
    """Greedy answers, generated in groups of similar length."""
    encoded = [encode_prompt(messages, tokenizer) for messages in prompts]
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
    texts = [""] * len(encoded)
    training = model.training
    model.eval()
    for start in range(0, len(order), group):
        chosen = order[start : start + group]
        width = max(len(encoded[i]) for i in chosen)
        ids = torch.full((len(chosen), width), PAD)
        for row, i in enumerate(chosen):
            ids[row, width - len(encoded[i]) :] = torch.tensor(encoded[i])
        mask = torch.stack([torch.arange(width) >= width - len(encoded[i]) for i in chosen]).long()
        out = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=length,
            do_sample=False,
            eos_token_id=END,
            pad_token_id=PAD,
        )
        for i, row_ids in zip(chosen, out[:, width:].tolist(), strict=True):
            until = row_ids.index(END) if END in row_ids else len(row_ids)
            texts[i] = tokenizer.decode(row_ids[:until]).strip()
    model.train(training)
    return texts


@dataclass(slots=True)
class ReadingScore:
    """Counts of a small reading test.

    Attributes:
        answerable: Questions whose answer stands in the passages.
        exact: Of these, answers that hold the exact value.
        refused: Of these, answers that wrongly abstain.
        citable: Right answers that should cite.
        cited: Of these, answers that cite the right passage.
        absent: Questions whose answer stands nowhere.
        abstained: Of these, answers that abstain.
        identical: Answers equal to the reference to the letter.
    """

    answerable: int = 0
    exact: int = 0
    refused: int = 0
    citable: int = 0
    cited: int = 0
    absent: int = 0
    abstained: int = 0
    identical: int = 0

    def counts(self) -> list[int]:
        """The counts in the order of the fields."""
        return [
            self.answerable,
            self.exact,
            self.refused,
            self.citable,
            self.cited,
            self.absent,
            self.abstained,
            self.identical,
        ]

    def add(self, asked: Question, text: str) -> None:
        """Count one answer."""
        self.identical += text == asked.reference
        if not asked.values:
            self.absent += 1
            self.abstained += abstains(text)
            return
        right = all(v in text for v in asked.values)
        self.answerable += 1
        self.exact += right
        self.refused += abstains(text, asked.values)
        if right and asked.citation is not None:
            self.citable += 1
            self.cited += cites_rightly(asked, text)

    def shares(self) -> dict[str, str]:
        """The counts as "right of all"."""
        return {
            "exact": f"{self.exact} of {self.answerable}",
            "wrongly_abstains": f"{self.refused} of {self.answerable}",
            "abstains": f"{self.abstained} of {self.absent}",
            "cites": f"{self.cited} of {self.citable}",
            "identical": f"{self.identical} of {self.answerable + self.absent}",
        }


def draw(generate: Generate, rng: random.Random, count: int, **options: Any) -> list[Question]:
    """``count`` questions, one of each conversation that asks something about facts."""
    questions: list[Question] = []
    while len(questions) < count:
        conversation = generate(rng, **options)
        asked = [x for x in conversation.lookups if x.kind != "chat"]
        if asked:
            questions.append(question(conversation, rng.choice(asked)))
    return questions


def read(
    model: Any, tokenizer: Tokenizer, generate: Generate, rng: random.Random, count: int, **options: Any
) -> ReadingScore:
    """Score ``count`` held-out questions at the curriculum's end."""
    questions = draw(generate, rng, count, **options)
    score = ReadingScore()
    for asked, text in zip(questions, answer(model, tokenizer, [q.messages for q in questions]), strict=True):
        score.add(asked, text)
    return score
