"""One attempt of a training, from loading the base to the finished adapter."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from peft import PeftModel
from torch.utils.data import SequentialSampler
from transformers import TrainerCallback

from core.errors import KurabeError
from core.identity import append_line
from core.jobs import JobContext, disk_full
from core.training.checkpoints import Checkpoint, newest_valid, remove_unsealed, valid_at
from core.training.device import paid_devices
from core.training.rows import PreparedRows
from core.training.trainer import outcome, samples
from core.training.trainer.budget import UNLIMITED, Budget
from core.training.trainer.dpo import DpoRunner, build_dpo_runner, dpo_config
from core.training.trainer.model import attach, chosen_device, load_base, load_tokenizer, make_room, uses_bf16
from core.training.trainer.sft import SftRunner, build_sft_runner, sft_config
from core.training.trainer.shortage import is_shortage, shortage
from core.training.trainer.task import Task
from core.training.trainer.team import Team
from core.training.trainer.trackers import Trackers
from core.training.trainer.watch import Progress, StepClock, Watcher, memory_bytes

__all__ = ["measure", "train"]

_WORSE = 1.01
"""How many times its first value the last validation loss must be to be called worse: rounding is not."""


_PROOF = 2
"""Validation questions by which base and tuned weights are compared where nobody asked for sample answers."""

_SAVING_SECONDS = 300.0
"""Seconds in which a step, sample answers and small files are done in any case."""
_SLOW_DISK = 100e6
"""Bytes a second that even a network disk writes and reads again."""


def train(task: Task, rows: PreparedRows, ctx: JobContext, begun: float) -> dict[str, Any]:
    """Train and save; return the run's result.

    Args:
        task: what to train.
        rows: the rows, masked and counted.
        ctx: the job.
        begun: monotonic time at which the attempt started.

    Raises:
        KurabeError: ``training.diverged``, ``training.out_of_memory…``, ``jobs.disk_full``, what loading raises.
    """
    with _told_full_disk(task), _told_shortage(task, rows):
        return _Session(task, rows, ctx, begun).run()


def measure(task: Task, rows: PreparedRows, ctx: JobContext, begun: float) -> dict[str, Any] | None:
    """Take every step that the rows make, once and in their order, and keep nothing but the times.

    Args: as `train`.

    Returns:
        Seconds of loading, of an evaluation and of each step, the peak of memory and the device; None if somebody
        asked to stop.

    Raises:
        KurabeError: ``training.out_of_memory…``, what loading raises.
    """
    with _told_shortage(task, rows):
        return _Session(task, rows, ctx, begun).measure()


@contextmanager
def _told_full_disk(task: Task) -> Iterator[None]:
    """Turn what libraries raise on a full disk into an error that says so, and give the half-written part back."""
    try:
        yield
    except Exception as error:
        full = disk_full(error, task.run_dir)
        if full is None:
            raise
        remove_unsealed(task.checkpoints)
        raise full from error


@contextmanager
def _told_shortage(task: Task, rows: PreparedRows) -> Iterator[None]:
    """Turn a lack of memory into an error that says which setting helps."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_shortage(error):
            raise
        raise shortage(error, task.config, task.folder, rows.counts()["longest"], chosen_device()) from error


def _saving_seconds(trainable: int) -> float:
    """Return how long saving may take: a checkpoint with both moments of each weight, its hashes, and the adapter."""
    return _SAVING_SECONDS + 3 * 12 * trainable / _SLOW_DISK


