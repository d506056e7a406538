"""Preflight: whether a training will work, with numbers and reasons, before it is started."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
from sqlalchemy import select

from core.datasets import licence_of
from core.errors import KurabeError
from core.jobs import list_jobs
from core.models import BaseModelInfo, host_status, resolve_base
from core.prices import price_training
from core.prompting import ChatTemplate
from core.settings import settings
from core.store import read
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.device import gpu_programs, gpus_found, paid_devices, training_device
from core.training.estimate import MemoryEstimate, estimate_memory, read_shapes, trained_parameters
from core.training.objectives import build_objective
from core.training.probing import Measured, measured
from core.training.rows import PreparedRows, prepare_rows

__all__ = ["Finding", "Preflight", "preflight", "rows_for_estimate"]

Level = Literal["go", "risky", "will_not"]

_SAMPLE = 200
"""Most rows that are rendered with passages for an estimate: each of them is a search."""

_SAMPLE_PLAIN = 20_000
"""Most rows that are rendered without: all rows of a large dataset would keep a page waiting for minutes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    code: str
    """Sentence at ``training.preflight.<code>``."""
    params: dict[str, Any]


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
    return _judged(config, base, base.folder, template, rows, series or (config,), processes)


def rows_for_estimate(config: TrainingConfig, template: ChatTemplate, language: str) -> PreparedRows:
    """Return as many rows of a training as an estimate or a probe needs, without waiting for all of a large dataset.

    Raises:
        KurabeError: as `prepare_rows`.
    """
    limit = _SAMPLE_PLAIN if config.row_style == "plain" else _SAMPLE
    return prepare_rows(config, template, language, limit=limit)


def _owner(config: TrainingConfig) -> tuple[tb.DatasetVersion | None, tb.Project | None]:
    with read() as session:
        version = session.get(tb.DatasetVersion, config.dataset_version_id)
        return version, session.get(tb.Project, version.project_id) if version else None


def _language(config: TrainingConfig) -> str:
    _, project = _owner(config)
    return project.language if project else "en"


def _data_licence(config: TrainingConfig) -> str:
    version, _ = _owner(config)
    return licence_of(version) if version else ""


_LEVELS: tuple[Level, ...] = ("will_not", "risky", "go")
"""The worst first."""


