"""Too little memory: the mildest change of a training's settings that saves enough; no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import KurabeError
from core.jobs import read_events
from core.models import resolve_base
from core.store import read
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.device import training_device
from core.training.estimate import estimate_memory, read_shapes
from core.training.launching import processes_of
from core.training.methods import build_method

__all__ = ["milder", "told_killed"]

_SPARE = 0.1
"""Share of what a killed training held that a change must save: by how much it fell short, nobody knows."""


def milder(
    config: TrainingConfig, folder: Path, longest: int, device: str, short: float
) -> tuple[str, dict[str, Any]] | None:
    """Return the mildest change that saves more than `short` bytes: its kind and what a sentence needs; None: no one.

    Args:
        config: what was trained.
        folder: of the base.
        longest: tokens of the longest row.
        device: ``cpu`` or ``cuda``.
        short: bytes that must be saved at least.
    """
    shapes = read_shapes(folder)
    before = estimate_memory(config, shapes, longest, device=device).total
    for other in _milder(config):
        saved = before - estimate_memory(other, shapes, longest, device=device).total
        if saved >= short and saved > 0:
            return _kind(config, other), {
                "batch": config.batch_size,
                "smaller": other.batch_size,
                "accumulation": other.accumulation,
                "method": other.plugin.name,
                "saved_mb": saved >> 20,
            }
    return None


def _kind(config: TrainingConfig, other: TrainingConfig) -> str:
    if other.plugin.name != config.plugin.name:
        return "method"
    return "twice" if other.gradient_checkpointing and not config.gradient_checkpointing else "batch"


def _milder(config: TrainingConfig) -> Iterator[TrainingConfig]:
    """Give configurations that need less, those first that change the outcome and the speed least."""
    smaller = config
    while smaller.batch_size > 1:
        smaller = replace(smaller, batch_size=smaller.batch_size // 2, accumulation=min(1024, 2 * smaller.accumulation))
        yield smaller
    name = config.plugin.name
    if name != "prefix" and not config.gradient_checkpointing:
        yield replace(smaller, gradient_checkpointing=True)
    if name == "full":
        yield replace(smaller, method={"name": "lora"}, gradient_checkpointing=True)
    if name in ("lora", "rslora"):
        low_rank = build_method(config.method)
        yield replace(
            smaller,
            method={"name": "qlora", "rank": getattr(low_rank, "rank", 16)},
            gradient_checkpointing=True,
        )


def told_killed(job: tb.Job, reported: Path, held: int | None, kills: int | None) -> KurabeError:
    """Return the error of a training or a probe that the system probably killed for lack of memory.

    Args:
        job: its job.
        reported: its events.
        held: bytes that it held last.
        kills: kills for lack of memory that the system counted meanwhile; None if its count cannot be read.

    Raises:
        KurabeError: what reading its configuration and its base raises.
    """
    facts = {"held_mb": "?" if held is None else held >> 20, "kills": "?" if kills is None else kills}
    device, processes = training_device()[0], processes_of(job.launcher or "subprocess")
    if device == "cuda":
        # The system kills for the machine's memory: of the GPU's the training itself would have told.
        return KurabeError("training.memory_killed_host", **facts)
    if processes > 1:
        return KurabeError("training.memory_killed_processes", processes=processes, fewer=processes // 2, **facts)
    config = _configuration(job)
    folder = resolve_base(config.base_ref).folder
    rows = [event["longest"] for event in read_events(reported) if event["kind"] == "rows" and "longest" in event]
    longest = int(rows[-1]) if rows else config.max_length
    found = folder and milder(config, folder, longest, device, _SPARE * (held or 0))
    if not found:
        return KurabeError("training.memory_killed", **facts)
    kind, params = found
    return KurabeError(f"training.memory_killed_{kind}", **params, **facts)


def _configuration(job: tb.Job) -> TrainingConfig:
    with read() as session:
        if job.kind == "train":
            return TrainingConfig.from_dict(session.get_one(tb.TrainingRun, job.payload["run_id"]).config)
        return TrainingConfig.from_dict(session.get_one(tb.TrainingProbe, job.payload["probe_id"]).config)
