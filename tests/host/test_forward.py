"""Rows that step together write exactly what each writes alone, for every kind of attention, or step alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma3TextConfig,
    GptOssConfig,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3NextConfig,
)

from core.host.attention import CohortLayer, Seat
from core.host.forward import Forward, Known
from core.settings import DATA

SMALL: dict[str, Any] = {
    "vocab_size": 200,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "eos_token_id": 199,
    "bos_token_id": 1,
}

KINDS = {
    "grouped heads": (LlamaConfig(**SMALL), True),
    "biases": (Qwen2Config(**SMALL), True),
    "sliding window": (MistralConfig(**SMALL, sliding_window=8), True),
    "sliding and full layers": (Gemma3TextConfig(**SMALL, sliding_window=8), True),
    "capped scores": (Gemma2Config(**SMALL, sliding_window=8), False),
    "sinks": (GptOssConfig(**SMALL, num_local_experts=4, num_experts_per_tok=2, sliding_window=8), False),
    "linear attention": (
        Qwen3NextConfig(
            **SMALL,
            layer_types=["linear_attention", "full_attention", "linear_attention"],
            num_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=32,
            shared_expert_intermediate_size=32,
            linear_num_key_heads=2,
            linear_num_value_heads=2,
            linear_key_head_dim=16,
            linear_value_head_dim=16,
        ),
        False,
    ),
}

PROMPTS = [[5, 9, 11], [42], list(range(20, 60)), [7] * 12, list(range(100, 120))]
STEPS = 24


def make(config: Any) -> Any:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        # Freshly drawn weights answer nearly the same whatever they read; larger ones let every position matter.
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(4)
    return model


def written_alone(model: Any, prompt: list[int]) -> list[int]:
    out = model.generate(
        input_ids=torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=STEPS,
        min_new_tokens=STEPS,
        do_sample=False,
        eos_token_id=None,
    )
    return list(out[0, len(prompt) :].tolist())


def written_together(forward: Forward) -> list[list[int]]:
    caches = forward.read(PROMPTS, max(map(len, PROMPTS)) + STEPS)
    rows = [[prompt[-1]] for prompt in PROMPTS]
    for _ in range(STEPS):
        logits = forward.step([row[-1] for row in rows], caches)
        for row, token in zip(rows, logits.argmax(-1).tolist(), strict=True):
            row.append(token)
    return [row[1:] for row in rows]


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_writes_what_transformers_writes_alone(kind: str) -> None:
    config, together = KINDS[kind]
    model = make(config)
    expected = [written_alone(model, prompt) for prompt in PROMPTS]
    forward = Forward(model)
    assert forward.prove() is together
    assert written_together(forward) == expected
    assert len({tuple(row) for row in expected}) > 1


def test_the_starter_steps_together() -> None:
    model = AutoModelForCausalLM.from_pretrained(DATA / "starter", dtype=torch.float32).eval()
    expected = [written_alone(model, prompt) for prompt in PROMPTS]
    forward = Forward(model)
    assert forward.prove() is True
    assert written_together(forward) == expected


@pytest.mark.parametrize("kind", [kind for kind, (_, together) in KINDS.items() if together])
def test_a_beginning_that_another_row_read_is_taken_over_without_a_change(kind: str) -> None:
    model = make(KINDS[kind][0])
    forward = Forward(model)
    assert forward.prove()
    first, second = [*range(20, 60)], [*range(20, 50), 7, 3, 90]
    expected = written_alone(model, second)
    [other] = forward.read([first], len(first) + STEPS)
    assert isinstance(other, Seat)
    [cache] = forward.read([second], len(second) + STEPS, known=Known(other.states(), 30))
    row = [second[-1]]
    for _ in range(STEPS):
        row.append(int(forward.step([row[-1]], [cache]).argmax()))
    assert row[1:] == expected
    assert written_alone(model, [*range(20, 49), 88, 7, 3, 90]) != expected


@pytest.mark.parametrize("kind", ["grouped heads", "biases", "sliding window"])
def test_rows_that_keep_a_beginning_once_write_what_each_writes_alone(kind: str) -> None:
    model = make(KINDS[kind][0])
    forward = Forward(model)
    assert forward.prove()
    common = [*range(20, 50)]
    prompts = [[*common, 9], [*common, 7, 3, 90], [*common, 7, 3, 90], [*common, 8], [*common[:12], 60, 61], [42, 5]]
    # which earlier row is known, and for how many tokens: the second time longer, then shorter than what is kept
    known = [None, (0, 30), (1, 32), (2, 30), (3, 12), None]
    caches: list[Any] = []
    for prompt, read in zip(prompts, known, strict=True):
        shared = Known(caches[read[0]].states(), read[1], once=True) if read else None
        caches += forward.read([prompt], len(prompt) + STEPS, known=shared)
    if kind != "sliding window":
        kept = [cache.cohort.beginning for cache in caches]
        assert kept[2] is kept[1] is not kept[4]
    rows = [[prompt[-1]] for prompt in prompts]
    for _ in range(STEPS):
        tokens = forward.step([row[-1] for row in rows], caches).argmax(-1).tolist()
        for row, token in zip(rows, tokens, strict=True):
            row.append(token)
    expected = [written_alone(model, prompt) for prompt in prompts]
    assert [row[1:] for row in rows] == expected
    assert len({tuple(row) for row in expected}) > 3


def test_a_row_that_leaves_and_one_that_joins_do_not_touch_the_others() -> None:
    model = make(KINDS["sliding and full layers"][0])
    expected = [written_alone(model, prompt) for prompt in PROMPTS]
    forward = Forward(model)
    assert forward.prove()
    rows: dict[int, list[int]] = {}
    caches: dict[int, Any] = {}
    for moment in range(STEPS + 12):
        joining = {0: 0, 2: 1, 7: 2, 11: 3, 12: 4}.get(moment)
        if joining is not None:
            [caches[joining]] = forward.read([PROMPTS[joining]], len(PROMPTS[joining]) + STEPS)
            rows[joining] = [PROMPTS[joining][-1]]
        active = [row for row in rows if len(rows[row]) <= STEPS]
        if active:
            logits = forward.step([rows[row][-1] for row in active], [caches[row] for row in active])
            for row, token in zip(active, logits.argmax(-1).tolist(), strict=True):
                rows[row].append(token)
    assert [rows[index][1:] for index in range(len(PROMPTS))] == expected


def test_rows_that_leave_a_cohort_give_their_memory_back_and_do_not_touch_the_others() -> None:
    model = make(KINDS["sliding and full layers"][0])
    expected = [written_alone(model, prompt) for prompt in PROMPTS]
    forward = Forward(model)
    assert forward.prove()
    capacity = max(map(len, PROMPTS)) + STEPS
    places = dict(enumerate(forward.read(PROMPTS, capacity)))
    rows = {row: [prompt[-1]] for row, prompt in enumerate(PROMPTS)}
    cohort, freed = places[0].cohort, []
    leaving = {3: [1], 8: [0, 4], 15: [2], STEPS: [3]}
    for moment in range(1, STEPS + 1):
        active = sorted(places)
        logits = forward.step([rows[row][-1] for row in active], [places[row] for row in active])
        for row, token in zip(active, logits.argmax(-1).tolist(), strict=True):
            rows[row].append(token)
        if gone := leaving.get(moment):
            freed.append(cohort.leave([places.pop(row) for row in gone]) // capacity)
            assert [rows[row][1:] for row in gone] == [expected[row][:moment] for row in gone]
    assert freed == [0, 3, 1, 1], "at half and less the rest moves into less memory"


def test_what_memory_held_behind_the_end_of_a_line_is_never_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make(KINDS["sliding and full layers"][0])
    expected = [written_alone(model, prompt) for prompt in PROMPTS]
    forward = Forward(model)
    assert forward.prove()
    allocate = CohortLayer.lazy_initialization

    def poisoned(layer: CohortLayer, keys: torch.Tensor, values: torch.Tensor) -> None:
        allocate(layer, keys, values)
        assert layer.keys is not None and layer.values is not None
        layer.keys.fill_(float("nan"))
        layer.values.fill_(float("nan"))

    monkeypatch.setattr(CohortLayer, "lazy_initialization", poisoned)
    assert written_together(forward) == expected
