"""A run's record: what it rests on to the byte, and what it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.i18n import format_bytes, format_number, t
from core.store import read
from core.store import tables as tb
from core.training.running import RunView
from core.training.words import outcome_text, setting_name, setting_text

__all__ = ["RunRecord", "record_told", "run_record"]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything by which somebody can check a run or repeat it; None where it is not known, or not known yet."""

    base_ref: str
    base_hash: str | None
    """Hash of the base's files, as they were when the run began."""
    dataset_version_id: str
    dataset_hash: str | None
    """Hash of the rows; None if the version was deleted and the run left no adapter."""
    index_version_id: str | None
    config_hash: str
    """Hash of the configuration without its name: equal ones train the same way."""
    seed: int
    started_by: str
    packages: dict[str, str]
    """Versions of everything that computed."""
    device: str | None
    processes: int
    attempts: int | None
    """How often it was started until it ended."""
    checkpoints: list[int]
    """Steps after which one was sealed."""
    adapter_id: str | None
    adapter_hash: str | None
    samples: int | None
    """Validation questions by which base and tuned weights were compared."""
    samples_differing: int | None
    """How many of them they answered differently."""
    peak_memory_bytes: int | None
    device_seconds: float | None
    cost: dict[str, Any] | None


def run_record(view: RunView) -> RunRecord:
    """Return the record of a run, from what `run_view` gave."""
    with read() as session:
        version = session.get(tb.DatasetVersion, view.dataset_version_id)
        adapter = session.get(tb.Adapter, view.adapter_id) if view.adapter_id else None
    facts = dict(adapter.facts or {}) if adapter else {}
    result = view.result
    return RunRecord(
        base_ref=view.base_ref,
        base_hash=adapter.base_hash if adapter else view.facts.get("base_hash"),
        dataset_version_id=view.dataset_version_id,
        dataset_hash=version.hash if version else facts.get("dataset_hash"),
        index_version_id=view.config.index_version_id,
        config_hash=view.config.hash,
        seed=view.config.seed,
        started_by=view.created_by,
        packages=dict(result.get("packages") or {}),
        device=result.get("device") or view.facts.get("device"),
        processes=view.processes,
        attempts=result.get("attempts") or (view.job.attempt if view.job else None),
        checkpoints=list(view.checkpoints),
        adapter_id=view.adapter_id,
        adapter_hash=adapter.hash if adapter else None,
        samples=result.get("samples"),
        samples_differing=result.get("samples_differing"),
        peak_memory_bytes=result.get("peak_memory_bytes") or view.memory_bytes,
        device_seconds=result.get("device_seconds", result.get("seconds")),
        cost=result.get("cost"),
    )


def record_told(record: RunRecord) -> dict[str, str]:
    """Return what is known of a record: labels and values in the reader's language."""
    device = None if record.device is None else t(f"training.record.device.{record.device}")
    told = {
        setting_name("base_ref"): _with_hash(setting_text("base_ref", record.base_ref), record.base_hash),
        setting_name("dataset_version_id"): _with_hash(
            setting_text("dataset_version_id", record.dataset_version_id), record.dataset_hash
        ),
        setting_name("index_version_id"): record.index_version_id,
        t("training.record.config"): record.config_hash,
        setting_name("seed"): str(record.seed),
        t("training.record.started_by"): record.started_by,
        t("training.record.packages"): ", ".join(
            f"{name} {number}" for name, number in sorted(record.packages.items())
        ),
        t("training.record.device"): device if record.processes == 1 else f"{device or '–'} × {record.processes}",
        t("training.record.attempts"): None if record.attempts is None else format_number(record.attempts),
        t("training.record.checkpoints"): ", ".join(format_number(step) for step in record.checkpoints),
        t("training.record.adapter"): record.adapter_hash,
        t("training.record.peak"): format_bytes(record.peak_memory_bytes) if record.peak_memory_bytes else None,
        t("training.record.device_time"): _outcome("device_seconds", record.device_seconds),
        t("training.record.cost"): _outcome("cost", record.cost),
    }
    return {name: value for name, value in told.items() if value}


def _with_hash(text: str, digest: str | None) -> str:
    return text if digest is None else f"{text} · {digest}"


def _outcome(field: str, value: Any) -> str | None:
    return None if value is None else outcome_text(field, value)
