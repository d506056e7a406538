"""Loading: the base in the wanted precision, then what the method adds to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil
import torch
from peft import PeftModel, get_peft_config, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedModel, set_seed
from transformers import PreTrainedTokenizerBase as Tokenizer

from core.errors import KurabeError
from core.models import host_status, unload_host
from core.settings import settings
from core.training.config import TrainingConfig
from core.training.estimate import estimate_memory, read_shapes

__all__ = ["attach", "chosen_device", "load_base", "load_tokenizer", "make_room", "uses_bf16"]


def chosen_device() -> str:
    """Return ``cuda`` or ``cpu``, as set or as found.

    Raises:
        KurabeError: ``training.no_gpu``, if a GPU is set but none is there.
    """
    wanted = settings().device
    if wanted == "cuda" and not torch.cuda.is_available():
        raise KurabeError("training.no_gpu")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def make_room(folder: Path, config: TrainingConfig, longest: int, device: str) -> bool:
    """Ask the host to free its weights if the training would not fit beside them; tell whether it was asked."""
    needed = estimate_memory(config, read_shapes(folder), longest, device=device).total
    free = torch.cuda.mem_get_info()[0] if device == "cuda" else psutil.virtual_memory().available
    if needed <= free or host_status() is None:
        return False
    unload_host()
    return True


def uses_bf16(config: TrainingConfig, device: str) -> bool:
    """Tell whether the computation runs in bfloat16; on CPUs it would mostly be slower."""
    if config.precision == "auto":
        return device == "cuda" and torch.cuda.is_bf16_supported()
    return config.precision == "bf16"


def load_base(folder: Path, config: TrainingConfig, device: str) -> PreTrainedModel:
    """Load the base weights for training.

    Raises:
        KurabeError: ``training.quantised_whole``, ``training.weights``.
    """
    method = config.plugin
    ready = "quantization_config" in json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if ready and method.whole:
        raise KurabeError("training.quantised_whole", base=config.base_ref)
    compute = torch.bfloat16 if uses_bf16(config, device) else torch.float32
    options: dict[str, Any] = {"dtype": torch.float32 if method.whole else compute, "device_map": {"": _place(device)}}
    quantisation = None if ready else method.quantisation()
    if quantisation is not None:
        options["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]  # transformers leaves it untyped
            **quantisation, bnb_4bit_compute_dtype=compute
        )
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, **options
        )
    except (OSError, ValueError, ImportError) as error:
        raise KurabeError("training.weights", base=config.base_ref, detail=str(error)[:300]) from error
    if ready or quantisation is not None:
        _keep_trainable(model)
        prepare: Any = prepare_model_for_kbit_training
        model = prepare(model, use_gradient_checkpointing=config.gradient_checkpointing)
    return model


def _place(device: str) -> str | int:
    """Return where weights go: of several processes each has a GPU of its own, which its team has made its current."""
    return torch.cuda.current_device() if device == "cuda" else device


def _keep_trainable(model: PreTrainedModel) -> None:
    """Keep 4-bit layers from repacking their weights when the model answers or is evaluated on a CPU.

    On processors with AVX512-BF16, bitsandbytes 0.50 repacks a layer at its first forward in evaluation mode and from
    then on takes a kernel without a backward pass, in training too: adapters below the last layers would stop
    learning without a word.
    """
    for module in model.modules():
        layer: Any = module
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False


def attach(model: PreTrainedModel, config: TrainingConfig) -> PreTrainedModel | PeftModel:
    """Add the method's own weights to the base, drawn by the run's seed."""
    set_seed(config.seed)
    wanted = config.plugin.peft()
    if wanted is None:
        return model
    return get_peft_model(model, get_peft_config(wanted))


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load the tokenizer that TRL wants to hold; it only pads, since rows come as tokens."""
    tokenizer: Tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