class _Session:
    def __init__(self, task: Task, rows: PreparedRows, ctx: JobContext, begun: float) -> None:
        self.task = task
        self.rows = rows
        self.ctx = ctx
        self.begun = begun
        self.warnings: list[dict[str, Any]] = []
        self.base_answers: list[str] = []
        self.answers: list[str] = []
        self.chosen = samples.pick(rows.validation, task.config.sample_questions)
        self.compared = self.chosen or samples.pick(rows.validation, _PROOF)

    def run(self) -> dict[str, Any]:
        """Load, train, save, register."""
        self._gather()
        if self._asked_to_stop():
            return {"stopped": True, "saved": False}
        self._load()
        checkpoint = self._resume_point()
        self._build(checkpoint)
        if checkpoint is None and self.rows.validation:
            self.runner.evaluate()
        self._sample(0, base=True)
        if self._asked_to_stop():
            return self._nothing_new()
        self.ctx.log(f"training starts at step {0 if checkpoint is None else checkpoint.step}")
        self.loaded_seconds = time.monotonic() - self.begun
        if checkpoint is not None and self.budget.share(checkpoint.step) >= 1.0:
            self._take_up_end(checkpoint)
        else:
            self.runner.train(resume_from_checkpoint=str(checkpoint.folder) if checkpoint else None)
        return self._end()

    def _gather(self) -> None:
        self.device = chosen_device()
        self.team = Team(self.ctx, self.device)

    def _asked_to_stop(self) -> bool:
        """Tell whether somebody wants it to end; the same in every process, whichever of them saw it first."""
        return self.team.agree(float(self.ctx.stop_requested() is not None)) == [1.0]

    def _take_up_end(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint after which there was nothing left to train: the trainer would take one step more."""
        self.runner._load_from_checkpoint(str(checkpoint.folder))
        self.runner.state.global_step = checkpoint.step
        self.progress.ended = "budget"

    def _nothing_new(self) -> dict[str, Any]:
        """Return the result of an attempt that was stopped before it had learned anything."""
        self.trackers.close()
        return {"stopped": True, "saved": False}

    def measure(self) -> dict[str, Any] | None:
        """Load, evaluate once, take the steps."""
        self._gather()
        self._load()
        clock = StepClock(self.ctx)
        self.budget = Budget(self.task.config, len(self.rows.train))
        self.runner = self._runner(clock)
        self.runner.order = SequentialSampler(self.rows.train)
        loaded = time.monotonic()
        if self.rows.validation:
            self.runner.evaluate()
        if self.chosen:
            self._sample(0, base=True)
        evaluated = time.monotonic()
        self.runner.train()
        if clock.stopped:
            return None
        return {
            "loading_seconds": round(loaded - self.begun, 3),
            "evaluation_seconds": round(evaluated - loaded, 3),
            "step_seconds": [round(seconds, 4) for seconds in clock.seconds],
            "peak_memory_bytes": memory_bytes(),
            "device": self.device,
        }

    def _load(self) -> None:
        task, config = self.task, self.task.config
        self.ctx.progress(0, None, stage="loading")
        if self.team.first and make_room(task.folder, config, self.rows.counts()["longest"], self.device):
            self.ctx.log("the host gave its memory back for this training")
        self.team.wait()
        base = load_base(task.folder, config, self.device)
        self.model = attach(base, config)
        trainable = sum(p.numel() for p in self.model.parameters() if p.requires_grad)
        self.ctx.emit(
            "model",
            device=self.device,
            bf16=uses_bf16(config, self.device),
            trainable=trainable,
            parameters=task.base.parameters,
            base_hash=task.base.hash,
            processes=self.team.size,
            memory_bytes=memory_bytes(),
        )
        self.trainable = trainable
        self.ctx.allow_saving(_saving_seconds(trainable))

    def _resume_point(self) -> Checkpoint | None:
        folder = self.task.checkpoints
        folder.mkdir(parents=True, exist_ok=True)
        found, broken = newest_valid(folder) if self.team.first else (None, [])
        for name in broken:
            # Left by a process that died while it saved; the trainer would take the highest number for the newest.
            shutil.rmtree(folder / name)
            self.ctx.emit("checkpoint_refused", name=name)
            self.ctx.log(f"{name} is not whole and is not used")
        if found is not None or self.ctx.resume:
            # Without a checkpoint it begins anew: what the dead attempt reported must not pass for this one's.
            self.ctx.emit("resumed", step=0 if found is None else found.step)
        [step] = self.team.agree(-1 if found is None else found.step)
        return found if self.team.first or step < 0 else valid_at(folder, int(step))

    def _build(self, checkpoint: Checkpoint | None) -> None:
        task, config = self.task, self.task.config
        self.progress = Progress() if checkpoint is None else Progress.from_facts(checkpoint.facts)
        spent = 0.0 if checkpoint is None else float(checkpoint.facts["seconds"])
        self.budget = Budget(config, len(self.rows.train), spent, self.team.size)
        step = 0 if checkpoint is None else checkpoint.step
        self.trackers = Trackers(task, step, self.ctx.log, speaks=self.team.first)
        watcher = Watcher(
            self.ctx,
            config,
            self.budget,
            task.checkpoints,
            self.progress,
            self.team,
            evaluates=bool(self.rows.validation),
            on_evaluation=lambda step: self._sample(step),
            record=self.trackers.log,
        )
        self.runner = self._runner(watcher)

    def _runner(self, watcher: TrainerCallback) -> SftRunner | DpoRunner:
        task, config, rows = self.task, self.task.config, self.rows
        tokenizer = load_tokenizer(task.folder)
        steps, bf16 = min(self.budget.steps, UNLIMITED), uses_bf16(config, self.device)
        if not config.aim.pairs:
            arguments = sft_config(config, task.checkpoints, steps=steps, device=self.device, bf16=bf16)
            return build_sft_runner(
                self.model, tokenizer, arguments, config, rows.train, rows.validation, self.budget, watcher
            )
        settings = dpo_config(config, task.checkpoints, steps=steps, device=self.device, bf16=bf16)
        reference = load_base(task.folder, config, self.device) if config.plugin.whole else None
        return build_dpo_runner(
            self.model, tokenizer, settings, config, rows.train, rows.validation, self.budget, watcher, reference
        )

    def _sample(self, step: int, *, base: bool = False, proof: bool = False) -> None:
        """Take and report sample answers; where nobody asked for any, only those that the comparison needs."""
        if not self.team.first or not self.compared or not (self.chosen or base or proof):
            return
        answers = samples.answer_all(self.model, self.task.template, self.compared, base=base)
        if base:
            self.base_answers = answers
        else:
            self.answers = answers
        if self.chosen:
            self.ctx.emit("samples", step=step, base=base, answers=samples.readable(self.chosen, answers))

    def _end(self) -> dict[str, Any]:
        self._evaluate_last()
        self.trackers.close()
        self.warnings += self.trackers.warnings
        if self.progress.ended == "cancel":
            return {"stopped": True, "saved": False}
        kept = self._after_divergence() if self.progress.ended == "diverged" else None
        self.kept_step = kept.step if kept is not None else self._best_if_watched()
        self.peaks = self.team.gather(memory_bytes())
        if not self.team.first:
            return {}
        self.ctx.progress(0, None, stage="saving")
        self._compare()
        outcome.save_weights(self.model, self.task, outcome.card_facts(self.task))
        result = self._result()
        outcome.finish_record(self.task, result)
        if kept is not None:
            raise KurabeError("training.diverged", step=self.progress.diverged_at, kept=kept.step)
        if self.progress.ended != "stop":  # who stopped it may want it to go on
            shutil.rmtree(self.task.checkpoints, ignore_errors=True)
        return result

    def _after_divergence(self) -> Checkpoint:
        """Go back to the last good checkpoint."""
        kept, _ = newest_valid(self.task.checkpoints)
        if kept is None:
            raise KurabeError("training.diverged_early", step=self.progress.diverged_at)
        self.runner._load_from_checkpoint(str(kept.folder))
        self.warnings.append({"code": "diverged", "params": {"step": self.progress.diverged_at, "kept": kept.step}})
        return kept

    def _evaluate_last(self) -> None:
        """Measure the end of the budget where an earlier attempt had no time to."""
        seen, step = self.progress.evaluations, self.runner.state.global_step
        if self.progress.ended == "budget" and self.rows.validation and (not seen or seen[-1][0] != step):
            self.runner.evaluate()

    def _best_if_watched(self) -> int:
        """Return the step whose weights are kept.

        With patience set, the best evaluated ones are loaded, whether patience or the budget ended the run: who
        watches for the best wants it, not what came after it. Otherwise the last ones are kept.
        """
        last, best = int(self.runner.state.global_step), self.progress.best_step
        if self.task.config.patience is None or self.progress.ended == "stop" or best is None or best == last:
            return last
        found = valid_at(self.task.checkpoints, best)
        if found is None:
            return last
        self.runner._load_from_checkpoint(str(found.folder))
        self.ctx.emit("kept", step=best)
        self.ctx.log(f"the weights of step {best} are kept: their validation loss is the lowest")
        return best

    def _compare(self) -> None:
        """Prove that the tuned weights answer differently from the base on some validation question."""
        if not self.compared:
            self.warnings.append({"code": "not_compared", "params": {}})
            return
        if not self.answers or self.progress.ended != "budget" or self.kept_step != self.runner.state.global_step:
            self._sample(self.kept_step, proof=True)
        self.differing = sum(a != b for a, b in zip(self.answers, self.base_answers, strict=True))
        if self.differing == 0:
            self.warnings.append({"code": "same_answers", "params": {"questions": len(self.compared)}})

    def _preference(self) -> dict[str, float | None]:
        """Return what the last evaluation said of pairs: see `Preference`; nothing for other objectives."""
        if not self.task.config.aim.pairs:
            return {}
        seen = self.progress.preferences
        first, last = (seen[0], seen[-1]) if seen else (None, None)
        return {
            "margin_before": first.margin if first else None,
            "margin": last.margin if last else None,
            "accuracy_before": first.accuracy if first else None,
            "accuracy": last.accuracy if last else None,
        }

    def _judge_preference(self) -> None:
        seen = self.progress.preferences
        if len(seen) > 1 and seen[-1].margin <= seen[0].margin:
            self.warnings.append({"code": "no_margin", "params": {"margin": round(seen[-1].margin, 3)}})
        elif len(seen) > 1 and seen[-1].chosen < seen[0].chosen:
            # Both answers lose likelihood, the rejected one faster: known of DPO, and often not what people want.
            self.warnings.append({"code": "chosen_fell", "params": {"reward": round(seen[-1].chosen, 3)}})

    def _peak(self) -> int:
        """Return the most memory that one device held: processes on a CPU share it."""
        return int(max(memory_bytes(), *self.peaks) if self.device == "cuda" else sum(self.peaks))

    def _result(self) -> dict[str, Any]:
        losses = self.progress.evaluations
        step = self.runner.state.global_step
        seconds = self.budget.seconds
        kept_loss = self.progress.loss_at(self.kept_step)
        before = outcome.earlier_attempts(self.ctx.reported(), self.ctx.attempt)
        device_seconds = before.seconds + time.monotonic() - self.begun
        if len(losses) > 1 and kept_loss is not None and kept_loss > _WORSE * losses[0][1]:
            first, after = round(losses[0][1], 4), round(kept_loss, 4)
            self.warnings.append({"code": "worse", "params": {"before": first, "after": after}})
        if self.task.config.aim.pairs:
            self._judge_preference()
        (self.ctx.run_dir / "listed.jsonl").unlink(missing_ok=True)  # of an attempt that was stopped
        for row in self.rows.listed:
            append_line(self.ctx.run_dir / "listed.jsonl", row.as_dict())
        return {
            "adapter_id": self.task.adapter_id,
            "stopped": self.progress.ended == "stop",
            "ended": self.progress.ended,
            "saved": True,
            "steps": step,
            "kept_step": self.kept_step,
            "attempts": self.ctx.attempt,
            "epochs": round(step / self.budget.steps_per_epoch, 3),
            "train_seconds": round(seconds, 2),
            "loading_seconds": round(self.loaded_seconds, 2),
            "seconds": round(device_seconds, 2),
            "tokens": self.progress.tokens,
            "tokens_per_second": round(self.progress.tokens / seconds, 1) if seconds else None,
            "loss": self.progress.last_loss,
            "eval_loss_before": losses[0][1] if losses else None,
            "eval_loss": kept_loss,
            "eval_loss_best": self.progress.best if losses else None,
            **self._preference(),
            "peak_memory_bytes": max(self._peak(), before.peak_memory_bytes),
            "device": self.device,
            "processes": self.team.size,
            "device_seconds": round(device_seconds * paid_devices(self.device, self.team.size), 2),
            "launched": outcome.launched(self.task),
            "trainable": self.trainable,
            "samples_differing": getattr(self, "differing", None),
            "samples": len(self.compared),
            "rows": self.rows.counts(),
            "warnings": self.warnings,
            "packages": outcome.packages(),
            "cost": outcome.cost(
                device_seconds * paid_devices(self.device, self.team.size), self.progress.tokens, self.device
            ),
            "is_whole": not isinstance(self.model, PeftModel),
        }
