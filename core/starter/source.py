"""Where training takes its conversations from: a module with a ``generate`` function, named by string."""

from __future__ import annotations

import importlib
import random
from typing import Any, Protocol, cast

from core.starter.conversation import Conversation

WORLD = "core.starter.world"


class Generate(Protocol):
    """A generator of conversations; ``core.starter.world.generate`` is the product's one."""

    def __call__(self, rng: random.Random, **options: Any) -> Conversation:
        """One conversation; the options are those of the world's ``generate``."""
        ...


def load_source(name: str = WORLD) -> Generate:
    """The ``generate`` function of the module called ``name``.

    Raises:
        ImportError: There is no such module.
        AttributeError: The module has no ``generate``.
    """
    return cast(Generate, importlib.import_module(name).generate)
