"""The watcher: reports a run while it goes, decides when to evaluate, save and end, and notices when it breaks."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.jobs import JobContext
from core.settings import settings
from core.training.checkpoints import keep_newest, seal
from core.training.config import TrainingConfig
from core.training.trainer.budget import Budget
from core.training.trainer.shared import EvaluationStopped
from core.training.trainer.team import Team

__all__ = ["Preference", "Progress", "StepClock", "Watcher", "memory_bytes"]

_REPORT_SECONDS = 0.5
"""Least time between two reports: each is made durable, which would slow fast steps down."""

_MOST_SAVING = 20
"""How many times longer it trains than it saves, where checkpoints are taken by the clock."""

Ending = Literal["budget", "stop", "cancel", "patience", "diverged"]

_WISHES: tuple[Literal["stop", "cancel"] | None, ...] = (None, "stop", "cancel")
"""What somebody may ask for, as processes tell it each other."""


@dataclass(frozen=True, slots=True)
class Preference:
    """How a run on pairs stands; a reward is beta times how much likelier, in nats, an answer became."""

    margin: float
    """Mean reward of the chosen less that of the rejected answers."""
    accuracy: float
    """Share of pairs whose chosen answer has the higher reward."""
    chosen: float
    """Mean reward of the chosen answers: below 0, they have become less likely than the base finds them."""

    @classmethod
    def read(cls, logs: dict[str, float], prefix: str = "") -> Preference | None:
        """Take it from what TRL logs; None for other objectives."""
        names = [f"{prefix}rewards/{name}" for name in ("margins", "accuracies", "chosen")]
        return cls(*(float(logs[name]) for name in names)) if all(name in logs for name in names) else None


@dataclass(slots=True)
class Progress:
    """What the watcher has seen so far; what a resumed run must remember goes into each checkpoint."""

    losses: list[float] = field(default_factory=list)
    """Losses since the last report."""
    last_loss: float | None = None
    """Mean training loss of the last report."""
    evaluations: list[tuple[int, float]] = field(default_factory=list)
    """Step and validation loss."""
    rewards: list[Preference] = field(default_factory=list)
    """Of the training pairs since the last report."""
    preferences: list[Preference] = field(default_factory=list)
    """Of the validation pairs, one for each evaluation."""
    best: float = math.inf
    worse_since: int = 0
    """Evaluations since the best one."""
    tokens: int = 0
    """Tokens read, padding left out."""
    ended: Ending | None = None
    diverged_at: int | None = None
    next_mark: int = 1
    """Which of the planned evaluations comes next."""

    @property
    def best_step(self) -> int | None:
        """Step after which the validation loss was lowest; None before the first evaluation of trained weights."""
        trained = [(loss, step) for step, loss in self.evaluations if step > 0 and math.isfinite(loss)]
        return min(trained)[1] if trained else None

    def loss_at(self, step: int) -> float | None:
        """Return the newest validation loss at or before a step; None if there is none."""
        return next((loss for at, loss in reversed(self.evaluations) if at <= step and math.isfinite(loss)), None)

    def facts(self, seconds: float) -> dict[str, Any]:
        """Return what a checkpoint's manifest keeps."""
        return {
            "seconds": seconds,
            "tokens": self.tokens,
            "last_loss": self.last_loss,
            "evaluations": [list(pair) for pair in self.evaluations],
            "preferences": [asdict(each) for each in self.preferences],
            "worse_since": self.worse_since,
            "next_mark": self.next_mark,
        }

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Progress:
        """Go on from a checkpoint's manifest."""
        evaluations = [(int(step), float(loss)) for step, loss in facts["evaluations"]]
        return cls(
            last_loss=facts["last_loss"],
            evaluations=evaluations,
            preferences=[Preference(**each) for each in facts.get("preferences", [])],
            best=min((loss for _, loss in evaluations), default=math.inf),
            worse_since=int(facts["worse_since"]),
            tokens=int(facts["tokens"]),
            next_mark=int(facts["next_mark"]),
        )


