"""Launchers: how the real work of a job is started, one file each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from core.registry import Registry, spec_of


@dataclass(frozen=True)
class Launcher:
    """Builds the command of a job's child process; its fields are its whole configuration.

    Whoever launches it, the supervisor starts that command in a new session, and the record, log and
    events are the same. A command must end when its work ends and hand its exit code on.
    """

    name: ClassVar[str]
    """The file's name."""

    def check(self) -> None:  # most launchers need nothing
        """Refuse to start where it cannot work.

        Raises:
            KurabeError: `jobs.launcher_unusable`.
        """

    def command(self, module: str, arguments: Sequence[str]) -> list[str]:
        """The command that runs `python -m module *arguments`."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Variables to add to the child's environment; never secrets."""
        return {}


LAUNCHERS: Registry[Launcher] = Registry("core.jobs.launchers", Launcher)
"""All launchers, found by looking in this folder."""


def launcher_spec(launcher: str | dict[str, Any] | Launcher) -> dict[str, Any]:
    """The stored form of a launcher given by name, by stored form or as an object.

    Raises:
        KurabeError: `registry.unknown`, `registry.bad_fields`.
    """
    if isinstance(launcher, Launcher):
        return spec_of(launcher)
    spec = {"name": launcher} if isinstance(launcher, str) else launcher
    return spec_of(LAUNCHERS.build(spec))


def python_module(module: str, arguments: Sequence[str]) -> list[str]:
    """The command for a module in this interpreter."""
    return [sys.executable, "-m", module, *arguments]


__all__ = ["LAUNCHERS", "Launcher", "launcher_spec", "python_module"]
