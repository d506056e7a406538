"""Adapters over one copy of the base: injected by name, switched between groups of rows, never merged.

Merging into the base and back changes about a quarter of its weights by rounding, so nothing here merges. Each load
compares the base's logits before and after; on any difference the adapter is refused, and the base is read again from
its files.
"""

from __future__ import annotations

import logging
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel

from core.errors import KurabeError
from core.host.forward import Forward, Prefix
from core.models import AdapterFiles

__all__ = ["Injector"]

logger = logging.getLogger(__name__)


class Injector:
    """The adapters of one base; at any time at most one of them is active."""

    def __init__(self, model: PreTrainedModel, forward: Forward, base_hash: str) -> None:
        self.model = model
        self.forward = forward
        self.base_hash = base_hash
        self.active: str | None = None
        self.prefix: Prefix | None = None
        """What the active adapter puts before each prompt, if its kind does."""
        self._injected: dict[str, str] = {}
        """Adapters whose modules stand in the model: id to the hash of its files as loaded."""
        self._prefixes: dict[str, tuple[str, Prefix]] = {}
        """Adapters that learned what stands before the prompt: they need no modules in the model."""
        self._peft: Any = None
        self._kind: str | None = None

    def switch(self, files: AdapterFiles | None) -> bool:
        """Make one adapter active, or none; tell whether anything had to be loaded.

        Raises:
            KurabeError: ``host.adapter_base`` for another base, ``host.adapter_changes_base``, ``host.adapter_files``.
        """
        if files is None:
            self._disable()
            return False
        known = self._injected.get(files.id) or self._prefixes.get(files.id, ("",))[0]
        if known != files.hash:
            self._load_proven(files)
        self._enable(files.id)
        return known != files.hash

    def _load_proven(self, files: AdapterFiles) -> None:
        """Load an adapter and compare the base before and after; after an error the base must be read again."""
        if files.base_hash != self.base_hash:
            raise KurabeError("host.adapter_base", adapter=files.id, base=files.base_ref)
        self._disable()
        before = self.forward.probe()
        try:
            self._load(files)
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError) as error:
            raise KurabeError("host.adapter_files", adapter=files.id, detail=str(error)[:300]) from error
        self._disable()
        if not torch.equal(before, self.forward.probe()):
            raise KurabeError("host.adapter_changes_base", adapter=files.id)

    def _load(self, files: AdapterFiles) -> None:
        # Imported here: it takes a quarter of the host's start, and the base alone does not need it.
        from peft import PeftConfig, PeftModel

        config = PeftConfig.from_pretrained(str(files.folder))
        if config.is_prompt_learning:
            self._prefixes[files.id] = (files.hash, self._read_prefix(files, config))
            return
        kind = str(config.peft_type)
        # One kind at a time, and a name only once: other modules would be wrapped twice.
        if self._peft is not None and (kind != self._kind or files.id in self._injected):
            self._clear()
        name, folder = _module_name(files.id), str(files.folder)
        if self._peft is None:
            self._peft = PeftModel.from_pretrained(self.model, folder, adapter_name=name, config=config)
        else:
            self._peft.load_adapter(folder, adapter_name=name)
        self._peft.eval()
        self._kind = kind
        self._injected[files.id] = files.hash

    def _read_prefix(self, files: AdapterFiles, config: Any) -> Prefix:
        from peft import PeftModel

        wrapped = PeftModel.from_pretrained(self.model, str(files.folder), config=config).eval()
        with torch.inference_mode():
            learned: Any = wrapped.get_prompt(batch_size=1)
        if isinstance(learned, torch.Tensor):
            return Prefix(vectors=learned)
        return Prefix(states=tuple((layer.keys, layer.values) for layer in learned.layers))

    def _enable(self, adapter_id: str) -> None:
        if self.active == adapter_id:
            return
        if adapter_id in self._prefixes:
            self._disable()
            self.prefix = self._prefixes[adapter_id][1]
        else:
            self.prefix = None
            self._peft.base_model.enable_adapter_layers()
            self._peft.base_model.set_adapter(_module_name(adapter_id), inference_mode=True)
        self.active = adapter_id

    def _disable(self) -> None:
        if self._peft is not None:
            self._peft.base_model.disable_adapter_layers()
        self.prefix, self.active = None, None

    def _clear(self) -> None:
        """Take all injected adapters out; the base's own modules stand again where they stood."""
        if self._peft is not None:
            self._peft.unload()
        self._peft, self._kind, self.active, self.prefix = None, None, None, None
        self._injected.clear()


def _module_name(adapter_id: str) -> str:
    """Return a name that torch accepts for a module: it may hold no dot."""
    return "a_" + adapter_id.replace("-", "_")
