"""A measured probe: a few real steps of a configuration, run as a job before anybody starts the whole training."""

from __future__ import annotations

import platform
import statistics
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from core.errors import KurabeError
from core.identity import content_hash, new_id
from core.jobs import job_view, submit
from core.models import resolve_base
from core.store import read, write
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.running import require_libraries

__all__ = ["PROBE_STEPS", "Measured", "measured", "newest_probe", "probe_key", "start_probe"]

PROBE_STEPS = 3
"""Steps of a probe: one to warm up, one on the longest rows, where memory peaks, one as the training will have many."""

_NO_EFFECT = {
    "name", "data_share", "epochs", "seconds_limit", "learning_rate", "schedule", "warmup_steps", "weight_decay",
    "max_gradient", "evaluations", "patience", "seed",
}  # fmt: skip
"""Fields that change neither how long a token takes nor how much memory a step needs."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a probe found, on this machine."""

    step_seconds: tuple[float, ...]
    """Of each step, its batches' loading included."""
    step_tokens: tuple[int, ...]
    """Tokens that each step read, padding left out."""
    loading_seconds: float
    """From the job's begin to its first evaluation."""
    evaluation_seconds: float
    """Of one evaluation with its sample answers; 0 without validation rows."""
    peak_memory_bytes: int
    """Of the process on a CPU, of what torch allocated on a GPU."""
    measured_at: str
    """ISO 8601, UTC."""

    @property
    def rates(self) -> tuple[float, float, float]:
        """Seconds for a token: of the fastest step, the median, of the slowest."""
        each = [seconds / tokens for seconds, tokens in zip(self.step_seconds, self.step_tokens, strict=True)]
        return min(each), statistics.median(each), max(each)


def probe_key(config: TrainingConfig) -> str:
    """Return the hash of what decides about speed and memory; a longer run of the same needs no other probe.

    A form gives every field of a method and a preset only those that differ from their defaults: both are the same.
    """
    told = {name: value for name, value in config.as_dict().items() if name not in _NO_EFFECT}
    for part, chosen in (("method", config.plugin), ("objective", config.aim)):
        told[part] = {"name": chosen.name, **asdict(chosen)}
    return content_hash(told)


def start_probe(project_id: str, config: TrainingConfig) -> tb.TrainingProbe:
    """Record a probe and submit its job, or return the one that is under way; nothing that it trains is kept.

    Raises:
        KurabeError: ``training.no_torch``, ``training.base_missing``, what `submit` raises.
    """
    require_libraries()
    if (under_way := _under_way(config)) is not None:
        return under_way
    if resolve_base(config.base_ref).folder is None:
        raise KurabeError("training.base_missing", base=config.base_ref)
    probe = tb.TrainingProbe(id=new_id(), project_id=project_id, key=probe_key(config), config=config.as_dict())
    with write() as session:
        session.add(probe)
    try:
        job_id = submit("probe", {"probe_id": probe.id}, project_id=project_id)
    except KurabeError:
        with write() as session:
            session.delete(session.merge(probe))
        raise
    with write() as session:
        probe = session.merge(probe)
        probe.job_id = job_id
    return probe


def _under_way(config: TrainingConfig) -> tb.TrainingProbe | None:
    probe = newest_probe(config)
    if probe is None or probe.result or probe.job_id is None:
        return None
    with suppress(KurabeError):  # its job may have been deleted
        return probe if job_view(probe.job_id).active else None
    return None


def newest_probe(config: TrainingConfig) -> tb.TrainingProbe | None:
    """Return the newest probe of a configuration like this, measured, under way or failed."""
    return next(iter(_probes(config, 1)), None)


def measured(config: TrainingConfig, device: str) -> Measured | None:
    """Return what the newest probe found that ended on this machine and device; None if there is none."""
    for probe in _probes(config, 20):
        if (probe.result.get("machine"), probe.result.get("device")) == (platform.node(), device):
            return _read(probe.result)
    return None


def _probes(config: TrainingConfig, most: int) -> list[tb.TrainingProbe]:
    query = select(tb.TrainingProbe).where(tb.TrainingProbe.key == probe_key(config))
    with read() as session:
        return list(session.scalars(query.order_by(tb.TrainingProbe.id.desc()).limit(most)))


def _read(result: dict[str, Any]) -> Measured:
    return Measured(
        step_seconds=tuple(float(value) for value in result["step_seconds"]),
        step_tokens=tuple(int(value) for value in result["step_tokens"]),
        loading_seconds=float(result["loading_seconds"]),
        evaluation_seconds=float(result["evaluation_seconds"]),
        peak_memory_bytes=int(result["peak_memory_bytes"]),
        measured_at=str(result["measured_at"]),
    )
