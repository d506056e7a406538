"""The memory estimate against the memory that trainings take: ``python -m tests.benchmarks.memory_estimate``.

Each combination of base, batch, length, method, checkpointing and precision trains a few steps with Kurabe's trainer in
a process of its own on the CPU; its highest memory above the level after the base is loaded is compared with the
estimate's part above the model. Which combinations count as big is decided by the activations that were measured, not
by the estimate that is judged. Linux only. No constant of the estimate may be set by the combinations that
are marked with a star.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.prompting import ChatTemplate
from core.training import TrainingConfig, prepare_rows
from core.training.estimate import MemoryEstimate, estimate_memory, read_shapes
from tests.benchmarks.world import Shape, home, write_rows
from tests.training.stored import store_run

_STEPS = 3
_BIG = 500 << 20
_TOLERANCE = 0.2
_WANTED = 12


@dataclass(frozen=True)
class Combination:
    """One training; `words` sets the length of its rows, about three tokens a word."""

    shape: Shape
    batch: int
    words: int
    fields: dict[str, Any] = field(default_factory=dict)
    held_out: bool = False


_SMALL = Shape()
_GROUPED = Shape(kind="llama", heads=8, key_heads=2)
_DEEP = Shape(layers=12, intermediate=512)
_WORDY = Shape(vocabulary=32000, layers=6)
_WIDE = Shape(hidden=512, heads=8, key_heads=4, intermediate=1536)
_LARGE = Shape(hidden=1024, layers=4, heads=8, key_heads=2, head=128, intermediate=2816, vocabulary=8000, kind="llama")

COMBINATIONS = (
    Combination(_SMALL, 8, 180),
    Combination(_WORDY, 8, 150),
    Combination(_GROUPED, 8, 180, {"method": {"name": "qlora"}}),
    Combination(_DEEP, 8, 90, {"method": {"name": "full"}}),
    Combination(_SMALL, 8, 150, {"method": {"name": "dora"}}),
    Combination(_SMALL, 16, 180, {"gradient_checkpointing": True}),
    Combination(_WIDE, 4, 200, {"method": {"name": "full"}}),
    Combination(_DEEP, 4, 180, held_out=True),
    Combination(_WORDY, 8, 150, {"method": {"name": "prefix"}}, held_out=True),
    Combination(_WIDE, 8, 90, held_out=True),
    Combination(_GROUPED, 16, 110, {"method": {"name": "full"}}, held_out=True),
    Combination(_DEEP, 8, 90, {"method": {"name": "qlora"}}, held_out=True),
    Combination(_GROUPED, 4, 220, {"method": {"name": "dora"}}, held_out=True),
    Combination(_LARGE, 2, 250, held_out=True),
    Combination(_SMALL, 16, 180, {"precision": "bf16"}, held_out=True),
    Combination(_LARGE, 4, 120, {"method": {"name": "full"}, "gradient_checkpointing": True}, held_out=True),
)


def main() -> None:
    """Measure and print; fail if fewer combinations than wanted are big and well estimated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, nargs="+", default=range(len(COMBINATIONS)), help="numbers of combinations")
    chosen = parser.parse_args().only
    # Imported once and inherited: what a training takes above its loaded base is all that is compared.
    import core.training.trainer.session  # noqa: F401

    good = big = 0
    for number in chosen:
        combination = COMBINATIONS[number]
        estimated, measured = _measure(combination)
        activations = _activations(estimated, measured)
        error = estimated.above_model / measured - 1
        big += activations >= _BIG
        good += activations >= _BIG and abs(error) <= _TOLERANCE
        star = "*" if combination.held_out else " "
        _say(
            f"{number:2d}{star} {combination.shape} · batch {combination.batch} · {combination.words} words · "
            f"{combination.fields or 'lora'}: measured {measured >> 20} MB, of which activations "
            f"{activations >> 20} MB, estimated {estimated.above_model >> 20} MB, error {error:+.0%}"
        )
    _say(f"within {_TOLERANCE:.0%} on {good} of {big} combinations whose measured activations exceed {_BIG >> 20} MB")
    if len(chosen) == len(COMBINATIONS) and good < _WANTED:
        sys.exit(f"fewer than {_WANTED}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _activations(estimated: MemoryEstimate, measured: int) -> int:
    """Return the bytes of activations within what was measured above the loaded model, or a few less.

    What is trained, its moments and its gradients (half as large as the moments) are no estimates: they are counted
    to the byte, which tests/training/test_estimate.py proves. The rest is activations and what the heap loses on them.
    The gradients are taken off whole, though they are not all there when activations are at their highest.
    """
    return measured - estimated.adapter - estimated.optimizer - estimated.optimizer // 2


def _measure(combination: Combination) -> tuple[MemoryEstimate, int]:
    """Return the estimate and the bytes that were measured above the loaded model."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _apart(lambda: combination.shape.write(folder / "base"), folder)
        with home(folder / "home"):
            config = TrainingConfig(
                dataset_version_id=write_rows(combination.batch * _STEPS, combination.words),
                base_ref=str(folder / "base"),
                epochs=1,
                batch_size=combination.batch,
                max_length=8192,
                evaluations=1,
                sample_questions=0,
                **combination.fields,
            )
            run_id = store_run(config, "benchmark")
            rows = prepare_rows(config, ChatTemplate.load(folder / "base"), "en")
            (folder / "run").mkdir()
            reports = _apart(lambda: _train(run_id, folder / "run"), folder)
        found = estimate_memory(config, read_shapes(folder / "base"), rows.counts()["longest"], device="cpu")
        return found, reports["peak"] - reports["loaded"]


def _train(run_id: str, folder: Path) -> None:
    from core.store import reset_engine
    from tests.benchmarks import watched

    reset_engine()  # connections do not survive a fork
    watched.watch_trainers()
    watched.mark_loaded()
    watched.run_kurabe(run_id, str(folder))


def _apart(work: Callable[[], None], folder: Path) -> dict[str, Any]:
    """Do something in a process of its own and return what it reported."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.environ["REPORTS"] = str(writing)
            work()
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as lines:
        found = {name: value for line in lines for name, value in json.loads(line).items()}
    if os.waitpid(child, 0)[1]:
        sys.exit((folder / "log").read_text(encoding="utf-8")[-3000:])
    return found


if __name__ == "__main__":
    main()
