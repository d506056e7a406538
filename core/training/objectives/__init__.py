"""Training objectives: one file each; what the weights are drawn towards, whichever method changes them."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Any, ClassVar

from core.registry import Registry
from core.training.methods import check_fields

__all__ = ["OBJECTIVES", "Objective", "build_objective"]


@dataclass(frozen=True)
class Objective(ABC):
    """What a training aims at; its fields are its whole configuration and make its form."""

    name: ClassVar[str]
    """The file's name; key of its label ``training.objective.<name>``."""
    pairs: ClassVar[bool] = False
    """Whether a row is a pair: the reference answer and one that was turned down, after the same prompt."""
    passes: ClassVar[float]
    """Cost of a trained token in forward passes; a backward pass costs two (Kaplan et al. 2020, arXiv:2001.08361)."""

    def __post_init__(self) -> None:
        """Refuse values out of bounds.

        Raises:
            KurabeError: ``training.bad_field``.
        """
        check_fields(self)

    @classmethod
    def rate_factor(cls, parameters: int) -> float:
        """Return its learning rate on a base of this many parameters, as a multiple of what answers would take."""
        return 1.0


OBJECTIVES: Registry[Objective] = Registry("core.training.objectives", Objective)
"""All objectives by name."""


def build_objective(spec: dict[str, Any]) -> Objective:
    """Rebuild an objective from its stored form.

    Raises:
        KurabeError: ``registry.unknown``, ``registry.bad_fields``, ``training.bad_field``.
    """
    return OBJECTIVES.build(spec)
