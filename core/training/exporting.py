"""Taking work elsewhere: adapters as archives with a card, adapters from elsewhere, and a kit that trains again."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from core.datasets import licence_of
from core.errors import KurabeError
from core.i18n import format_datetime, format_number, language, t
from core.identity import new_id
from core.models import adapter as adapter_row
from core.models import (
    adapter_folder,
    describe_folder,
    merged_folder,
    register_adapter,
    resolve_base,
    write_adapter_card,
)
from core.prompting import ChatTemplate
from core.settings import settings
from core.store import read
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.methods import build_method
from core.training.rows import PreparedRow, prepare_rows

__all__ = ["export_adapter", "export_kit", "import_adapter", "model_card"]

_KIT = Path(__file__).with_name("kit")
"""The files that every kit holds as they are."""

_SERVED_AS_ADAPTER = ("lora", "qlora", "rslora")
"""Kinds that vLLM and llama.cpp take beside their base; others must be merged first, or stay with Kurabe's host."""

_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM takes for ``--max-lora-rank``."""

_ALLOWED = {".safetensors", ".json", ".md", ".jinja", ".txt"}
"""What an imported archive may hold; weights in other formats can run code when they are loaded."""


def model_card(adapter_id: str) -> str:
    """Return a Markdown card filled from the record: what it is, what it rests on, how it is served.

    Raises:
        KurabeError: ``models.adapter_missing``.
    """
    row = adapter_row(adapter_id)
    with read() as session:
        run = session.get(tb.TrainingRun, row.training_run_id) if row.training_run_id else None
    result = run.result if run else {}
    aim = row.facts.get("objective", {}).get("name", "sft")
    facts = {
        "base": f"{row.base_ref} ({row.base_hash})",
        "method": t(f"training.method.{row.kind}") if row.kind != "merged" else t("training.card.merged"),
        "objective": t(f"training.objective.{aim}"),
        "licence": row.licence or t("training.card.unknown"),
        "data": str(row.facts.get("dataset_hash", "–")),
        "data_licence": _data_licence(row, run) or t("training.card.unknown"),
        "rows": format_number(result["rows"]["trained"], language()) if result.get("rows") else "–",
        "loss": f"{result['eval_loss_before']:.3f} → {result['eval_loss']:.3f}" if result.get("eval_loss") else "–",
        "created": format_datetime(row.created_at, language()),
        "hash": row.hash,
    }
    table = "\n".join(f"| {t(f'training.card.{name}')} | {value} |" for name, value in facts.items())
    limits = t("training.card.limits")
    return (
        f"# {row.name}\n\n| | |\n|---|---|\n{table}\n\n{limits}\n\n"
        f"## vLLM\n\n{_with_vllm(row)}\n\n## Ollama\n\n{_with_ollama(row)}\n"
    )


def _data_licence(row: tb.Adapter, run: tb.TrainingRun | None) -> str:
    """Return the licence of what it was trained on: as it is known today, else as it was when the run ended."""
    with read() as session:
        version = session.get(tb.DatasetVersion, run.dataset_version_id) if run else None
    return (licence_of(version) if version else "") or str(row.facts.get("data_licence") or "")


def _with_vllm(row: tb.Adapter) -> str:
    """Return the commands by which vLLM serves it."""
    if row.kind == "merged":
        return _shell(f"vllm serve ./{row.id}")
    if row.kind not in _SERVED_AS_ADAPTER:
        return t("training.card.merge_first" if row.kind == "dora" else "training.card.host_only")
    # vLLM refuses adapters above its own limit, 16 by default
    rank = next((limit for limit in _RANKS if limit >= _rank(row)), _rank(row))
    lora = f"--enable-lora --max-lora-rank {rank} --lora-modules tuned=./{row.id}"
    # a hub id, which vLLM fetches itself, or the folder that the reader has it in
    base = row.base_ref if row.base_ref.count("/") == 1 and not row.base_ref.startswith("/") else "BASE_FOLDER"
    return _shell(f"vllm serve {base} {lora}") + f"\n\n{t('training.card.vllm')}"


def _with_ollama(row: tb.Adapter) -> str:
    """Return the commands by which Ollama serves it: llama.cpp converts, a Modelfile names the result."""
    if row.kind == "merged":
        convert = f"python llama.cpp/convert_hf_to_gguf.py ./{row.id} --outfile tuned.gguf"
        modelfile = "FROM ./tuned.gguf"
    elif row.kind in _SERVED_AS_ADAPTER:
        convert = f"python llama.cpp/convert_lora_to_gguf.py ./{row.id} --base BASE_FOLDER --outfile tuned.gguf"
        modelfile = "FROM ./base.gguf\nADAPTER ./tuned.gguf"
        convert = f"python llama.cpp/convert_hf_to_gguf.py BASE_FOLDER --outfile base.gguf\n{convert}"
    else:
        return t("training.card.merge_first" if row.kind == "dora" else "training.card.host_only")
    lines = "\n".join([convert, f"cat > Modelfile <<'END'\n{modelfile}\nEND", "ollama create tuned -f Modelfile"])
    return _shell(f"{lines}\nollama run tuned") + f"\n\n{t('training.card.ollama', base=row.base_ref)}"


def _shell(commands: str) -> str:
    return f"```bash\n{commands}\n```"


def _rank(row: tb.Adapter) -> int:
    """Return the rank that an adapter's own configuration gives."""
    config = json.loads((adapter_folder(row.id) / "adapter_config.json").read_text(encoding="utf-8"))
    return int(config.get("r") or 1)


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


