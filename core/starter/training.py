"""Pre-trains the starter: one process per core with averaged gradients, or one process on a GPU.

A run is budgeted in minutes or in steps; the learning rate, the guides and the curriculum follow the
share of the budget that is used. Checkpoints hold everything that a run needs to continue exactly
(``resume``); a finished run can be continued with a new budget from its weights (``extend``).
"""

from __future__ import annotations

import json
import math
import os
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import spawn
from torch.nn import functional

from core.starter.batches import Batch, Place, Stream
from core.starter.guides import HEADS
from core.starter.network import PackedForward, Shape, new_network
from core.starter.optimizer import Optimizer
from core.starter.reading import ReadingScore, read
from core.starter.source import WORLD, load_source
from core.starter.tokenizer import load_tokenizer

CHECKPOINT = "checkpoint.pt"
CURVE = "training_curve.jsonl"
# Looking up the value is the hard part and learned last; the other guides are met within minutes.
GUIDE_WEIGHTS = {"value": 0.6, "placement": 0.5, "citation": 0.3}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run.

    Attributes:
        folder: Where checkpoints and the curve go; holds the tokenizer in ``tokenizer/``.
        source: Module whose ``generate`` makes the conversations.
        shape: Size of the network.
        minutes: Budget in minutes of training; used when ``steps`` is 0. Pauses, checkpoints and reading
            scores hardly count.
        steps: Budget in steps; makes a run repeatable to the last bit.
        processes: Training processes, one thread each; 1 on a GPU.
        tokens: Tokens of one process's share of a step.
        rate: Highest learning rate of the matrices.
        seed: Seed of weights and conversations.
        device: "cpu" or "cuda".
        half: Matrix products in bfloat16.
        compiled: Compile the network's pieces (half a minute at the start).
        curriculum: Share of the budget after which contexts have full length; 0 starts there.
        guided: Share of the budget up to which guides count fully, and that at which they have faded.
        falling: Share of the budget over which the learning rate falls.
        checkpoint_minutes: Minutes between checkpoints.
        reading_minutes: Minutes between reading scores on held-out conversations.
        reading_questions: Conversations of one reading score.
    """

    folder: str
    source: str = WORLD
    shape: Shape = field(default_factory=Shape)
    minutes: float = 75.0
    steps: int = 0
    processes: int = 2
    tokens: int = 960
    rate: float = 0.01
    seed: int = 0
    device: str = "cpu"
    half: bool = True
    compiled: bool = True
    curriculum: float = 0.4
    guided: tuple[float, float] = (0.55, 0.9)
    falling: float = 0.4
    checkpoint_minutes: float = 3.0
    reading_minutes: float = 6.0
    reading_questions: int = 64


@dataclass(slots=True)
class Progress:
    """How far a run is.

    Attributes:
        step: Steps made under this budget.
        tokens: Tokens read in all, earlier budgets included.
        seconds: Seconds used of this budget.
        total_seconds: Seconds of training in all, earlier budgets included.
    """

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    total_seconds: float = 0.0


def used_share(settings: Settings, progress: Progress) -> float:
    """Share of the budget that is used, 0 to 1."""
    if settings.steps:
        return progress.step / settings.steps
    return progress.seconds / (settings.minutes * 60)


def rate_at(settings: Settings, step: int, share: float) -> float:
    """Learning rate: 50 steps of warm-up, constant, then falling to 2 % of it at the end."""
    return settings.rate * min(1.0, (step + 1) / 50) * min(1.0, (1 - share) / settings.falling + 0.02)


def guidance_at(settings: Settings, share: float) -> float:
    """Weight of the guides: 1, then fading to 0."""
    full, gone = settings.guided
    return min(1.0, max(0.0, (gone - share) / max(gone - full, 1e-9)))


def curriculum_at(settings: Settings, share: float) -> float:
    """Progress of the curriculum, 0 to 1."""
    return min(1.0, share / settings.curriculum) if settings.curriculum else 1.0


def guide_losses(kept: Any, guides: dict[str, Tensor]) -> dict[str, Tensor]:
    """Minus log of the attention that each guided row pays to its place, averaged by kind.

    Args:
        kept: Layer -> (queries, keys), each [heads, tokens, 64].
        guides: Kind -> [count, 4]: row, first visible token, target start, target end.
    """
    losses = {}
    for kind, guide in guides.items():
        layer, head = HEADS[kind]
        queries, keys = kept[layer]
        scores = (queries[head, guide[:, 0]] @ keys[head].T).float() * queries.shape[-1] ** -0.5
        column = torch.arange(scores.shape[1], device=scores.device)[None]
        visible = (column >= guide[:, 1:2]) & (column <= guide[:, 0:1])
        target = (column >= guide[:, 2:3]) & (column < guide[:, 3:4])
        scores = scores.masked_fill(~visible, -1e9)
        losses[kind] = (scores.logsumexp(1) - scores.masked_fill(~target, -1e9).logsumexp(1)).mean()
    return losses


class Clock:
    """Counts the time that steps take, so that a pause does not use up the budget.

    A lap much longer than usual (the machine slept, the process was stopped, a checkpoint was written)
    counts as a few usual ones: the schedule then still ends with its falling rate.
    """

    _MOST = 5.0

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._at = now()
        self._usual: float | None = None

    def lap(self) -> float:
        """Seconds since the last lap, as far as they count."""
        now = self._now()
        took, self._at = now - self._at, now
        if self._usual is None:
            self._usual = took
        took = min(took, self._MOST * self._usual)
        self._usual += 0.05 * (took - self._usual)
        return took


class Run:
    """One process's part of a training run."""

    def __init__(self, settings: Settings, rank: int) -> None:
        self.settings, self.rank = settings, rank
        self.folder = Path(settings.folder)
        self.tokenizer = load_tokenizer(self.folder / "tokenizer")
        self.model = new_network(settings.shape, self.tokenizer.get_vocab_size(), settings.seed)
        self.model.to(settings.device)  # type: ignore[arg-type]  # transformers' wrapper hides torch's signature
        kind = torch.bfloat16 if settings.half else torch.float32
        self.forward = PackedForward(self.model, kind=kind, compiled=settings.compiled)
        self.optimizer = Optimizer(self.model, rank, settings.processes)
        self.progress = Progress()
        self.generate = load_source(settings.source)
        self.means: dict[str, float] = {}
        place = self._load()
        self.stream = Stream(self.generate, self.tokenizer, settings.tokens, f"{settings.seed}/{rank}", place)

    def train(self) -> None:
        """Train until the budget is used."""
        settings, progress = self.settings, self.progress
        clock = Clock()
        saved = scored = progress.seconds
        while (share := used_share(settings, progress)) < 1:
            self._step(share)
            took = self._agree(clock.lap())
            progress.seconds, progress.total_seconds = progress.seconds + took, progress.total_seconds + took
            if self.rank == 0 and progress.step % 100 == 0:
                self._record({"tokens_per_second": round(progress.tokens / max(progress.total_seconds, 1e-9))})
            if progress.seconds - scored > settings.reading_minutes * 60:
                scored = progress.seconds
                self._score()
            if progress.seconds - saved > settings.checkpoint_minutes * 60:
                saved = progress.seconds
                self.save()
        self.save()
        self._score()

    def save(self) -> None:
        """Write a checkpoint: weights and optimizer by the first process, its place by each."""
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.folder / f"stream-{self.rank}.json"
        _replace(place, json.dumps({"step": self.progress.step, **asdict(self.stream.place)}))
        if self.rank == 0:
            state = {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "progress": asdict(self.progress),
                "means": self.means,
                "settings": asdict(self.settings),
            }
            temporary = self.folder / "checkpoint.tmp"
            torch.save(state, temporary)
            os.replace(temporary, self.folder / CHECKPOINT)
        if self.settings.processes > 1:
            dist.barrier()

    def _load(self) -> Place | None:
        path = self.folder / CHECKPOINT
        if not path.exists():
            return None
        state = torch.load(path, map_location=self.settings.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.progress = Progress(**state.get("progress", {}))
        if "optimizer" not in state:  # adopted from exported weights: a new start from known weights
            return None
        self.optimizer.load_state_dict(state["optimizer"])
        self.means = state["means"]
        if self.rank == 0:
            forget_after(self.folder / CURVE, self.progress.tokens)
        place = self.folder / f"stream-{self.rank}.json"
        if not place.exists():  # one more process than before: conversations that none of them saw
            return Place(pool=10**6, used=0, progress=1.0)
        saved = json.loads(place.read_text())
        return Place(saved["pool"], saved["used"], saved["progress"])

    def _step(self, share: float) -> None:
        settings, progress = self.settings, self.progress
        guidance = guidance_at(settings, share)
        batch = self.stream.next(curriculum_at(settings, share))
        loss, parts = self._loss(batch, guidance)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        self.optimizer.step(rate_at(settings, progress.step, share))
        progress.step += 1
        progress.tokens += sum(batch.lengths) * settings.processes
        for name, value in parts.items():
            self.means[name] = 0.98 * self.means.get(name, value) + 0.02 * value

    def _loss(self, batch: Batch, guidance: float) -> tuple[Tensor, dict[str, float]]:
        device = self.settings.device
        layers = sorted({HEADS[kind][0] for kind in batch.guides}) if guidance > 0 else []
        hidden, kept = self.forward(batch.ids.to(device), batch.lengths, layers)
        logits = self.forward.logits(hidden[batch.rows.to(device)])
        each = functional.cross_entropy(logits, batch.targets.to(device), reduction="none")
        weights = batch.weights.to(device)
        loss = (each * weights).sum() / weights.sum()
        parts = {}
        detached = each.detach()
        for name, low in (("answers", 0.99), ("values", 2.99)):
            chosen = weights >= low
            if chosen.any():
                parts[name] = detached[chosen].mean().item()
        if guidance > 0:
            guides = guide_losses(kept, {k: g.to(device) for k, g in batch.guides.items()})
            loss = loss + guidance * sum(GUIDE_WEIGHTS.get(k, 0.2) * g for k, g in guides.items())
            parts |= {f"guide_{k}": g.item() for k, g in guides.items()}
        return loss, parts

    def _agree(self, seconds: float) -> float:
        """The first process's clock, so that all follow the same schedule."""
        if self.settings.processes == 1:
            return seconds
        shared = torch.tensor([seconds], dtype=torch.float64)
        dist.broadcast(shared, 0)
        return shared.item()

    def _score(self) -> None:
        """Reading score on held-out conversations; every process answers its share of them."""
        share = math.ceil(self.settings.reading_questions / self.settings.processes)
        rng = random.Random(f"reading/{self.rank}")
        score = read(self.model, self.tokenizer, self.generate, rng, share)
        counts = torch.tensor(score.counts(), dtype=torch.float64)
        if self.settings.processes > 1:
            dist.all_reduce(counts)
        if self.rank == 0:
            self._record({"reading": ReadingScore(*(int(x) for x in counts.tolist())).shares()})

    def _record(self, extra: dict[str, Any]) -> None:
        line = {
            "step": self.progress.step,
            "tokens": self.progress.tokens,
            "minutes": round(self.progress.total_seconds / 60, 2),
            "share": round(used_share(self.settings, self.progress), 4),
            **{k: round(v, 4) for k, v in self.means.items()},
            **extra,
        }
        with (self.folder / CURVE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def forget_after(curve: Path, tokens: int) -> None:
    """Drop what a curve tells of steps after a checkpoint: a run that was interrupted makes them once more."""
    if curve.exists():
        lines = curve.read_text(encoding="utf-8").splitlines()
        _replace(curve, "".join(f"{line}\n" for line in lines if json.loads(line)["tokens"] <= tokens))


def _replace(path: Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text)
    os.replace(temporary, path)


def _worker(rank: int, settings: Settings, meeting: str) -> None:
    torch.set_num_threads(1 if settings.processes > 1 else max(1, torch.get_num_threads()))
    torch.set_flush_denormal(True)
    if settings.processes > 1:
        dist.init_process_group(
            "gloo",
            init_method=f"file://{meeting}",
            rank=rank,
            world_size=settings.processes,
            timeout=timedelta(minutes=30),
        )
    try:
        Run(settings, rank).train()
    finally:
        if settings.processes > 1:
            dist.destroy_process_group()


def as_begun(settings: Settings, saved: dict[str, Any]) -> Settings:
    """Settings with the curriculum, guides and falling rate that a run began with: a resumed one goes on as it was."""
    kept = {name: saved[name] for name in ("curriculum", "falling") if name in saved}
    guided = saved.get("guided")
    return replace(settings, **kept, guided=settings.guided if guided is None else (guided[0], guided[1]))


def tokens_of(run: Path) -> int:
    """Tokens of one process's share of a step in the run's newest checkpoint; 0 where it was adopted from weights."""
    saved = torch.load(run / CHECKPOINT, weights_only=True)["settings"]
    return int(saved.get("tokens", 0))


def train(settings: Settings, *, resume: bool = False, extend: bool = False) -> None:
    """Train in as many processes as the settings say.

    Args:
        settings: The run; ``folder`` must hold the tokenizer in ``tokenizer/``.
        resume: Continue from the checkpoint in ``folder``.
        extend: Continue from the checkpoint's weights and optimizer with a new budget.

    Raises:
        FileExistsError: There is a checkpoint, and neither ``resume`` nor ``extend`` was asked for.
    """
    path = Path(settings.folder) / CHECKPOINT
    if path.exists() and not (resume or extend):
        raise FileExistsError(path)
    if path.exists() and resume and not extend:
        settings = as_begun(settings, torch.load(path, weights_only=True)["settings"])
    if path.exists() and extend:
        state = torch.load(path, weights_only=True)
        state["progress"] = asdict(Progress(**state.get("progress", {}))) | {"step": 0, "seconds": 0.0}
        torch.save(state, path)
    with tempfile.TemporaryDirectory() as folder:
        meeting = str(Path(folder) / "meeting")
        if settings.processes == 1:
            _worker(0, settings, meeting)
        else:
            spawn(_worker, (settings, meeting), nprocs=settings.processes)  # type: ignore[no-untyped-call]  # torch leaves it unannotated
