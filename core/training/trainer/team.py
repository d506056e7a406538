"""The processes that train one model together: the first decides and writes, all agree before they go on."""

from __future__ import annotations

import os
from datetime import timedelta

import torch
import torch.distributed as group
from accelerate import PartialState  # type: ignore[import-untyped]  # it brings no types

from core.errors import KurabeError
from core.jobs import JobContext

__all__ = ["Team"]

_LONGEST_WAIT = timedelta(hours=2)
"""How long one process waits for the others: the first alone takes sample answers and writes checkpoints."""


class Team:
    """All processes of one training; alone, nothing is exchanged and nothing waits."""

    def __init__(self, ctx: JobContext, device: str) -> None:
        """Find the others.

        Args:
            ctx: the job, which knows how many there are and which one this is.
            device: ``cpu`` or ``cuda``; each process takes the GPU of its number.

        Raises:
            KurabeError: ``training.too_few_gpus``.
        """
        self.size, self.first = ctx.processes, ctx.first
        self.device = device
        if self.size == 1:
            return
        local = int(os.environ.get("LOCAL_RANK", "0"))
        if device == "cuda" and local >= torch.cuda.device_count():
            raise KurabeError("training.too_few_gpus", wanted=self.size, there=torch.cuda.device_count())
        PartialState(cpu=device == "cpu", timeout=_LONGEST_WAIT)
        if device == "cuda":
            self.device = f"cuda:{local}"

    def agree(self, *values: float) -> list[float]:
        """Return the first process's numbers in every process."""
        if self.size == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64, device=self.device)
        group.broadcast(told, src=0)
        return [float(value) for value in told]

    def gather(self, value: float) -> list[float]:
        """Return every process's number, in their order."""
        if self.size == 1:
            return [value]
        mine = torch.tensor([value], dtype=torch.float64, device=self.device)
        every = [torch.empty_like(mine) for _ in range(self.size)]
        group.all_gather(every, mine)
        return [float(each) for each in every]

    def wait(self) -> None:
        """Go on when all processes have come here."""
        self.agree(0.0)
        self.gather(0.0)
