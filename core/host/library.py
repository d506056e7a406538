"""The weights in memory: bases once each, adapters injected by name, merged models as weights of their own."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedModel

from core.errors import KurabeError
from core.host.adapters import Injector
from core.host.forward import Forward
from core.models import AdapterFiles, adapter_files, folder_hash, merged_folder, parameter_count, resolve_base
from core.prompting import ChatTemplate
from core.settings import settings

__all__ = ["Library", "Loaded"]

logger = logging.getLogger(__name__)

_SMALL_PARAMETERS = 50_000_000

_MEMORY_SHARE = 0.4
"""Share of free memory that keys and values of all rows may take together."""


@dataclass
class Loaded:
    """One set of weights, ready to answer."""

    name: str
    """Base reference or ``merged:<id>``."""
    hash: str
    forward: Forward
    template: ChatTemplate
    tokenizer: Tokenizer
    end_tokens: frozenset[int]
    context_length: int
    precision: str
    cache_bytes: int
    """Bytes of keys and values for one position of one row."""
    cache_budget: int
    """Bytes that rows of these weights may take together."""
    injector: Injector
    small: bool = False
    """Whether one processor does a layer as fast as several: then prompts, not layers, are divided among them."""
    used_at: float = field(default_factory=time.monotonic)

    def encode(self, messages: list[dict[str, Any]], thinking: bool | None) -> list[int]:
        """Return the token ids of a conversation up to where the answer begins.

        Raises:
            KurabeError: ``prompting.template_refused``, for example because the template knows no system role.
        """
        return self.template.encode(messages, thinking=thinking)

    def prefix_length(self) -> int:
        """Return how many learned positions stand before each prompt."""
        return 0 if self.injector.prefix is None else self.injector.prefix.length


@dataclass(frozen=True)
class _Place:
    """Where the files of a model name lie."""

    weights: str
    folder: Path
    hash: str
    adapter: AdapterFiles | None = None


class Library:
    """Finds, loads, switches and unloads weights; used by the engine's thread only."""

    def __init__(self) -> None:
        self.loaded: dict[str, Loaded] = {}
        wanted = settings().device
        self.device = "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"
        if wanted == "cuda" and self.device != "cuda":
            raise KurabeError("host.no_gpu")
        self.dtype = torch.bfloat16 if self.device == "cuda" else torch.float32

    def activate(self, model: str, busy: Set[str] = frozenset()) -> tuple[Loaded, float]:
        """Return the weights of `model` with its adapter switched on, and the seconds spent on loading (0 if warm).

        Weights named in `busy` have rows under way and stay, even if their files have changed: those rows end with
        what they began with.

        Raises:
            KurabeError: if there is no such model, it does not fit into memory, or its adapter is refused.
        """
        place = _find(model)
        began = time.monotonic()
        known = self.loaded.get(place.weights)
        if known is not None and known.hash != place.hash and place.weights not in busy:
            self.unload(place.weights)  # a run that was stopped and went on has left other weights under this name
        cold = place.weights not in self.loaded
        if cold:
            self._make_room(place, busy)
            self.loaded[place.weights] = self._load(place)
        loaded = self.loaded[place.weights]
        loaded.used_at = time.monotonic()
        try:
            changed = loaded.injector.switch(place.adapter)
        except KurabeError as error:
            if error.code != "host.adapter_base":
                # Half an adapter may stand in the model, or a bias be changed: the base is read again from its files.
                self.unload(place.weights)
            raise
        return loaded, time.monotonic() - began if cold or changed else 0.0

    def unload(self, name: str | None = None) -> None:
        """Free one set of weights, or all."""
        for key in [name] if name else list(self.loaded):
            self.loaded.pop(key, None)
        gc.collect()
        if self.device == "cuda":
            torch.cuda.empty_cache()

    def _load(self, place: _Place) -> Loaded:
        logger.info("loading %s", place.weights)
        model = _read_weights(place, self.dtype)
        torch.nn.Module.to(model, self.device).train(False).requires_grad_(False)
        forward = Forward(model)
        forward.prove()
        template = ChatTemplate.load(place.folder)
        position = _bytes_per_position(model)
        return Loaded(
            name=place.weights,
            hash=place.hash,
            forward=forward,
            template=template,
            tokenizer=template.tokenizer,
            end_tokens=_end_tokens(model) | frozenset(template.stop_ids),
            context_length=_context_length(model),
            precision=str(self.dtype).removeprefix("torch."),
            cache_bytes=position,
            cache_budget=int(self._free_memory() * _MEMORY_SHARE),
            injector=Injector(model, forward, place.hash),
            small=self.device == "cpu" and forward.together and parameter_count(place.folder) < _SMALL_PARAMETERS,
        )

    def _make_room(self, place: _Place, busy: Set[str]) -> None:
        """Unload what was used longest ago until the new weights fit.

        Raises:
            KurabeError: ``host.no_memory``.
        """
        need = parameter_count(place.folder) * self.dtype.itemsize
        while (free := self._free_memory()) < need * 1.2:
            idle = [entry for entry in self.loaded.values() if entry.name not in busy]
            if not idle:
                break
            self.unload(min(idle, key=lambda entry: entry.used_at).name)
        if free < need * 1.05:
            raise KurabeError(
                "host.no_memory", model=place.weights, need_gb=round(need / 1e9, 2), free_gb=round(free / 1e9, 2)
            )

    def _free_memory(self) -> int:
        if self.device == "cuda":
            return int(torch.cuda.mem_get_info()[0])
        return int(psutil.virtual_memory().available)


def _find(model: str) -> _Place:
    """Return where a model name's files lie.

    Raises:
        KurabeError: ``models.not_here`` or what resolving the base says.
    """
    if model.startswith("adapter:"):
        files = adapter_files(model.removeprefix("adapter:"))
        base = _find(files.base_ref)
        return _Place(base.weights, base.folder, base.hash, files)
    if model.startswith("merged:"):
        folder = merged_folder(model.removeprefix("merged:"))
        return _Place(model, folder, folder_hash(folder))
    info = resolve_base(model)
    if info.folder is None:
        raise KurabeError("models.not_here", ref=model)
    return _Place(info.ref, info.folder, info.hash)


def _read_weights(place: _Place, dtype: torch.dtype) -> PreTrainedModel:
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            place.folder, dtype=dtype, local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise KurabeError("host.weights", model=place.weights, detail=str(error)[:300]) from error
    return model


def _bytes_per_position(model: PreTrainedModel) -> int:
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * size * model.dtype.itemsize)


def _context_length(model: PreTrainedModel) -> int:
    return int(getattr(model.config.get_text_config(), "max_position_embeddings", 0) or settings().host_prompt_limit)


def _end_tokens(model: PreTrainedModel) -> frozenset[int]:
    config: GenerationConfig | None = model.generation_config
    found = config.eos_token_id if config is not None else None
    if found is None:
        found = model.config.get_text_config().eos_token_id
    ids = found if isinstance(found, list) else [found]
    return frozenset(int(token) for token in ids if token is not None)
