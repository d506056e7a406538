"""Writes the model card of a finished starter from its measurements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.starter.evaluation import table
from core.starter.training import CURVE
from core.starter.tuning import TUNING_HEAD, tuning_table

_TEXT = """---
language: [en, ja]
license: apache-2.0
pipeline_tag: text-generation
---
# Kurabe's practice model (練習用モデル)

A very small language model ({parameters:.1f} M parameters) that Kurabe ships so that everything runs without a
GPU, a download or an account: the demo, the tests, the first adapter. It was made from nothing but Kurabe's
own generator of fictional company worlds (`core/starter`), in English and Japanese.

**It shows how approaches differ, never how much they would for a real model.** Do not use it for anything else.

## What it does
- Reads up to about five passages in the prompt that Kurabe's approaches send, answers with the value that they
  state, cites the passage as `[2]`, and says so when they do not hold the answer.
- Without passages it says that it does not know a company's private facts.
- Follows simple system prompts: one sentence, value only, list, polite or plain, JSON with given keys.
- Can be tuned with LoRA and QLoRA on a CPU.

## What it cannot do
- Know anything of the real world, reason, calculate, translate, summarise, or talk about other things.
- Read reliably what is worded unlike its training world: see "new wordings" below.
- Handle more than 2,048 tokens.

## How it was made
Qwen3 shape: width {width}, {layers} layers, {heads} heads of 64, {vocabulary} tokens, tied embeddings. {tokens:.1f} million
generated tokens in {minutes:.0f} minutes of training on 2 CPU cores; curve in `training_curve.jsonl`, way and commands in
`docs/starter.md`.

## Measured
{questions} answerable questions for each row, {passages} passages each, greedy answers, generator seed {seed}, never seen
in training. A quarter as many questions whose answer stands in no passage, and as many without any. "New wordings": both the question and
the document use constructions that training never used. In brackets: 95 % Wilson intervals.

{table}

Repeat it with `python -m core.starter evaluate --out data/starter`.
"""

_TUNING = """
## Tuned for {seconds:.0f} seconds on 2 CPU cores
On the two sample projects, 60 questions for each cell, 120 with passages; "rows with passages": share of training rows that carry them.

{table}

Repeat it with `python -m core.starter tuning --out data/starter`.
"""


def _last(curve: Path) -> dict[str, Any]:
    if not curve.exists():
        return {"tokens": 0, "minutes": 0.0}
    found: dict[str, Any] = json.loads(curve.read_text(encoding="utf-8").splitlines()[-1])
    return found


def _tuning(path: Path) -> str:
    """The section about tuning, empty where nothing was measured."""
    if not path.exists():
        return ""
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = f"{TUNING_HEAD}\n{tuning_table(found['reports'])}"
    return _TUNING.format(seconds=found["seconds"], table=rows)


def write_card(folder: Path, report: dict[str, Any]) -> None:
    """Write ``README.md`` beside the weights, with the table of ``report`` and of ``tuning.json`` if it is there."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    last = _last(folder / CURVE)
    text = _TEXT.format(
        parameters=(folder / "model.safetensors").stat().st_size / 2e6,
        width=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        vocabulary=config["vocab_size"],
        tokens=last["tokens"] / 1e6,
        minutes=last["minutes"],
        questions=report["questions"],
        passages=report["passages"],
        seed=report["seed"],
        table=table(report),
    )
    (folder / "README.md").write_text(text + _tuning(folder / "tuning.json"), encoding="utf-8")
