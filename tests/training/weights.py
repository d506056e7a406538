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


def put_adapter(
    project_id: str, name: str = "answers", kind: str = "lora", facts: Mapping[str, Any] = {}
) -> tb.Adapter:
    """Write small weights with a card and register them."""
    adapter_id = new_id()
    folder = adapter_folder(adapter_id)
    folder.mkdir(parents=True)
    save_file({"a.lora_A.weight": torch.ones(2, 3)}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 64}))
    write_adapter_card(folder, base_ref="starter", base_hash="k1:base", kind=kind, facts=facts)
    return register_adapter(project_id, adapter_id, name, licence="Apache-2.0")
