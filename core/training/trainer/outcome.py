"""The end of a run: the adapter's folder, its row in the registry, and the run's result."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from peft import PeftModel
from transformers import PreTrainedModel

from core.errors import KurabeError
from core.identity import now
from core.models import folder_hash, register_adapter, remember_base, write_adapter_card
from core.prices import price_training
from core.store import read, write
from core.store import tables as tb
from core.training.trainer.task import Task

__all__ = [
    "Spent",
    "card_facts",
    "cost",
    "earlier_attempts",
    "finish_record",
    "launched",
    "packages",
    "save_weights",
    "tokenizer_files",
]

_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "bitsandbytes", "tokenizers", "datasets")


def packages() -> dict[str, str]:
    """Return the versions of everything that computes."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def save_weights(model: PreTrainedModel | PeftModel, task: Task, facts: dict[str, Any]) -> None:
    """Write the adapter (or the whole model) into its folder in one step: it is there complete or not at all."""
    target = task.target
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    if isinstance(model, PeftModel):
        for config in model.peft_config.values():
            # The path on this machine would mean nothing elsewhere.
            config.base_model_name_or_path = task.base.ref
        model.save_pretrained(str(draft), save_embedding_layers=False)
        (draft / "README.md").unlink(missing_ok=True)
    else:
        model.save_pretrained(draft)
        for path in tokenizer_files(task.folder):
            shutil.copy2(path, draft / path.name)
    method = task.config.plugin
    write_adapter_card(
        draft,
        base_ref=task.base.ref,
        base_hash=task.base.hash,
        kind="merged" if method.whole else method.name,
        mixable=method.mixable,
        facts=facts,
    )
    shutil.rmtree(target, ignore_errors=True)
    os.replace(draft, target)


def tokenizer_files(folder: Path) -> list[Path]:
    """Return the files that a model folder needs beside its weights and configuration."""
    names = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")
    return [folder / name for name in names if (folder / name).exists()]


def card_facts(task: Task) -> dict[str, Any]:
    """Return what ``kurabe.json`` says beyond what the host needs: enough to know how the weights came about."""
    return {
        "method": dict(task.config.method),
        "objective": dict(task.config.objective),
        "training_run_id": task.run.id,
        "row_style": task.config.row_style,
        "dataset_version_id": task.run.dataset_version_id,
        "dataset_hash": task.dataset_hash,
        "template_hash": task.template.hash,
        "instructions": task.config.instructions,
        "house_rules": task.config.house_rules,
        "licence": task.base.licence,
        "data_licence": task.data_licence,
        "languages": list(task.base.languages),
        "seed": task.config.seed,
        "packages": packages(),
        "created_at": now().isoformat(),
    }


def cost(seconds: float, tokens: int, device: str) -> dict[str, Any] | None:
    """Return what the run cost; None if the price book has no rate for this device."""
    try:
        price = price_training(seconds, tokens, device)
    except KurabeError:
        return None
    return {"amount": str(price.amount), "currency": price.currency, "price_version": price.price_version}


def launched(task: Task) -> dict[str, Any]:
    """Return what started the run's processes, as its job has it: what is left when the job is deleted."""
    with read() as session:
        job = session.get(tb.Job, task.run.job_id) if task.run.job_id else None
    return dict(job.launcher) if job is not None and job.launcher else {"name": "subprocess"}


@dataclass(frozen=True, slots=True)
class Spent:
    """What earlier attempts of a run took."""

    seconds: float
    peak_memory_bytes: int


def earlier_attempts(reported: list[dict[str, Any]], attempt: int) -> Spent:
    """Return what the attempts before this one took, from their first event to their last, whatever ended them.

    What they trained may be lost; the device was busy and is paid for all the same.
    """
    spans: dict[int, list[datetime]] = {}
    for event in reported:
        if int(event.get("attempt", attempt)) < attempt:
            spans.setdefault(int(event["attempt"]), []).append(datetime.fromisoformat(event["at"]))
    memory = [int(event.get("memory_bytes") or 0) for event in reported]
    return Spent(sum((max(at) - min(at)).total_seconds() for at in spans.values()), max(memory, default=0))


def finish_record(task: Task, result: dict[str, Any]) -> None:
    """Enter the adapter into the registry and the result into the run; done twice, it changes nothing."""
    remember_base(task.base)
    with read() as session:
        known = session.get(tb.Adapter, task.adapter_id) is not None
        name = session.get_one(tb.TrainingRun, task.run.id).name
    facts = {
        "method": dict(task.config.method),
        "objective": dict(task.config.objective),
        "dataset_hash": task.dataset_hash,
        "data_licence": task.data_licence,
        "warnings": result["warnings"],
    }
    if not known and task.config.plugin.whole:
        _register_whole(task, name, facts)
    elif not known:
        register_adapter(
            task.run.project_id,
            task.adapter_id,
            name,
            licence=task.base.licence,
            training_run_id=task.run.id,
            row_style=_style(task),
            facts=facts,
        )
    with write() as session:
        if known:  # a run that was stopped and went on has left other weights
            row = session.get_one(tb.Adapter, task.adapter_id)
            row.hash, row.size, row.facts = folder_hash(task.target), _size(task.target), facts
            row.deleted_at = None  # its files may have been deleted while it was stopped, and are there again
        run = session.get_one(tb.TrainingRun, task.run.id)  # people may have renamed it meanwhile
        run.adapter_id = task.adapter_id
        run.result = result


def _style(task: Task) -> str:
    """Rows with passages among them make a ``raft`` adapter."""
    return "plain" if task.config.row_style == "plain" else "raft"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _register_whole(task: Task, name: str, facts: dict[str, Any]) -> None:
    row = tb.Adapter(
        id=task.adapter_id,
        project_id=task.run.project_id,
        name=name,
        training_run_id=task.run.id,
        base_ref=task.base.ref,
        base_hash=task.base.hash,
        kind="merged",
        row_style=_style(task),
        hash=folder_hash(task.target),
        size=_size(task.target),
        licence=task.base.licence,
        facts=facts,
    )
    with write() as session:
        session.add(row)
