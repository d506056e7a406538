"""Several GPUs of this machine, or processors of it, through `accelerate launch`, one process each."""

from __future__ import annotations

import importlib.util
import os
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
    cpu: bool = field(default=False, metadata={"help": "jobs.launcher.accelerate.cpu"})
    """Whether they compute on the processor and share its cores."""

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
        """`accelerate launch`, which starts the module once a process with RANK set.

        On processors, too, several processes need `--multi_gpu`: with `--cpu` accelerate 1.15 starts only one,
        however many are asked for, unless MPI is there. That they compute on the processor is told by `environment`.
        """
        options = ["--num_processes", str(self.processes), "--num_machines", "1", "--dynamo_backend", "no"]
        options += ["--mixed_precision", self.mixed_precision, "--main_process_port", str(self.port)]
        options += ["--multi_gpu"] if self.processes > 1 else []
        options += ["--cpu"] if self.cpu and self.processes == 1 else []
        return python_module("accelerate.commands.launch", [*options, "--module", module, *arguments])

    def environment(self) -> dict[str, str]:
        """What tells processes that share a processor so, and how many threads each may take."""
        if not self.cpu:
            return {}
        threads = max(1, (os.cpu_count() or 1) // self.processes)
        return {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": str(threads)}
