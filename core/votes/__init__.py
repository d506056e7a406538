"""Blind ratings: which answers to show, what people said, and how the approaches fared."""

from core.votes.pairing import BlindPair, next_pair
from core.votes.ratings import PREFERENCES, RATINGS, VoteSummary, cast_preference, cast_rating, summary, undo_last

__all__ = [
    "PREFERENCES",
    "RATINGS",
    "BlindPair",
    "VoteSummary",
    "cast_preference",
    "cast_rating",
    "next_pair",
    "summary",
    "undo_last",
]