def memory_bytes() -> int:
    """Return the peak so far: of the GPU where one computes, else of this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    # Linux counts kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class StepClock(TrainerCallback):
    """Takes the time of each step, from the end of the one before."""

    def __init__(self, ctx: JobContext) -> None:
        """Report to a job, and end when it is asked to stop."""
        self.ctx = ctx
        self.seconds: list[float] = []
        self.stopped = False
        self._mark = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Start the clock."""
        self._mark = time.monotonic()
        return control

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Note the time once the device has really done the step."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        instant = time.monotonic()
        self.seconds.append(instant - self._mark)
        self._mark = instant
        self.ctx.progress(state.global_step, state.max_steps, stage="training", unit="steps")
        self.stopped = control.should_training_stop = self.ctx.stop_requested() is not None
        return control


class Watcher(TrainerCallback):
    """The only judge of when a run evaluates, saves and ends."""

    def __init__(
        self,
        ctx: JobContext,
        config: TrainingConfig,
        budget: Budget,
        checkpoints: Path,
        progress: Progress,
        team: Team,
        *,
        evaluates: bool,
        on_evaluation: Callable[[int], None],
        record: Callable[[int, dict[str, Any]], None],
    ) -> None:
        """Watch one attempt.

        Args:
            ctx: where to report, and whom to ask about stopping.
            config: the run's configuration.
            budget: the run's clock.
            checkpoints: folder in which the trainer saves.
            progress: what earlier attempts saw.
            team: the processes that train together; the first one's clock and what it is asked hold for all.
            evaluates: whether there are validation rows.
            on_evaluation: called with the step after each evaluation, to take sample answers.
            record: called with the step and the values of each report, for trackers outside Kurabe.
        """
        self.ctx = ctx
        self.config = config
        self.budget = budget
        self.checkpoints = checkpoints
        self.progress = progress
        self.team = team
        self.evaluates = evaluates
        self.on_evaluation = on_evaluation
        self.record = record
        self._reported = 0.0
        self._tokens_reported = progress.tokens
        self._tokens_before = progress.tokens
        self._saved_at = self._saving_since = time.monotonic()
        self._save_every = 60.0 * settings().checkpoint_minutes

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Start the clock."""
        self.budget.begin()
        self._agreed()
        self._reported = self._saved_at = time.monotonic()
        return control

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Look between two batches of an evaluation, too, whether it shall end.

        Raises:
            EvaluationStopped: if so; the trainer then saves without the rest of it.
        """
        wish = self._agreed()[0]
        if wish is None or (wish == "stop" and self.progress.ended == "stop"):
            return control
        self._end(control, wish, save=wish == "stop" and state.global_step > 0, evaluate=False)
        raise EvaluationStopped

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Decide after each step whether to evaluate, save or end."""
        step = state.global_step
        wish, save_due = self._agreed()
        share = self.budget.share(step)
        done, total, unit = self.budget.progress(step)
        self.ctx.progress(done, total, stage="training", unit=unit, step=step)
        if wish is not None:
            self._end(control, wish, save=wish == "stop", evaluate=False)
        elif share >= 1.0:
            self._end(control, "budget", save=True, evaluate=True)
        elif share >= self.progress.next_mark / self.config.evaluations:
            control.should_evaluate = self.evaluates
            control.should_save = True
        elif save_due:
            control.should_save = True
        while share >= self.progress.next_mark / self.config.evaluations and share < 1.0:
            self.progress.next_mark += 1
        return control

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        model: torch.nn.Module | None = None,
        **_: Any,
    ) -> TrainerControl:
        """Take in what the trainer measured in a step; end at once when numbers stop being numbers."""
        if not logs or "loss" not in logs:
            return control
        loss, gradient = float(logs["loss"]), float(logs.get("grad_norm", 0.0))
        sound = math.isfinite(loss) and math.isfinite(gradient)
        self._saving_since = time.monotonic()
        if sound and control.should_save and model is not None:
            # The loss was measured before this step changed the weights: what is saved is looked at itself.
            sound = all(bool(torch.isfinite(p).all()) for p in model.parameters() if p.requires_grad)
        if not sound:
            self.progress.diverged_at = state.global_step
            self._end(control, "diverged", save=False, evaluate=False)
            return control
        self.progress.losses.append(loss)
        if (preference := Preference.read(logs)) is not None:
            self.progress.rewards.append(preference)
        self.progress.tokens = self._tokens_before + int(logs.get("num_tokens", 0))
        final = control.should_training_stop or control.should_evaluate
        if final or time.monotonic() - self._reported >= _REPORT_SECONDS:
            self._report(state, logs, gradient)
        return control

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **_: Any,
    ) -> TrainerControl:
        """Report the validation loss, take sample answers, and end a run that no longer gets better."""
        loss = float((metrics or {}).get("eval_loss", math.nan))
        seen = self.progress
        seen.evaluations.append((state.global_step, loss))
        seen.worse_since = 0 if loss < seen.best else seen.worse_since + 1
        seen.best = min(seen.best, loss)
        found = {"eval_loss": loss}
        if (preference := Preference.read(metrics or {}, "eval_")) is not None:
            seen.preferences.append(preference)
            found |= {"eval_margin": preference.margin, "eval_accuracy": preference.accuracy}
        self.ctx.emit("evaluation", step=state.global_step, **found, elapsed=round(self.budget.seconds, 2))
        self.record(state.global_step, found)
        self.ctx.log(f"step {state.global_step}: validation loss {loss:.4f}")
        if state.global_step:
            self.on_evaluation(state.global_step)
        self._saving_since = time.monotonic()
        patience = self.config.patience
        if patience is not None and seen.worse_since >= patience and not control.should_training_stop:
            self._end(control, "patience", save=True, evaluate=False)
        return control

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Seal the checkpoint that was just written, then let go of old ones."""
        self.team.wait()  # each process writes a part of it
        if self.team.first:
            folder = self.checkpoints / f"checkpoint-{state.global_step}"
            seal(folder, state.global_step, self.progress.facts(self.budget.clock))
            # Early stopping may go back to the best one; without it only the newest are ever read.
            spared = self.progress.best_step if self.config.patience is not None else None
            keep_newest(self.checkpoints, 2, spare=spared)
        self.team.wait()
        self.ctx.emit("checkpoint", step=state.global_step)
        self._saved_at = time.monotonic()
        # Where saving is slow, it must not eat the time that it is to protect.
        took = self._saved_at - self._saving_since
        self._save_every = max(60.0 * settings().checkpoint_minutes, _MOST_SAVING * took)
        return control

    def _agreed(self) -> tuple[Literal["stop", "cancel"] | None, bool]:
        """Return what somebody asked for and whether a checkpoint is due, the same in every process; set the clock."""
        wish, due = self.ctx.stop_requested(), time.monotonic() - self._saved_at >= self._save_every
        if self.team.size == 1:
            return wish, due
        seconds, asked, saving = self.team.agree(self.budget.clock, _WISHES.index(wish), due)
        self.budget.agree(seconds)
        return _WISHES[int(asked)], bool(saving)

    def _end(self, control: TrainerControl, cause: Ending, *, save: bool, evaluate: bool) -> None:
        self.progress.ended = cause
        control.should_training_stop = True
        control.should_save = save
        control.should_evaluate = evaluate and self.evaluates

    def _report(self, state: TrainerState, logs: dict[str, float], gradient: float) -> None:
        seen, instant = self.progress, time.monotonic()
        seen.last_loss = sum(seen.losses) / len(seen.losses)
        seconds = max(instant - self._reported, 1e-9)
        values = {
            "epoch": round(float(state.epoch or 0.0), 4),
            "loss": seen.last_loss,
            **_means(seen.rewards),
            "learning_rate": float(logs.get("learning_rate", 0.0)),
            "grad_norm": gradient,
            "tokens": seen.tokens,
            "tokens_per_second": round((seen.tokens - self._tokens_reported) / seconds, 1),
            "memory_bytes": memory_bytes(),
            "elapsed": round(self.budget.seconds, 2),
            "eta_seconds": _rounded(self.budget.remaining(state.global_step)),
        }
        self.ctx.emit("metrics", step=state.global_step, **values)
        self.record(state.global_step, values)
        seen.losses.clear()
        seen.rewards.clear()
        self._reported, self._tokens_reported = instant, seen.tokens


def _means(seen: list[Preference]) -> dict[str, float]:
    if not seen:
        return {}
    return {name: sum(getattr(each, name) for each in seen) / len(seen) for name in ("margin", "accuracy")}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
