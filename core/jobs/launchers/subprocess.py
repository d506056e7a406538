"""One process on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.jobs.launchers import Launcher, python_module


@dataclass(frozen=True)
class Subprocess(Launcher):
    """Run the work in one process."""

    name: ClassVar[str] = "subprocess"

    def command(self, module: str, arguments: Sequence[str]) -> list[str]:
        """The module in this interpreter."""
        return python_module(module, arguments)
