"""An adapter without a training: for tests that only carry it about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import save_file

from core.identity import new_id
from core.models import adapter_folder, register_adapter, write_adapter_card
from core.store import tables as tb
from core.store import write
from core.training import TrainingConfig


def put_adapter(
    project_id: str, name: str = "answers", kind: str = "lora", facts: Mapping[str, Any] = {}, **registered: Any
) -> tb.Adapter:
    """Write small weights with a card and register them; `registered` goes to `register_adapter`."""
    adapter_id = new_id()
    folder = adapter_folder(adapter_id)
    folder.mkdir(parents=True)
    save_file({"a.lora_A.weight": torch.ones(2, 3)}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 64}))
    write_adapter_card(folder, base_ref="starter", base_hash="k1:base", kind=kind, facts=facts)
    return register_adapter(project_id, adapter_id, name, licence="Apache-2.0", **registered)


def put_run(project_id: str, version_id: str, name: str = "run", row_style: str = "plain") -> tb.TrainingRun:
    """Store a run that ended and left such an adapter."""
    run_id = new_id()
    adapter = put_adapter(project_id, name, training_run_id=run_id, row_style=row_style)
    config = TrainingConfig(dataset_version_id=version_id, epochs=1)
    run = tb.TrainingRun(
        id=run_id,
        project_id=project_id,
        name=name,
        dataset_version_id=version_id,
        base_ref="starter",
        method="lora",
        row_style=row_style,
        config=config.as_dict(),
        result={"ended": "budget"},
        adapter_id=adapter.id,
    )
    with write() as session:
        session.add(run)
    return run
