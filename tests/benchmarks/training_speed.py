"""Kurabe's trainer against a plain TRL script: ``python -m tests.benchmarks.training_speed``.

The script is the one of the take-away kit, which imports nothing of Kurabe: same rows in the same order, same base,
optimizer, precision and lengths. Both are alive at once and take their steps in turn, A B, B A, so that whatever else
the machine does falls on both; the first steps are dropped. The peak of memory is counted anew in both when the
training begins. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from core.settings import DATA, ROOT
from core.training import TrainingConfig, export_kit
from tests.benchmarks.pairing import Ratio, paired
from tests.benchmarks.world import home, write_rows
from tests.training.stored import store_run

_LIMIT = 1.05
_BLOCK = 5
"""Steps added up to one pair."""


@dataclass
class Side:
    """One of the two trainings."""

    command: list[str]
    folder: Path
    steps: list[dict[str, float]] = field(default_factory=list)
    peak: float = 0.0

    def start(self) -> None:
        """Start the process; it waits before its first step."""
        # The end to read from stays open here too: a turn that comes after the last step is nobody's, not an error.
        turns, self.turn = os.pipe()
        reports, writing = os.pipe()
        self.reports: TextIO = os.fdopen(reports)
        self.log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.watched", *self.command],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "REPORTS": str(writing), "TURNS": str(turns)},
            pass_fds=(writing, turns),
            stdout=self.log,
            stderr=self.log,
        )
        os.close(writing)

    def step(self) -> bool:
        """Let it take one step and wait for its end; tell whether it took one."""
        os.write(self.turn, b".")
        for line in self.reports:
            report = json.loads(line)
            if "wall" in report:
                self.steps.append(report)
                return True
            self.peak = max(self.peak, report.get("peak", 0.0))
        return False

    def end(self) -> None:
        """Let it finish; its peak is that of the whole process from the begin of the training to its end."""
        os.close(self.turn)  # it waits for nobody any more
        for line in self.reports:
            self.peak = max(self.peak, json.loads(line).get("peak", 0.0))
        if self.process.wait():
            sys.exit((self.folder / "log").read_text(encoding="utf-8", errors="replace")[-3000:])


def main() -> None:
    """Measure and print; fail if the interval's upper end is beyond the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="times that both processes are started")
    parser.add_argument("--steps", type=int, default=60, help="steps of each round")
    parser.add_argument("--dropped", type=int, default=10, help="first steps of each round that are not counted")
    parser.add_argument("--base", choices=["starter", "larger"], nargs="+", default=["starter", "larger"])
    options = parser.parse_args()
    beyond = [name for name in options.base if not _compare(name, options)]
    if beyond:
        sys.exit(f"beyond {_LIMIT}: {', '.join(beyond)}")


def _compare(name: str, options: argparse.Namespace) -> bool:
    wall: list[list[float]] = [[], []]
    cpu: list[list[float]] = [[], []]
    peaks: list[list[float]] = [[], []]
    with tempfile.TemporaryDirectory() as scratch:
        for sides in _rounds(name, options, Path(scratch)):
            for side, walls, cpus, highest in zip(sides, wall, cpu, peaks, strict=True):
                # The last step's time holds the saving and evaluating after it.
                counted = side.steps[options.dropped : -1]
                walls += [step["wall"] for step in counted]
                cpus += [step["cpu"] for step in counted]
                highest.append(side.peak)
    found = {
        "wall time": paired(wall[0], wall[1], block=_BLOCK),
        "CPU time": paired(cpu[0], cpu[1], block=_BLOCK),
        "peak memory": paired(peaks[0], peaks[1]),
    }
    for what, ratio in found.items():
        sys.stdout.write(f"{name}: Kurabe / plain TRL, {what}: {ratio}\n")
    sys.stdout.flush()
    return _within(found)


def _within(found: dict[str, Ratio]) -> bool:
    return found["wall time"].high <= _LIMIT and found["peak memory"].high <= _LIMIT


def _rounds(name: str, options: argparse.Namespace, scratch: Path) -> Iterator[tuple[Side, Side]]:
    """Train both as often as asked; each time, either goes first in every other step."""
    base = DATA / "starter" if name == "starter" else scratch / "base"
    if name == "larger":
        shape = "Shape(hidden=512, layers=8, heads=8, key_heads=4, intermediate=1536, vocabulary=16000)"
        script = (
            f"from pathlib import Path; from tests.benchmarks.world import Shape; {shape}.write(Path({str(base)!r}))"
        )
        subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    for number in range(options.rounds):
        with home(scratch / f"home{number}"):
            sides = _sides(base, options.steps, scratch / f"round{number}")
            for side in sides:
                side.start()
            position = 0
            while all([side.step() for side in (sides if position % 2 else sides[::-1])]):
                position += 1
            for side in sides:
                side.end()
            yield sides


def _sides(base: Path, steps: int, folder: Path) -> tuple[Side, Side]:
    ours, theirs = folder / "ours", folder / "theirs"
    ours.mkdir(parents=True)
    theirs.mkdir()
    fields: dict[str, Any] = {"learning_rate": 1e-3, "warmup_steps": 2, "sample_questions": 0, "precision": "fp32"}
    config = TrainingConfig(
        dataset_version_id=write_rows(steps * 8, 30, validation=8),
        base_ref="starter" if base == DATA / "starter" else str(base),
        epochs=1,
        batch_size=8,
        evaluations=1,
        **fields,
    )
    run_id = store_run(config, "benchmark")
    with zipfile.ZipFile(export_kit(run_id, folder / "kit.zip")) as kit:
        kit.extractall(theirs)
    script = [str(theirs / "train.py"), str(base), str(theirs / "adapter")]
    return Side(["kurabe", run_id, str(ours)], ours), Side(["script", *script], theirs)


if __name__ == "__main__":
    main()
