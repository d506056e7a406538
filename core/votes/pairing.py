"""Choose two answers to the same question for one person, without telling which approach wrote which."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.identity import content_hash, match_key
from core.store import read
from core.store import tables as tb

__all__ = ["BlindPair", "next_pair", "pair_key"]


@dataclass(frozen=True, slots=True)
class BlindPair:
    """Two hidden answers to one question; left and right are drawn by lot, the same lot for the same voter."""

    question: str
    reference: str
    left: tb.Answer
    right: tb.Answer
    done: int
    """Pairs of this experiment that the voter has finished."""
    total: int
    """Pairs that there are, one a question."""


def pair_key(first_id: str, second_id: str) -> str:
    """Return the name of a pair, whichever answer stands left."""
    return content_hash(sorted((first_id, second_id)))


def next_pair(experiment_id: str, voter: str) -> BlindPair | None:
    """Return the next pair that this voter has not finished, or None when all are done or there is nothing to compare.

    Every question gives one pair. Which two approaches meet is drawn by a lot seeded with experiment, voter and
    question, so a reload shows the same pair. Pairs of answers with the same words are left out: there is nothing to
    choose between them.
    """
    with read() as session:
        by_question = _answers_by_question(session, experiment_id)
        finished = _finished(session, voter, by_question)
        pairs = {example: _draw(answers, experiment_id, voter, example) for example, answers in by_question.items()}
        possible = {example: pair for example, pair in pairs.items() if pair is not None}
        open_ones = [
            example for example, (left, right) in possible.items() if pair_key(left.id, right.id) not in finished
        ]
        if not open_ones:
            return None
        example_id = min(open_ones, key=lambda example: _lot(experiment_id, voter, example, "order"))
        left, right = possible[example_id]
        example = session.get(tb.Example, example_id)
    reference = example.answer if example else ""
    return BlindPair(left.question, reference, left, right, len(possible) - len(open_ones), len(possible))


def _answers_by_question(session: Session, experiment_id: str) -> dict[str, list[tb.Answer]]:
    wanted = select(tb.Answer).where(
        tb.Answer.experiment_id == experiment_id,
        tb.Answer.phase == "quality",
        tb.Answer.repetition == 0,
        tb.Answer.status == "finished",
        tb.Answer.example_id.is_not(None),
    )
    grouped: dict[str, list[tb.Answer]] = defaultdict(list)
    for answer in session.scalars(wanted.order_by(tb.Answer.id)):
        grouped[str(answer.example_id)].append(answer)
    return grouped


def _finished(session: Session, voter: str, by_question: dict[str, list[tb.Answer]]) -> set[str]:
    ids = [answer.id for answers in by_question.values() for answer in answers]
    known = set(ids)
    rows = session.execute(
        select(tb.Vote.pair_key, tb.Vote.left_answer_id).where(tb.Vote.voter == voter, tb.Vote.kind == "preference")
    )
    return {key for key, left in rows if left in known}


def _draw(answers: list[tb.Answer], experiment_id: str, voter: str, example: str) -> tuple[tb.Answer, tb.Answer] | None:
    lot = random.Random(_lot(experiment_id, voter, example, "pair"))
    shuffled = answers.copy()
    lot.shuffle(shuffled)
    for index, first in enumerate(shuffled):
        for second in shuffled[index + 1 :]:
            if match_key(first.text) != match_key(second.text):
                return first, second
    return None


def _lot(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
