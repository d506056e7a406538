"""Preflight: whether a training will work, with numbers and reasons, before it is started."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import KurabeError
from core.models import BaseModelInfo, resolve_base
from core.prompting import ChatTemplate
from core.settings import settings
from core.training.config import TrainingConfig, owner_of
from core.training.device import training_device
from core.training.duration import cost_of, shares_of, steps_of, times_of
from core.training.estimate import MemoryEstimate, estimate_memory, read_shapes, trained_parameters
from core.training.findings import Finding, Level, worst_first
from core.training.findings.base import base_findings
from core.training.findings.licences import data_licence, data_licence_findings
from core.training.findings.machine import (
    disk_findings,
    holder_findings,
    memory_findings,
    process_findings,
    queue_findings,
    relief_findings,
)
from core.training.findings.rows import padding_findings, row_findings
from core.training.findings.time import series_findings, time_findings
from core.training.ordering import padding_share
from core.training.probing import Measured, measured
from core.training.rows import PreparedRows, prepare_rows

__all__ = ["Preflight", "preflight", "rows_for_estimate"]

_SAMPLE = 200
"""Most rows that are rendered with passages for an estimate: each of them is a search."""

_SAMPLE_PLAIN = 20_000
"""Most rows that are rendered without: all rows of a large dataset would keep a page waiting for minutes."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """Everything known before a run starts."""

    verdict: Level
    findings: tuple[Finding, ...]
    """What speaks against it or is worth knowing, the worst first."""
    device: str
    memory: dict[str, int]
    """Bytes of one process by part, and ``total``."""
    memory_free: int | None
    """Free bytes of the device, of several the fullest one's; None if it cannot be asked."""
    disk_needed: int
    disk_free: int
    rows: dict[str, Any]
    """Counts of rows and tokens of one epoch, scaled up from `rows_measured` rows where these are a sample."""
    rows_measured: int
    """Rows that were rendered and counted."""
    trained_share: float
    """Share of tokens that are learned."""
    left_out_share: float
    """Share of rows that cannot be used."""
    padding_share: float
    """Share of a batch's places that hold no token, in the order in which rows are learned."""
    trained_parameters: int
    steps: int | None
    """Steps of the run; None if only time limits it."""
    processes: int
    """How many processes train together, each on a device of its own."""
    runs: int
    """How many runs are asked for: more than one in a learning curve or with several seeds."""
    seconds: float | None
    """Expected of all runs together: of the whole run where a probe measured it, else of the training alone, from the
    time limit or from the speed of earlier runs; None if nothing was measured yet."""
    seconds_low: float | None
    """The same at the speed of the probe's fastest step; as `seconds` without a probe."""
    seconds_high: float | None
    """At the speed of its slowest step."""
    probe: Measured | None
    """What a probe of this configuration measured on this device."""
    memory_needed: int
    """Bytes on one device: measured by the probe, else the total of `memory`; on a CPU, of all processes together."""
    cost: dict[str, Any] | None
    """Amount for `seconds`, ``low`` and ``high`` for the range, currency and price book version."""
    licence: str
    """Of the base; empty if it is not known."""
    data_licence: str
    """Of the dataset version; empty if nobody has said it."""
    preview: list[tuple[str, bool]]
    """The first row as the trainer gets it: pieces of text, and whether each is learned."""
    preview_rejected: list[tuple[str, bool]]
    """The same with the answer that was turned down; empty unless pairs are learned."""

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, without the previews."""
        values = asdict(self)
        del values["preview"], values["preview_rejected"]
        return values


def preflight(config: TrainingConfig, series: Sequence[TrainingConfig] = (), *, processes: int = 1) -> Preflight:
    """Look at everything that can be known before the training starts.

    Args:
        config: What is trained.
        series: The runs of a learning curve or of several seeds, one after another, where it is one of these; disk,
            time and cost are then those of all of them.
        processes: How many processes train together.

    Raises:
        KurabeError: ``training.base_missing``, ``training.no_rows``, ``training.nothing_left`` or what the chat
            template raises: then there is nothing to estimate.
    """
    base = resolve_base(config.base_ref)
    if base.folder is None:
        raise KurabeError("training.base_missing", base=base.ref)
    template = ChatTemplate.load(base.folder)
    rows = rows_for_estimate(config, template, _language(config))
    return _judged(_look(config, base, base.folder, rows, series or (config,), processes), template)


def rows_for_estimate(config: TrainingConfig, template: ChatTemplate, language: str) -> PreparedRows:
    """Return as many rows of a training as an estimate or a probe needs, without waiting for all of a large dataset.

    Raises:
        KurabeError: as `prepare_rows`.
    """
    limit = _SAMPLE_PLAIN if config.row_style == "plain" else _SAMPLE
    return prepare_rows(config, template, language, limit=limit)


def _language(config: TrainingConfig) -> str:
    _, project = owner_of(config)
    return project.language if project else "en"


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was looked up of a training, from which findings and numbers follow."""

    config: TrainingConfig
    base: BaseModelInfo
    folder: Path
    rows: PreparedRows
    counts: dict[str, Any]
    series: Sequence[TrainingConfig]
    processes: int
    device: str
    memory_free: int | None
    memory: MemoryEstimate
    memory_needed: int
    probe: Measured | None
    disk_needed: int
    disk_free: int
    seconds: tuple[float | None, float | None, float | None]
    padding: float
    trained: int
    """Numbers that are trained."""

    def findings(self) -> list[Finding]:
        """Return everything that speaks against it or is worth knowing, the worst first."""
        config, device, counts, processes = self.config, self.device, self.counts, self.processes
        needed, free = self.memory_needed, self.memory_free
        missing = 0.0 if free is None else (needed - free) / (processes if device == "cpu" else 1)
        return worst_first(
            [
                *memory_findings(needed, free, measured=self.probe is not None and self.rows.share == 1),
                *relief_findings(config, self.folder, counts["longest"], device, missing),
                *series_findings(self.series),
                *process_findings(config, device, processes),
                *time_findings(config, counts, self.probe, self.seconds[1], device, processes),
                *row_findings(self.rows, counts, config.max_length),
                *padding_findings(self.padding),
                *base_findings(self.base, config, device, counts),
                *data_licence_findings(config),
                *queue_findings(),
                *holder_findings(device, processes),
                *disk_findings(self.disk_needed, self.disk_free),
            ]
        )


