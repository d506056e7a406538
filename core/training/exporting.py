"""Taking work elsewhere: adapters as archives with a card, and a kit that trains the same run again."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import Any

from core.datasets import licence_of
from core.errors import KurabeError
from core.i18n import t
from core.models import adapter as adapter_row
from core.models import adapter_folder, describe_folder, merged_folder, resolve_base
from core.prompting import ChatTemplate
from core.store import read
from core.store import tables as tb
from core.training.card import model_card
from core.training.config import TrainingConfig
from core.training.estimate import HEAD_TOKENS
from core.training.rows import PreparedRow, prepare_rows

__all__ = ["export_adapter", "export_kit"]

_KIT = Path(__file__).with_name("kit")
"""The files that every kit holds as they are."""


def export_adapter(adapter_id: str, target: Path) -> Path:
    """Write an adapter or merged model with its card as one zip archive; return its path.

    Raises:
        KurabeError: ``models.adapter_missing``.
    """
    row = adapter_row(adapter_id)
    folder = merged_folder(row.id) if row.kind == "merged" else adapter_folder(row.id)
    describe_folder(folder)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{row.id}/{path.name}")
        archive.writestr(f"{row.id}/README.md", model_card(row.id))
    return target


def export_kit(run_id: str, target: Path) -> Path:
    """Write data, configuration and a plain script that trains the same run on another machine; return the path.

    Rows are stored as tokens and labels too, so that nothing of how they were masked depends on the other machine.

    Raises:
        KurabeError: ``training.no_run``, ``training.base_missing``, what preparing the rows raises.
    """
    with read() as session:
        run = session.get(tb.TrainingRun, run_id)
        project = session.get(tb.Project, run.project_id) if run else None
        version = session.get(tb.DatasetVersion, run.dataset_version_id) if run else None
    if run is None or project is None:
        raise KurabeError("training.no_run", id=run_id)
    config = TrainingConfig.from_dict(run.config)
    base = resolve_base(run.base_ref)
    if base.folder is None:
        raise KurabeError("training.base_missing", base=base.ref)
    rows = prepare_rows(config, ChatTemplate.load(base.folder), project.language)
    facts: dict[str, Any] = {
        "name": run.name,
        "base": base.ref,
        "base_hash": base.hash,
        "base_revision": base.revision,
        "config": config.as_dict(),
        "objective": dataclasses.asdict(config.aim) | {"name": config.aim.name},
        "peft": config.plugin.peft(),
        "quantisation": config.plugin.quantisation(),
        "steps": run.result.get("steps"),
        "kept_step": run.result.get("kept_step"),
        "processes": run.result.get("processes", 1),
        "head_tokens": HEAD_TOKENS,
        "licences": {"base": base.licence, "data": licence_of(version) if version else ""},
    }
    licences = {name: known or t("training.card.unknown") for name, known in facts["licences"].items()}
    readme = t("training.kit.readme", name=run.name, base=base.ref, seed=config.seed)
    readme += t("training.kit.licences", **licences)
    if facts["processes"] > 1:
        readme += t("training.kit.processes", n=facts["processes"])
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(facts, ensure_ascii=False, indent=1))
        archive.writestr("train.jsonl", _lines(rows.train))
        archive.writestr("validation.jsonl", _lines(rows.validation))
        archive.writestr("requirements.txt", _requirements(run))
        archive.writestr("README.md", readme)
        archive.writestr("train.py", (_KIT / "train.py.txt").read_text(encoding="utf-8"))
    return target


def _lines(rows: list[PreparedRow]) -> str:
    return "".join(json.dumps(_line(row), ensure_ascii=False) + "\n" for row in rows)


def _line(row: PreparedRow) -> dict[str, Any]:
    """Return a row as text and as tokens; a pair under the names that TRL's trainer reads."""
    if row.rejected is None:
        return {"messages": row.messages, "input_ids": row.tokens.input_ids, "labels": row.tokens.labels}
    before = row.prompt_length
    return {
        "messages": row.messages,
        "prompt_ids": row.tokens.input_ids[:before],
        "chosen_ids": row.tokens.input_ids[before:],
        "rejected_ids": row.rejected.input_ids[before:],
    }


def _requirements(run: tb.TrainingRun) -> str:
    """Pin what the run was trained with; a local build's suffix (``+cpu``) means nothing elsewhere."""
    used: dict[str, str] = run.result.get("packages", {})
    return "".join(f"{name}=={version.partition('+')[0]}\n" for name, version in sorted(used.items()))
