"""What padding costs, and what packing rows would save: ``python -m tests.benchmarks.padding``.

Counts the places of a batch that hold no token, on the rows of both samples as the trainer gets them: drawn at random,
in the trainer's own order (rows of like length share a batch), and packed first-fit into bins of the longest row's
length and of the most that a row may have.
Then times forward and backward passes of the practice model over the same tokens, packed and padded in turn: packed
rows need a mask that keeps them apart, and each place then looks at all of its row's places.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.knowledge import IndexConfig, build_index, default_kb
from core.projects import load_sample
from core.prompting import ChatTemplate
from core.settings import DATA
from core.training import ROW_STYLES, TrainingConfig, prepare_rows
from core.training.trainer.order import RowOrder
from tests.benchmarks.pairing import paired
from tests.benchmarks.world import home

STARTER = DATA / "starter"
BATCH = 8


def wasted(lengths: Sequence[int], order: Sequence[int], batch: int = BATCH) -> float:
    """Return the share of a pass's places that are padding: each batch is as wide as its longest row."""
    batches = [[lengths[row] for row in order[i : i + batch]] for i in range(0, len(order), batch)]
    return 1 - sum(lengths) / sum(max(part) * len(part) for part in batches)


def packed(lengths: Sequence[int], width: int) -> list[list[int]]:
    """Return rows put together first-fit, longest first, into bins of `width` places."""
    bins: list[list[int]] = []
    free: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        place = next((n for n, left in enumerate(free) if left >= lengths[row]), None)
        if place is None:
            bins.append([row])
            free.append(width - lengths[row])
        else:
            bins[place].append(row)
            free[place] -= lengths[row]
    return bins


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20, help="packed and padded passes that are timed; 0: none")
    parser.add_argument("--language", choices=["en", "ja"], nargs="+", default=["en", "ja"])
    parser.add_argument("--style", choices=ROW_STYLES, nargs="+", default=ROW_STYLES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, home(Path(scratch)):
        for language in options.language:
            project = load_sample(language)
            index = build_index(default_kb(project.id).id, IndexConfig(embedder="none")).id
            for style in options.style:
                rows, limit = _rows(project, style, index)
                _count(f"{language} {style}", [len(row) for row in rows], limit)
                if options.pairs:
                    _time(f"{language} {style}", rows, options.pairs)


def _rows(project: Any, style: str, index: str) -> tuple[list[list[int]], int]:
    """Return the tokens of the training rows, and the most that a row may have."""
    config = TrainingConfig.preset(project.id, row_style=style, index_version_id=index)
    found = prepare_rows(config, ChatTemplate.load(STARTER), project.language)
    return [row.tokens.input_ids for row in found.train], config.max_length


def _count(name: str, lengths: list[int], limit: int) -> None:
    orders = [RowOrder(lengths, BATCH, seed) for seed in range(10)]
    grouped = sum(wasted(lengths, list(order)) for order in orders) / len(orders)
    drawn = sum(wasted(lengths, random.Random(seed).sample(range(len(lengths)), len(lengths))) for seed in range(10))
    bins = {width: packed(lengths, width) for width in (max(lengths), limit)}
    empty = {width: 1 - sum(lengths) / (len(found) * width) for width, found in bins.items()}
    _say(
        f"{name}: {len(lengths)} rows of {min(lengths)} to {max(lengths)} tokens; padding {drawn / 10:.1%} at random, "
        f"{grouped:.1%} in the trainer's order; packed "
        + ", ".join(f"into {width} places {share:.1%}" for width, share in empty.items())
    )


def _time(name: str, rows: list[list[int]], pairs: int) -> None:
    """Time the same tokens padded and packed; print how many times as long packed takes."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(STARTER, dtype=torch.float32, attn_implementation="sdpa").train()
    order = list(RowOrder([len(row) for row in rows], BATCH, 0))
    seconds: list[list[float]] = [[], []]
    worst = 0.0
    for number in range(pairs + 2):
        start = number * BATCH % (len(rows) - BATCH)
        part = [rows[row] for row in order[start : start + BATCH]]
        losses = []
        for side, batch in enumerate((_padded(part), _packed(part))):
            begun = time.perf_counter()
            losses.append(_step(model, batch))
            if number >= 2:
                seconds[side].append(time.perf_counter() - begun)
        worst = max(worst, abs(losses[0] - losses[1]) / losses[0])
    _say(f"{name}: packed / padded, time of a step: {paired(seconds[1], seconds[0])}; losses differ by {worst:.0e}")


def _padded(part: list[list[int]]) -> dict[str, Any]:
    import torch

    width = max(map(len, part))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in part])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in part])
    return {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, -100)}


def _packed(part: list[list[int]]) -> dict[str, Any]:
    """One row of all of them: places begin anew in each, and a mask keeps each from seeing the ones before it."""
    import torch

    of = torch.tensor([number for number, row in enumerate(part) for _ in row])
    places = torch.tensor([place for row in part for place in range(len(row))])
    seen = (of[:, None] == of[None, :]) & (places[:, None] >= places[None, :])
    ids = torch.tensor([[token for row in part for token in row]])
    # the first token of each row is nobody's answer, as in a row of its own
    labels = ids.masked_fill((places == 0)[None], -100)
    return {"input_ids": ids, "attention_mask": seen[None, None], "position_ids": places[None], "labels": labels}


def _step(model: Any, batch: dict[str, Any]) -> float:
    model.zero_grad(set_to_none=True)
    loss = model(**batch, use_cache=False).loss
    loss.backward()
    return float(loss)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
