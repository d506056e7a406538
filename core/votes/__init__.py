"""Blind ratings: which answers to show, what people said, and how the approaches fared."""

from core.votes.agreement import Agreement, agreement, kappa
from core.votes.pairing import BlindPair, next_pair
from core.votes.ratings import (
    PREFERENCES,
    RATINGS,
    VoteSummary,
    cast_preference,
    cast_rating,
    summary,
    undo_last,
    vote_count,
)

__all__ = [
    "PREFERENCES",
    "RATINGS",
    "Agreement",
    "BlindPair",
    "VoteSummary",
    "agreement",
    "cast_preference",
    "cast_rating",
    "kappa",
    "next_pair",
    "summary",
    "undo_last",
    "vote_count",
]
