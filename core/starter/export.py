"""Writes a trained starter as a Hugging Face folder: 16-bit safetensors, tokenizer, chat template."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import torch
from transformers import GenerationConfig, Qwen3ForCausalLM

from core.starter.network import Shape, new_network
from core.starter.tokenizer import END, PAD, START, load_tokenizer, save_tokenizer
from core.starter.training import CHECKPOINT, CURVE

LIMIT_BYTES = 24_000_000


def load_trained(run: Path) -> Qwen3ForCausalLM:
    """The model of a run's checkpoint, in 32 bit on the CPU.

    Raises:
        FileNotFoundError: The run has no checkpoint.
    """
    state = torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True)
    shape = Shape(**state["settings"]["shape"])
    model = new_network(shape, state["model"]["model.embed_tokens.weight"].shape[0])
    model.load_state_dict(state["model"])
    return model


def export(run: Path, out: Path) -> int:
    """Write the run's model to ``out`` and return the folder's size in bytes.

    The training curve goes with the weights. The model card is written by ``core.starter.card``.

    Raises:
        FileNotFoundError: The run has no checkpoint.
        ValueError: The folder came out larger than the 24 MB that the repository allows.
    """
    model = load_trained(run)
    model.to(torch.float16)  # type: ignore[arg-type]  # transformers' wrapper hides torch's signature
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]  # transformers leaves it unannotated
        bos_token_id=START, eos_token_id=END, pad_token_id=PAD, do_sample=False, max_new_tokens=128
    )
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(str(out))
    save_tokenizer(load_tokenizer(run / "tokenizer"), out)
    if (run / CURVE).exists():
        shutil.copyfile(run / CURVE, out / CURVE)
    size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    if size > LIMIT_BYTES:
        raise ValueError(f"{out} holds {size} bytes; at most {LIMIT_BYTES} may be committed")
    return size


def adopt(weights: Path, run: Path) -> None:
    """Make a run folder from exported weights, so that training can be extended from a checkout.

    The optimizer starts afresh: its state is ten times the weights and not kept in the repository. Tokens and minutes
    are counted on from where the curve ends.
    """
    from dataclasses import asdict

    model = Qwen3ForCausalLM.from_pretrained(str(weights), dtype=torch.float32)
    config = model.config
    shape = Shape(config.hidden_size, config.num_hidden_layers, config.num_attention_heads, config.intermediate_size)
    run.mkdir(parents=True, exist_ok=True)
    save_tokenizer(load_tokenizer(weights), run / "tokenizer")
    if (weights / CURVE).exists():
        shutil.copyfile(weights / CURVE, run / CURVE)
    temporary = run / "checkpoint.tmp"
    state = {"model": model.state_dict(), "settings": {"shape": asdict(shape)}, "progress": _told_by(run / CURVE)}
    torch.save(state, temporary)
    os.replace(temporary, run / CHECKPOINT)


def _told_by(curve: Path) -> dict[str, float]:
    """How far a curve's training had come, as a checkpoint tells it."""
    if not curve.exists():
        return {}
    last = json.loads(curve.read_text(encoding="utf-8").splitlines()[-1])
    return {"tokens": last["tokens"], "total_seconds": 60 * last["minutes"]}
