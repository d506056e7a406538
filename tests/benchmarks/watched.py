"""A training in a process of its own that is timed step by step and whose memory is read.

``python -m tests.benchmarks.watched kurabe RUN_ID FOLDER`` runs Kurabe's trainer, ``… script train.py ARGUMENTS`` any
script that trains with transformers or TRL; nothing of Kurabe is imported then. Reports, one JSON value a line, go to
the file descriptor that the variable ``REPORTS`` names. If ``TURNS`` names one as well, each step waits for a byte
from it, so that two trainings can take steps in turn.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerCallback


def memory(name: str) -> int:
    """Return a memory figure of this process in bytes: ``VmRSS`` now, ``VmHWM`` at its highest."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) * 1024


def report(**values: Any) -> None:
    """Tell the process that watches."""
    os.write(int(os.environ["REPORTS"]), (json.dumps(values) + "\n").encode())


def forget_peak() -> None:
    """Let ``VmHWM`` begin anew at what is held now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


class Stamps(TrainerCallback):
    """Reports the seconds of each step, from its begin to the next one's, with everything the trainer does between."""

    def __init__(self) -> None:
        turns = os.environ.get("TURNS")
        self.turns = int(turns) if turns else None
        self.begun: tuple[float, float] | None = None

    def _end(self) -> None:
        if self.begun is not None:
            wall, cpu = self.begun
            report(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)
            self.begun = None

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Count the highest memory from here, whoever trains: what loading took for a moment is another matter."""
        forget_peak()
        report(training=memory("VmRSS"))

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Report the step before, wait for the turn, start the clocks."""
        self._end()
        if self.turns is not None:
            os.read(self.turns, 1)
        self.begun = time.perf_counter(), time.process_time()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Report the last step and the memory of all of them."""
        self._end()
        report(peak=memory("VmHWM"))


def watch_trainers() -> None:
    make = Trainer.__init__

    def made(self: Trainer, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        self.add_callback(Stamps())

    Trainer.__init__ = made


def mark_loaded() -> None:
    """Report the memory once Kurabe's trainer has loaded the base, and count the highest from there.

    Not for comparisons of two trainings: it touches all weights at once, which takes memory that the other never takes.
    """
    from core.training.trainer import session

    load = session.load_base

    def loaded(*args: Any) -> Any:
        model = load(*args)
        # Weights that are mapped from a file are not in memory before they are touched.
        for tensor in [*model.parameters(), *model.buffers()]:
            tensor.abs().max()
        forget_peak()
        report(loaded=memory("VmRSS"))
        return model

    session.load_base = loaded


def run_kurabe(run_id: str, folder: str) -> None:
    from core.jobs import JobContext
    from core.training.trainer.run import main

    main(JobContext("job", {"run_id": run_id}, Path(folder)))


if __name__ == "__main__":
    watch_trainers()
    if sys.argv[1] == "kurabe":
        run_kurabe(*sys.argv[2:])
    else:
        sys.argv = sys.argv[2:]
        runpy.run_path(sys.argv[0], run_name="__main__")