def import_adapter(
    project_id: str, source: Path, name: str, *, base_ref: str, row_style: str = "plain", other_base: bool = False
) -> tb.Adapter:
    """Take in a peft adapter that was trained elsewhere.

    Args:
        project_id: the project that gets it.
        source: its folder, or a zip archive of it.
        name: what people call it.
        base_ref: the base that it was trained on.
        row_style: ``raft`` if it was trained to answer with passages.
        other_base: take it although its own configuration names another base: the same weights go by several names.

    Raises:
        KurabeError: ``training.import_base``, ``training.import_unreadable``, ``training.import_unsafe``,
            ``training.import_kind``, and what `resolve_base` raises.
    """
    base = resolve_base(base_ref)
    adapter_id = new_id()
    with tempfile.TemporaryDirectory(dir=settings().path("adapters"), prefix=".import") as scratch:
        folder = _unpacked(source, Path(scratch))
        config = _adapter_config(folder)
        said = str(config.get("base_model_name_or_path") or "")
        if not other_base and not _same_name(said, base.ref):
            raise KurabeError("training.import_base", said=said, base=base.ref)
        draft = Path(scratch) / "draft"
        draft.mkdir()
        for path in folder.iterdir():
            if path.suffix in _ALLOWED - {".md", ".txt"}:
                shutil.copyfile(path, draft / path.name)
        kind = _kind(config)
        write_adapter_card(
            draft,
            base_ref=base.ref,
            base_hash=base.hash,
            kind=kind,
            mixable=build_method({"name": kind}).mixable,
            facts={"imported_from": source.name, "licence": base.licence, "row_style": row_style},
        )
        shutil.move(draft, adapter_folder(adapter_id))
    return register_adapter(
        project_id, adapter_id, name, licence=base.licence, row_style=row_style, facts={"imported_from": source.name}
    )


def _same_name(said: str, ref: str) -> bool:
    """Tell whether an adapter's own configuration may mean this base; a path means its folder's name."""
    names = [name.replace("\\", "/").rstrip("/").rpartition("/")[2].casefold() for name in (said, ref)]
    return not said or names[0] == names[1]


def _unpacked(source: Path, scratch: Path) -> Path:
    """Return the folder that holds the adapter; an archive's names never become paths outside `scratch`."""
    if source.is_dir():
        return source
    flat = scratch / "archive"
    flat.mkdir()
    limit = settings().upload_limit_mb << 20
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > limit:
                raise KurabeError("training.import_large", limit_mb=limit >> 20)
            for entry in entries:
                with archive.open(entry) as packed, (flat / Path(entry.filename).name).open("wb") as out:
                    shutil.copyfileobj(packed, out)
    except (OSError, zipfile.BadZipFile) as error:
        raise KurabeError("training.import_unreadable", name=source.name, detail=str(error)) from error
    return flat


def _adapter_config(folder: Path) -> dict[str, Any]:
    unsafe = sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix not in _ALLOWED)
    if unsafe:
        raise KurabeError("training.import_unsafe", files=", ".join(unsafe[:5]))
    if not (folder / "adapter_model.safetensors").exists():
        raise KurabeError("training.import_unreadable", name=folder.name, detail="adapter_model.safetensors")
    try:
        config: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KurabeError("training.import_unreadable", name=folder.name, detail="adapter_config.json") from error
    return config


def _kind(config: dict[str, Any]) -> str:
    kind = config.get("peft_type")
    if kind == "LORA":
        return "dora" if config.get("use_dora") else "rslora" if config.get("use_rslora") else "lora"
    if kind == "PREFIX_TUNING":
        return "prefix"
    raise KurabeError("training.import_kind", kind=str(kind))


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
        "licences": {"base": base.licence, "data": licence_of(version) if version else ""},
    }
    licences = {name: known or t("training.card.unknown") for name, known in facts["licences"].items()}
    readme = t("training.kit.readme", name=run.name, base=base.ref, seed=config.seed)
    readme += t("training.kit.licences", **licences)
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
