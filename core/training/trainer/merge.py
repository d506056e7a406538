"""``core.training.trainer.merge:main``: a merge job; the merged model is separate weights with an id of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, PreTrainedModel

from core.errors import KurabeError
from core.identity import new_id
from core.jobs import JobContext
from core.models import (
    AdapterFiles,
    adapter,
    adapter_files,
    folder_hash,
    merged_folder,
    resolve_base,
    write_adapter_card,
)
from core.prompting import ChatTemplate
from core.store import read, write
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.rows import PreparedRow, prepare_rows
from core.training.trainer.outcome import packages, tokenizer_files
from core.training.trainer.samples import answer_all, pick

__all__ = ["main"]

_QUESTIONS = 16
"""Validation questions on which merged and unmerged answers are compared."""
_MERGEABLE = ("lora", "qlora", "dora", "rslora")


def main(ctx: JobContext) -> dict[str, Any]:
    """Merge the adapter that the payload's ``adapter_id`` names.

    Returns:
        The merged model's id, whether its greedy answers equal the unmerged ones, and on how many questions.

    Raises:
        KurabeError: ``training.merge_kind``, ``training.merge_base``, ``training.base_missing``, ``models.…``.
    """
    row = adapter(ctx.payload["adapter_id"])
    if row.kind not in _MERGEABLE:
        raise KurabeError("training.merge_kind", name=row.name, kind=row.kind)
    base = resolve_base(row.base_ref)
    if base.folder is None:
        raise KurabeError("training.base_missing", base=base.ref)
    if base.hash != row.base_hash:
        raise KurabeError("training.merge_base", base=base.ref)
    ctx.progress(0, 4, stage="loading")
    files = adapter_files(row.id)
    template = ChatTemplate.load(base.folder)
    questions = _questions(row, template)
    model = PeftModel.from_pretrained(_load(base.folder), str(files.folder))
    ctx.progress(1, 4, stage="checking")
    before = answer_all(model, template, questions) if questions else []
    ctx.progress(2, 4, stage="merging")
    merged_id = str(ctx.payload.get("merged_id") or new_id())
    _save(model, merged_id, files, base.folder)
    ctx.progress(3, 4, stage="checking")
    # Read back: what is compared is what will be served, with everything that saving did to it.
    after = answer_all(_load(merged_folder(merged_id)), template, questions) if questions else []
    same = sum(a == b for a, b in zip(before, after, strict=True))
    lossless = same == len(questions) if questions else None
    _register(row, merged_id, lossless, {"same": same, "questions": len(questions)})
    ctx.progress(4, 4, stage="checking")
    return {"merged_id": merged_id, "lossless": lossless, "same": same, "questions": len(questions)}


def _load(folder: Path) -> PreTrainedModel:
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, use_safetensors=True, trust_remote_code=False
    )
    return model


def _questions(row: tb.Adapter, template: ChatTemplate) -> list[PreparedRow]:
    """Return validation rows of the run that trained the adapter; none for an adapter trained elsewhere."""
    with read() as session:
        run = session.get(tb.TrainingRun, row.training_run_id) if row.training_run_id else None
        project = session.get(tb.Project, row.project_id)
    if run is None or project is None:
        return []
    rows = prepare_rows(TrainingConfig.from_dict(run.config), template, project.language, limit=0)
    return pick(rows.validation, _QUESTIONS)


def _save(model: PeftModel, merged_id: str, files: AdapterFiles, base: Path) -> None:
    """Write the merged weights in 32 bit: in 16 bit much of what was learned would be rounded away."""
    target = merged_folder(merged_id)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    merge: Any = model.merge_and_unload
    merge().save_pretrained(draft)
    for path in tokenizer_files(base):
        shutil.copy2(path, draft / path.name)
    write_adapter_card(
        draft,
        base_ref=files.base_ref,
        base_hash=files.base_hash,
        kind="merged",
        facts={"merged_from": files.id, "adapter_hash": files.hash, "packages": packages()},
    )
    shutil.rmtree(target, ignore_errors=True)
    os.replace(draft, target)


def _register(row: tb.Adapter, merged_id: str, lossless: bool | None, check: dict[str, int]) -> None:
    folder = merged_folder(merged_id)
    merged = tb.Adapter(
        id=merged_id,
        project_id=row.project_id,
        name=f"{row.name} · merged",
        training_run_id=row.training_run_id,
        base_ref=row.base_ref,
        base_hash=row.base_hash,
        kind="merged",
        row_style=row.row_style,
        hash=folder_hash(folder),
        size=sum(path.stat().st_size for path in folder.iterdir()),
        lossless=lossless,
        licence=row.licence,
        facts={"merged_from": row.id, "check": check},
    )
    with write() as session:
        session.merge(merged)
