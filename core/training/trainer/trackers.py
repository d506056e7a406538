"""Where a run's numbers go beside Kurabe: TensorBoard files always, Weights & Biases and MLflow by setting.

A tracker that fails is closed with a warning; it never ends a training.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from typing import Any, Protocol

from core.jobs import find_secret
from core.settings import settings
from core.training.trainer.task import Task

__all__ = ["TENSORBOARD", "Trackers"]

TENSORBOARD = "tensorboard"
"""Folder of the event files in the run's folder."""

_LOGGED = (
    "loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_bytes", "margin", "accuracy",
    "eval_margin", "eval_accuracy",
)  # fmt: skip


class _Tracker(Protocol):
    def log(self, step: int, values: dict[str, float]) -> None:
        """Take in the values of a step."""

    def close(self) -> None:
        """Write what is still held."""


class _TensorBoard:
    """Event files, written before `log` returns: the library's own writer would lose what waits in its thread."""

    def __init__(self, task: Task, step: int) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        folder = task.run_dir / TENSORBOARD
        folder.mkdir(exist_ok=True)
        self._writer = EventsWriter(str(folder / "events"), f".{os.getpid()}")
        if step:
            # steps after the checkpoint that a resumed run starts from are done again: the viewer drops the first ones
            start = SessionLog(status=SessionLog.START)
            self._writer.write_event(Event(wall_time=time.time(), step=step + 1, session_log=start))

    def log(self, step: int, values: dict[str, float]) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar

        for name, value in values.items():
            self._writer.write_event(Event(wall_time=time.time(), step=step, summary=scalar(name, value)))
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class _Wandb:
    def __init__(self, task: Task, step: int) -> None:
        _hand_over("WANDB_API_KEY")
        self._run = importlib.import_module("wandb").init(
            project=os.environ.get("WANDB_PROJECT", "kurabe"),
            name=task.run.name,
            id=task.run.id,
            resume="allow",
            config=task.config.as_dict(),
            dir=str(task.run_dir),
        )

    def log(self, step: int, values: dict[str, float]) -> None:
        self._run.log(values, step=step)

    def close(self) -> None:
        self._run.finish()


class _MLflow:
    def __init__(self, task: Task, step: int) -> None:
        _hand_over("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
        self._mlflow = importlib.import_module("mlflow")
        self._mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", "kurabe"))
        # one id over all attempts, so that a resumed run goes on in the same place
        known = task.run_dir / "mlflow_run"
        earlier = known.read_text(encoding="utf-8") if known.exists() else None
        run = self._mlflow.start_run(run_id=earlier, run_name=task.run.name)
        known.write_text(run.info.run_id, encoding="utf-8")
        if earlier is None:
            self._mlflow.log_params({name: str(value)[:250] for name, value in task.config.as_dict().items()})

    def log(self, step: int, values: dict[str, float]) -> None:
        self._mlflow.log_metrics(values, step=step)

    def close(self) -> None:
        self._mlflow.end_run()


def _hand_over(*names: str) -> None:
    """Give a library the secrets that it reads from the environment, wherever they are kept here."""
    for name in names:
        if value := find_secret(name):
            os.environ.setdefault(name, value)


_KINDS: dict[str, Callable[[Task, int], _Tracker]] = {"tensorboard": _TensorBoard, "wandb": _Wandb, "mlflow": _MLflow}


class Trackers:
    """All trackers of one attempt of a run."""

    def __init__(self, task: Task, step: int, tell: Callable[[str], None], *, speaks: bool = True) -> None:
        """Open them.

        Args:
            task: the run.
            step: step of the checkpoint that it goes on from; 0 for a fresh run.
            tell: writes a line to the job's log.
            speaks: False in all but the first of several processes, which open none.
        """
        self.warnings: list[dict[str, Any]] = []
        """One for each tracker that failed, worded at ``training.warning.tracker``."""
        self._tell = tell
        self._open: dict[str, _Tracker] = {}
        for name in (TENSORBOARD, *settings().tracker_names) if speaks else ():
            try:
                self._open[name] = _KINDS[name](task, step)
            except Exception as error:  # a library for watching must not end what is watched
                self._give_up(name, error)

    def log(self, step: int, reported: dict[str, Any]) -> None:
        """Pass on those of the reported values that are curves."""
        values = {name: float(reported[name]) for name in _LOGGED if reported.get(name) is not None}
        for name, tracker in list(self._open.items()):
            try:
                tracker.log(step, values)
            except Exception as error:  # as above
                self._give_up(name, error)

    def close(self) -> None:
        """Close what is open."""
        for name, tracker in list(self._open.items()):
            try:
                tracker.close()
            except Exception as error:  # as above
                self._give_up(name, error)
        self._open.clear()

    def _give_up(self, name: str, error: Exception) -> None:
        self._open.pop(name, None)
        detail = f"{type(error).__name__}: {error}"[:200]
        self._tell(f"{name} is not used any more: {detail}")
        self.warnings.append({"code": "tracker", "params": {"tracker": name, "detail": detail}})
