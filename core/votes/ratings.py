"""Votes as they are cast, and what they add up to per approach."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import KurabeError
from core.measures import Interval, proportion_interval
from core.store import read, write
from core.store import tables as tb
from core.votes.pairing import pair_key

__all__ = [
    "PREFERENCES",
    "RATINGS",
    "VoteSummary",
    "cast_preference",
    "cast_rating",
    "summary",
    "undo_last",
    "vote_count",
]

RATINGS = ("as_is", "edited", "unusable")
"""Can be sent as is, after editing, or not."""
PREFERENCES = ("left", "right", "tie", "neither")


@dataclass(frozen=True, slots=True)
class VoteSummary:
    """How one approach fared with people."""

    approach_id: str
    ratings: dict[str, int]
    """Answers by rating."""
    usable: Interval | None
    """Share rated as it is or after editing, with its interval; None without ratings."""
    wins: int
    losses: int
    ties: int
    voters: int
    """People who rated at least one of its answers."""


def vote_count(project_id: str) -> int:
    """Votes of a project."""
    with read() as session:
        return session.scalar(select(func.count(tb.Vote.id)).where(tb.Vote.project_id == project_id)) or 0


def cast_rating(answer: tb.Answer, voter: str, value: str, *, seconds: float | None = None) -> None:
    """Store one person's rating of one answer; a second rating of the same answer replaces the first.

    Raises:
        KurabeError: ``vote.value``.
    """
    if value not in RATINGS:
        raise KurabeError("vote.value", found=value, known=", ".join(RATINGS))
    with write() as session:
        vote = _vote(session, answer, voter, "rating", answer.id)
        vote.value, vote.seconds = value, seconds


def cast_preference(
    left: tb.Answer, right: tb.Answer, voter: str, value: str, *, comment: str = "", seconds: float | None = None
) -> None:
    """Store which of two answers a person would rather send.

    Raises:
        KurabeError: ``vote.value``.
    """
    if value not in PREFERENCES:
        raise KurabeError("vote.value", found=value, known=", ".join(PREFERENCES))
    with write() as session:
        vote = _vote(session, left, voter, "preference", pair_key(left.id, right.id))
        vote.left_answer_id, vote.right_answer_id = left.id, right.id
        vote.value, vote.comment, vote.seconds = value, comment, seconds


def _vote(session: Session, answer: tb.Answer, voter: str, kind: str, key: str) -> tb.Vote:
    wanted = select(tb.Vote).where(
        tb.Vote.project_id == answer.project_id,
        tb.Vote.voter == voter,
        tb.Vote.kind == kind,
        tb.Vote.pair_key == key,
    )
    vote = session.scalars(wanted).one_or_none()
    if vote is None:
        vote = tb.Vote(
            project_id=answer.project_id, kind=kind, voter=voter, pair_key=key, left_answer_id=answer.id, value=""
        )
        session.add(vote)
    return vote


def undo_last(project_id: str, voter: str) -> bool:
    """Take back the voter's newest preference with its two ratings; return whether there was one."""
    wanted = (
        select(tb.Vote)
        .where(tb.Vote.project_id == project_id, tb.Vote.voter == voter, tb.Vote.kind == "preference")
        .order_by(tb.Vote.id.desc())
        .limit(1)
    )
    with write() as session:
        last = session.scalars(wanted).one_or_none()
        if last is None:
            return False
        shown = (last.left_answer_id, last.right_answer_id)
        for rating in session.scalars(
            select(tb.Vote).where(
                tb.Vote.project_id == project_id,
                tb.Vote.voter == voter,
                tb.Vote.kind == "rating",
                tb.Vote.pair_key.in_(shown),
            )
        ):
            session.delete(rating)
        session.delete(last)
    return True


def summary(experiment_id: str) -> list[VoteSummary]:
    """Return how each approach of an experiment fared, the most usable first; only approaches with votes."""
    with read() as session:
        owner = dict(
            session.execute(select(tb.Answer.id, tb.Answer.approach_id).where(tb.Answer.experiment_id == experiment_id))
            .tuples()
            .all()
        )
        cast = select(tb.Vote).join(tb.Answer, tb.Answer.id == tb.Vote.left_answer_id)
        votes = list(session.scalars(cast.where(tb.Answer.experiment_id == experiment_id)))
    approaches = sorted({owner[i] for v in votes for i in (v.left_answer_id, v.right_answer_id) if i in owner})
    summaries = [_summarise(approach, votes, owner) for approach in approaches]
    return sorted(summaries, key=lambda item: -(item.usable.estimate if item.usable else 0.0))


def _summarise(approach_id: str, votes: list[tb.Vote], owner: dict[str, str]) -> VoteSummary:
    own = [v for v in votes if v.kind == "rating" and owner[v.left_answer_id] == approach_id]
    ratings = {value: sum(vote.value == value for vote in own) for value in RATINGS}
    usable = ratings["as_is"] + ratings["edited"]
    wins = losses = ties = 0
    for vote in votes:
        side = _side(vote, owner, approach_id)
        if vote.kind != "preference" or side is None:
            continue
        wins += vote.value == side
        losses += vote.value in ("left", "right") and vote.value != side
        ties += vote.value in ("tie", "neither")
    return VoteSummary(
        approach_id,
        ratings,
        proportion_interval(usable, len(own)) if own else None,
        wins,
        losses,
        ties,
        len({vote.voter for vote in own}),
    )


def _side(vote: tb.Vote, owner: dict[str, str], approach_id: str) -> str | None:
    if owner.get(vote.left_answer_id) == approach_id:
        return "left"
    if vote.right_answer_id and owner.get(vote.right_answer_id) == approach_id:
        return "right"
    return None