def _look(
    config: TrainingConfig,
    base: BaseModelInfo,
    folder: Path,
    rows: PreparedRows,
    series: Sequence[TrainingConfig],
    processes: int,
) -> _Looked:
    counts, shapes = _scaled(rows), read_shapes(folder)
    device, memory_free = training_device(processes)
    memory = estimate_memory(config, shapes, counts["longest"], device=device)
    trained, probe = trained_parameters(config, shapes), measured(config, device)
    return _Looked(
        config=config,
        base=base,
        folder=folder,
        rows=rows,
        counts=counts,
        series=series,
        processes=processes,
        device=device,
        memory_free=memory_free,
        memory=memory,
        memory_needed=_needed(probe, memory, device, processes),
        probe=probe,
        disk_needed=_disk(trained, len(series)) + (settings().free_space_floor_mb << 20),
        disk_free=shutil.disk_usage(settings().path()).free,
        seconds=times_of(series, config, counts, device, probe, processes),
        padding=padding_share([row.longest for row in rows.train], config.batch_size, processes, config.seed),
        trained=trained,
    )


def _judged(seen: _Looked, template: ChatTemplate) -> Preflight:
    findings, counts, first = seen.findings(), seen.counts, seen.rows.train[0]
    low, seconds, high = seen.seconds
    tokens = round(counts["tokens"] * shares_of(seen.series, seen.config))
    return Preflight(
        verdict=findings[0].level if findings else "go",
        findings=tuple(findings),
        device=seen.device,
        memory=seen.memory.as_dict(),
        memory_free=seen.memory_free,
        disk_needed=seen.disk_needed,
        disk_free=seen.disk_free,
        rows=counts,
        rows_measured=seen.rows.rows_in,
        trained_share=counts["trained_tokens"] / counts["tokens"],
        left_out_share=counts["listed"] / counts["rows_in"],
        padding_share=seen.padding,
        trained_parameters=seen.trained,
        steps=steps_of(seen.config, counts["trained"], seen.processes),
        processes=seen.processes,
        runs=len(seen.series),
        seconds=seconds,
        seconds_low=low,
        seconds_high=high,
        probe=seen.probe,
        memory_needed=seen.memory_needed,
        cost=cost_of(low, seconds, high, tokens, seen.device, seen.processes),
        licence=seen.base.licence,
        data_licence=data_licence(seen.config),
        preview=template.pieces(first.tokens),
        preview_rejected=template.pieces(first.rejected) if first.rejected else [],
    )


_STATE = 12
"""Bytes of a checkpoint for each trained number: itself and the two moments of its optimizer, in 32 bit."""

_KEPT, _WRITTEN = 2, 3
"""Checkpoints that a run keeps, and that are there at once: the oldest goes when a new one is whole."""


def _disk(trained: int, runs: int) -> int:
    """Return the most bytes that runs one after another take, with `trained` numbers each."""
    adapter = 4 * trained
    return (runs - 1) * (_KEPT * _STATE * trained + adapter) + _WRITTEN * _STATE * trained + adapter


def _scaled(rows: PreparedRows) -> dict[str, Any]:
    """Return the counts for all rows of the run, from those of the share that was prepared."""
    alone = ("validation", "longest")
    return {name: n if name in alone else round(n / rows.share) for name, n in rows.counts().items()}


def _needed(probe: Measured | None, memory: MemoryEstimate, device: str, processes: int) -> int:
    """Return the bytes of one device that are needed, by a probe if there is one; processes on a CPU share it.

    On a GPU a probe counts what torch allocated, and the context comes on top.
    """
    if probe is None:
        each = memory.total
    else:
        each = probe.peak_memory_bytes + (memory.libraries if device == "cuda" else 0)
    return each if device == "cuda" else each * processes
