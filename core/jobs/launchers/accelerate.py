"""Several GPUs of this machine through `accelerate launch`, one process each."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from core.errors import KurabeError
from core.jobs.launchers import Launcher, python_module


@dataclass(frozen=True)
class Accelerate(Launcher):
    """Run the work in several processes that train together."""

    name: ClassVar[str] = "accelerate"

    processes: int = field(default=1, metadata={"help": "jobs.launcher.accelerate.processes"})
    """How many processes, one a GPU."""
    mixed_precision: str = field(default="no", metadata={"help": "jobs.launcher.accelerate.mixed_precision"})
    """`no`, `bf16` or `fp16`."""
    port: int = field(default=0, metadata={"help": "jobs.launcher.accelerate.port"})
    """Port by which the processes find each other; 0 takes a free one."""

    def check(self) -> None:
        """Refuse without accelerate and with numbers that it cannot use.

        Raises:
            KurabeError: `jobs.launcher_unusable`.
        """
        if importlib.util.find_spec("accelerate") is None:
            raise KurabeError("jobs.launcher_unusable", launcher=self.name, detail="accelerate is not installed")
        if self.processes < 1 or self.mixed_precision not in ("no", "bf16", "fp16"):
            raise KurabeError("jobs.launcher_unusable", launcher=self.name, detail="processes or mixed_precision")

    def command(self, module: str, arguments: Sequence[str]) -> list[str]:
        """`accelerate launch`, which starts the module once a process with RANK set."""
        options = ["--num_processes", str(self.processes), "--num_machines", "1", "--dynamo_backend", "no"]
        options += ["--mixed_precision", self.mixed_precision, "--main_process_port", str(self.port)]
        options += ["--multi_gpu"] if self.processes > 1 else []
        return python_module("accelerate.commands.launch", [*options, "--module", module, *arguments])