def _judged(
    config: TrainingConfig,
    base: BaseModelInfo,
    folder: Path,
    template: ChatTemplate,
    rows: PreparedRows,
    series: Sequence[TrainingConfig],
    processes: int,
) -> Preflight:
    counts, shapes = _scaled(rows), read_shapes(folder)
    device, memory_free = training_device(processes)
    memory = estimate_memory(config, shapes, counts["longest"], device=device)
    trained = trained_parameters(config, shapes)
    disk_needed = _disk(trained, len(series)) + (settings().free_space_floor_mb << 20)
    disk_free = shutil.disk_usage(settings().path()).free
    steps = _steps(config, counts["trained"], processes)
    probe = measured(config, device)
    needed = _needed(probe, memory, device, processes)
    low, seconds, high = _times(series, config, counts, device, probe, processes)
    findings = [
        *_memory_findings(needed, memory_free, measured=probe is not None and rows.share == 1),
        *_series_findings(series),
        *_process_findings(config, device, processes),
        *_time_findings(config, counts, probe, seconds, device, processes),
        *_row_findings(rows, counts),
        *_base_findings(base, config, device, counts),
        *_choice_findings(base, config),
        *_data_licence_findings(config),
        *_queue_findings(),
        *_holder_findings(device, processes),
        *_disk_findings(disk_needed, disk_free),
    ]
    findings.sort(key=lambda finding: _LEVELS.index(finding.level))
    return Preflight(
        verdict=findings[0].level if findings else "go",
        findings=tuple(findings),
        device=device,
        memory=memory.as_dict(),
        memory_free=memory_free,
        disk_needed=disk_needed,
        disk_free=disk_free,
        rows=counts,
        rows_measured=rows.rows_in,
        trained_share=counts["trained_tokens"] / counts["tokens"],
        left_out_share=counts["listed"] / counts["rows_in"],
        trained_parameters=trained,
        steps=steps,
        processes=processes,
        runs=len(series),
        seconds=seconds,
        seconds_low=low,
        seconds_high=high,
        probe=probe,
        memory_needed=needed,
        cost=_cost(low, seconds, high, round(counts["tokens"] * _shares(series, config)), device, processes),
        licence=base.licence,
        data_licence=_data_licence(config),
        preview=template.pieces(rows.train[0].tokens),
        preview_rejected=template.pieces(rejected) if (rejected := rows.train[0].rejected) else [],
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


def _steps(config: TrainingConfig, rows: int, processes: int) -> int | None:
    if config.epochs is None:
        return None
    return max(1, round(_per_epoch(config, rows, processes) * config.epochs))


def _per_epoch(config: TrainingConfig, rows: int, processes: int) -> int:
    return -(-rows // (config.batch_size * config.accumulation * processes))


def _at_once(device: str, processes: int) -> int:
    """Return by how much so many processes may be faster than one: on a CPU they share its cores, and are not."""
    return processes if device == "cuda" else 1


_Range = tuple[float | None, float | None, float | None]


def _shares(series: Sequence[TrainingConfig], config: TrainingConfig) -> float:
    """Return how many times the rows of `config` all runs of a series read."""
    return sum(run.data_share for run in series) / config.data_share


def _times(
    series: Sequence[TrainingConfig],
    config: TrainingConfig,
    counts: dict[str, Any],
    device: str,
    probe: Measured | None,
    processes: int,
) -> _Range:
    """Return the least, the expected and the most seconds of all runs, one after another."""
    found = []
    for run in series:
        # Each process reads its part of an epoch's tokens while the others read theirs.
        share = run.data_share / config.data_share / _at_once(device, processes)
        found.append(_time(run, {**counts, "tokens": max(1, round(counts["tokens"] * share))}, device, probe))
    low, usual, high = (None if None in each else sum(filter(None, each)) for each in zip(*found, strict=True))
    return low, usual, high


def _series_findings(series: Sequence[TrainingConfig]) -> list[Finding]:
    return [Finding("go", "series", {"runs": len(series)})] if len(series) > 1 else []


def _process_findings(config: TrainingConfig, device: str, processes: int) -> list[Finding]:
    if processes == 1:
        return []
    rows = config.batch_size * config.accumulation * processes
    found = [Finding("go", "processes" if device == "cuda" else "processes_cpu", {"n": processes, "rows": rows})]
    if device == "cuda" and (there := gpus_found()) < processes:
        found.append(Finding("will_not", "too_few_devices", {"n": processes, "there": there}))
    return found


def _time(config: TrainingConfig, counts: dict[str, Any], device: str, probe: Measured | None) -> _Range:
    """Return the least, the expected and the most seconds."""
    if probe is None:
        seconds = _seconds(config, counts["tokens"], device)
        return seconds, seconds, seconds
    low, usual, high = (_extrapolated(config, counts["tokens"], probe, rate) for rate in probe.rates)
    return low, usual, high


def _extrapolated(config: TrainingConfig, tokens: int, probe: Measured, rate: float) -> float:
    """Return the seconds of the whole run: loading, an evaluation before, then steps and evaluations.

    A time limit is counted from the first step on and cuts those short; one evaluation then comes on top.
    """
    each, limit = probe.evaluation_seconds, config.seconds_limit
    whole = None if config.epochs is None else tokens * config.epochs * rate + config.evaluations * each
    if limit is not None and (whole is None or whole > limit):
        whole = limit + each
    assert whole is not None, "a configuration has an end"
    return probe.loading_seconds + each + whole


def _time_findings(
    config: TrainingConfig,
    counts: dict[str, Any],
    probe: Measured | None,
    seconds: float | None,
    device: str,
    processes: int,
) -> list[Finding]:
    if probe is None:
        return [Finding("go", "time_unknown", {})] if seconds is None else []
    each = counts["tokens"] / _at_once(device, processes)
    tokens = each / _per_epoch(config, counts["trained"], processes)
    low, usual, high = (_short(rate * tokens) for rate in probe.rates)
    params = {
        "steps": len(probe.step_seconds),
        "step": usual,
        "low": low,
        "high": high,
        "evaluation": _short(probe.evaluation_seconds),
        "loading": _short(probe.loading_seconds),
    }
    found = [Finding("go", "time_measured", params)]
    if config.seconds_limit is not None:
        left = max(0.0, config.seconds_limit - (config.evaluations - 1) * probe.evaluation_seconds)
        passes = left / (each * probe.rates[1])
        if config.epochs is None or passes < config.epochs:
            steps = round(passes * _per_epoch(config, counts["trained"], processes))
            found.append(Finding("go", "steps_in_time", {"steps": steps, "passes": _short(passes)}))
    return found


def _short(value: float) -> float:
    """Return three digits of a number: more would claim what three steps cannot tell."""
    return float(f"{value:.3g}")


def _needed(probe: Measured | None, memory: MemoryEstimate, device: str, processes: int) -> int:
    """Return the bytes of one device that are needed, by a probe if there is one; processes on a CPU share it.

    On a GPU a probe counts what torch allocated, and the context comes on top.
    """
    if probe is None:
        each = memory.total
    else:
        each = probe.peak_memory_bytes + (memory.libraries if device == "cuda" else 0)
    return each if device == "cuda" else each * processes


def _seconds(config: TrainingConfig, tokens: int, device: str) -> float | None:
    """Return the expected seconds: the limit, or tokens by the speed that earlier runs of this kind measured."""
    speed = _measured_speed(config, device)
    by_tokens = None if speed is None or config.epochs is None else tokens * config.epochs / speed
    if config.seconds_limit is None:
        return by_tokens
    return config.seconds_limit if by_tokens is None else min(config.seconds_limit, by_tokens)


def _measured_speed(config: TrainingConfig, device: str) -> float | None:
    """Return tokens a second of one device in earlier runs; other objectives count by the passes a token costs."""
    query = (
        select(tb.TrainingRun)
        .where(tb.TrainingRun.base_ref == config.base_ref, tb.TrainingRun.method == config.plugin.name)
        .order_by(tb.TrainingRun.id.desc())
        .limit(20)
    )
    with read() as session:
        found = list(session.scalars(query))
    speeds: dict[bool, list[float]] = {True: [], False: []}
    for run in found:
        together = _at_once(device, run.result.get("processes", 1))
        speed = (run.result.get("tokens_per_second") or 0.0) / together
        if speed and run.result.get("device") == device:
            aim = build_objective(run.config.get("objective") or {"name": "sft"})
            speeds[aim.name == config.aim.name].append(speed * aim.passes / config.aim.passes)
    known = speeds[True] or speeds[False]
    return statistics.median(known) if known else None


def _cost(
    low: float | None, seconds: float | None, high: float | None, tokens: int, device: str, processes: int
) -> dict[str, Any] | None:
    if low is None or seconds is None or high is None:
        return None
    try:
        paid = paid_devices(device, processes)
        least, cost, most = (price_training(each * paid, tokens, device) for each in (low, seconds, high))
    except KurabeError:
        return None
    return {
        "amount": str(cost.amount),
        "low": str(least.amount),
        "high": str(most.amount),
        "currency": cost.currency,
        "price_version": cost.price_version,
    }


def _memory_findings(needed: int, free: int | None, *, measured: bool) -> list[Finding]:
    if free is None:
        return [Finding("risky", "memory_unknown", {"needed_mb": needed >> 20})]
    params = {"needed_mb": needed >> 20, "free_mb": free >> 20, "percent": round(100 * needed / max(free, 1))}
    if needed > free:
        return [Finding("will_not", "memory", params)]
    # The estimate may be a fifth too low; what was measured held the longest rows, unless they are a sample.
    return [Finding("risky", "memory_tight", params)] if not measured and needed > 0.8 * free else []


def _row_findings(rows: PreparedRows, counts: dict[str, Any]) -> list[Finding]:
    found = []
    if rows.share < 1:
        found.append(Finding("go", "sampled", {"rows": rows.rows_in, "total": counts["rows_in"]}))
    if without := counts["without_pair"]:
        found.append(Finding("go", "without_pair", {"rows": without, "pairs": counts["trained"]}))
    if unusable := counts["listed"] - without:
        share = unusable / (counts["rows_in"] - without)
        level: Level = "risky" if share > 0.02 else "go"
        found.append(Finding(level, "rows_left_out", {"rows": unusable, "percent": round(100 * share, 1)}))
    if counts["trained"] < 20:
        found.append(Finding("risky", "few_rows", {"rows": counts["trained"]}))
    if not rows.validation:
        found.append(Finding("risky", "no_validation", {}))
    if counts["kept_plain"]:
        found.append(Finding("go", "kept_plain", {"rows": counts["kept_plain"]}))
    if counts["passages_dropped"]:
        found.append(Finding("go", "passages_dropped", {"passages": counts["passages_dropped"]}))
    return found


def _base_findings(base: BaseModelInfo, config: TrainingConfig, device: str, counts: dict[str, Any]) -> list[Finding]:
    found = []
    if base.context_length and counts["longest"] > base.context_length:
        params = {"longest": counts["longest"], "context": base.context_length}
        found.append(Finding("will_not", "longer_than_context", params))
    if base.is_practice:
        found.append(Finding("go", "practice_model", {}))
    if config.plugin.whole and base.facts.get("quantised"):
        found.append(Finding("will_not", "quantised_whole", {"base": base.name}))
    found += _licence_findings(base)
    if device == "cpu" and (base.parameters or 0) > 500_000_000:
        found.append(Finding("risky", "slow_on_cpu", {"millions": (base.parameters or 0) // 1_000_000}))
    return found


def _choice_findings(base: BaseModelInfo, config: TrainingConfig) -> list[Finding]:
    """Say what follows from another base than the project's: the familiar approaches answer with that one."""
    _, project = _owner(config)
    if project is None or project.base_ref == base.ref:
        return []
    return [Finding("go", "other_base", {"base": base.name, "project_base": project.base_ref})]


_OPEN = ("apache", "mit", "bsd", "cc0", "cc-by-4", "cc-by-sa", "isc", "unlicense")
"""How the names of licences begin that let one use, change and hand on; anything else has terms of its own."""


def _licence_findings(base: BaseModelInfo) -> list[Finding]:
    """Say what the licence asks of those who train from the base, and whether its hub lets everybody have it."""
    params = {"base": base.name, "licence": base.licence}
    name = base.licence.lower()
    found = []
    if not name:
        found.append(Finding("risky", "licence_unknown", {"base": base.name}))
    elif _private(name):
        found.append(Finding("risky", "licence_private", params))
    elif not name.startswith(_OPEN):
        found.append(Finding("go", "licence_terms", params))
    if base.gated:
        found.append(Finding("go", "gated", {"base": base.name}))
    return found


def _private(licence: str) -> bool:
    """Tell whether a licence's name says that it keeps commerce out."""
    name = licence.lower()
    return "-nc" in name or "non-commercial" in name or "noncommercial" in name


def _data_licence_findings(config: TrainingConfig) -> list[Finding]:
    """Say what the data's licence asks.

    Unknown is no risk to the run itself, and rows that a team wrote of its own often have none: it is said and does
    not hold anybody up.
    """
    licence = _data_licence(config)
    if not licence:
        return [Finding("go", "data_licence_unknown", {})]
    params = {"licence": licence}
    if _private(licence):
        return [Finding("risky", "data_licence_private", params)]
    known = all(part.strip().lower().startswith(_OPEN) for part in licence.split("+"))
    return [] if known else [Finding("go", "data_licence_terms", params)]


def _holder_findings(device: str, processes: int) -> list[Finding]:
    """Say what else holds the device: this home's host, other programs on the GPU, other work on the processor."""
    found = []
    host = host_status()
    if host is not None:
        found.append(Finding("go", "host_holds", {"pid": host["pid"]}))
    if device == "cuda":
        others = [other for other in gpu_programs(processes) if host is None or other[0] != host["pid"]]
        if others:
            named = ", ".join(f"{name} ({pid}): {mb} MB" for pid, name, mb in others[:5])
            found.append(Finding("risky", "gpu_shared", {"programs": named}))
        return found
    load, cores = psutil.getloadavg()[0], psutil.cpu_count() or 1
    if load > cores:
        found.append(Finding("go", "processor_busy", {"load": round(load, 1), "cores": cores}))
    return found


def _disk_findings(needed: int, free: int) -> list[Finding]:
    if needed <= free:
        return []
    return [Finding("will_not", "disk", {"needed_mb": needed >> 20, "free_mb": free >> 20})]


def _queue_findings() -> list[Finding]:
    ahead: Sequence[Any] = list_jobs(kinds=["train", "merge", "experiment"], active=True)
    return [Finding("go", "queue", {"jobs": len(ahead)})] if ahead else []
