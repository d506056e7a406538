"""An adapter's card: what it is, what it rests on, how it was trained and how it is served."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from core.datasets import licence_of
from core.errors import KurabeError
from core.i18n import format_datetime, format_number, language, t
from core.models import adapter as adapter_row
from core.models import adapter_folder
from core.store import read
from core.store import tables as tb
from core.training.config import TrainingConfig
from core.training.words import setting_name, setting_text

__all__ = ["model_card"]

_SERVED_AS_ADAPTER = ("lora", "qlora", "rslora")
"""Kinds that vLLM and llama.cpp take beside their base; others must be merged first, or stay with Kurabe's host."""

_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM takes for ``--max-lora-rank``."""


def model_card(adapter_id: str) -> str:
    """Return a Markdown card filled from the record: what it is, what it rests on, how it is served.

    It begins with what model hubs read: base, licence, languages.

    Raises:
        KurabeError: ``models.adapter_missing``.
    """
    row = adapter_row(adapter_id)
    with read() as session:
        run = session.get(tb.TrainingRun, row.training_run_id) if row.training_run_id else None
    table = "\n".join(f"| {t(f'training.card.{name}')} | {value} |" for name, value in _card_facts(row, run).items())
    limits = t("training.card.limits")
    return (
        f"{_for_hubs(row)}# {row.name}\n\n| | |\n|---|---|\n{table}\n\n{limits}\n\n"
        f"## vLLM\n\n{_with_vllm(row)}\n\n## Ollama\n\n{_with_ollama(row)}\n"
    )


def _card_facts(row: tb.Adapter, run: tb.TrainingRun | None) -> dict[str, str]:
    result = run.result if run else {}
    aim = row.facts.get("objective", {}).get("name", "sft")
    before, after = result.get("eval_loss_before"), result.get("eval_loss")
    facts = {
        "base": f"{row.base_ref} ({row.base_hash})",
        "method": t(f"training.method.{row.kind}") if row.kind != "merged" else t("training.card.merged"),
        "objective": t(f"training.objective.{aim}"),
        "licence": row.licence or t("training.card.unknown"),
        "data": str(row.facts.get("dataset_hash", "–")),
        "data_licence": _data_licence(row, run) or t("training.card.unknown"),
        "rows": format_number(result["rows"]["trained"], language()) if result.get("rows") else "–",
        "loss": f"{before:.3f} → {after:.3f}" if before is not None and after is not None else "–",
        "created": format_datetime(row.created_at, language()),
        "hash": row.hash,
    }
    return {**facts, **_card_settings(run, result)} if run else facts


def _card_settings(run: tb.TrainingRun, result: dict[str, Any]) -> dict[str, str]:
    """Return how it was trained, as the run's record has it; what is not known is left out."""
    config = TrainingConfig.from_dict(run.config)
    chosen = dataclasses.asdict(config.plugin) | {
        name: getattr(config, name) for name in ("learning_rate", "schedule", "batch_size", "accumulation", "seed")
    }
    told = {
        "settings": ", ".join(f"{setting_name(name)} {setting_text(name, value)}" for name, value in chosen.items()),
        "steps": format_number(result["kept_step"], language()) if result.get("kept_step") else "",
        "packages": ", ".join(f"{name} {number}" for name, number in sorted(result.get("packages", {}).items())),
    }
    if result.get("samples_differing"):
        counts = {"differing": result["samples_differing"], "questions": result["samples"]}
        told["proof"] = t("training.proof", **counts)
    return {name: value for name, value in told.items() if value}


_HUB_LICENCES = ("apache-2.0", "mit", "bsd-3-clause", "bsd-2-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0",
                 "cc-by-nc-4.0", "isc", "unlicense")  # fmt: skip
"""Names that model hubs know; any other licence is told under its own name."""


def _for_hubs(row: tb.Adapter) -> str:
    """Return the card's beginning that model hubs read, in YAML; a base that is no hub's is not linked."""
    licence = row.licence.lower()
    told: dict[str, Any] = {"library_name": "transformers" if row.kind == "merged" else "peft"}
    if _on_a_hub(row.base_ref):
        told |= {"base_model": row.base_ref, "base_model_relation": "finetune" if row.kind == "merged" else "adapter"}
    if licence:
        told |= {"license": licence} if licence in _HUB_LICENCES else {"license": "other", "license_name": row.licence}
    told["tags"] = ["kurabe", row.kind]
    # each JSON value is YAML too, and quotes keep whatever a licence is called from meaning anything
    return (
        "---\n"
        + "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in told.items())
        + "---\n"
    )


def _on_a_hub(base_ref: str) -> bool:
    """Tell whether a base is named as hubs name models; anything else is a folder of this machine."""
    return base_ref.count("/") == 1 and not base_ref.startswith(("/", "."))


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
    base = row.base_ref if _on_a_hub(row.base_ref) else "BASE_FOLDER"
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
    try:
        config = json.loads((adapter_folder(row.id) / "adapter_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KurabeError("models.adapter_missing", id=row.id) from error
    return int(config.get("r") or 1)
