"""The starter's training: the fast network is the same network, and a run continues exactly."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner

from core.starter.__main__ import LONG_TOKENS, app
from core.starter.batches import Stream, pack
from core.starter.export import adopt, export, load_trained
from core.starter.guides import HEADS, Example, encode
from core.starter.network import PackedForward, Shape, new_network
from core.starter.source import load_source
from core.starter.tokenizer import START, load_tokenizer, save_tokenizer, train_tokenizer
from core.starter.training import (
    CHECKPOINT,
    CURVE,
    Clock,
    Settings,
    as_begun,
    curriculum_at,
    forget_after,
    guidance_at,
    guide_losses,
    rate_at,
    tokens_of,
    train,
)

TINY = Shape(width=64, layers=5, heads=4, inner=128)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that holds a small tokenizer."""
    folder = tmp_path_factory.mktemp("run")
    save_tokenizer(train_tokenizer(load_source(), vocabulary=700, count=60), folder / "tokenizer")
    return folder


def settings(run: Path, folder: Path, steps: int) -> Settings:
    """A tiny repeatable run of its own folder, with the tokenizer of ``run``."""
    save_tokenizer(load_tokenizer(run / "tokenizer"), folder / "tokenizer")
    return Settings(
        folder=str(folder),
        shape=TINY,
        steps=steps,
        processes=1,
        tokens=700,
        compiled=False,
        half=False,
        checkpoint_minutes=0.0,
        reading_minutes=1e9,
        reading_questions=2,
    )


def test_packed_forward_computes_what_qwen3_computes() -> None:
    torch.manual_seed(1)
    model = new_network(TINY, 300)
    for p in model.parameters():
        p.data += 0.05 * torch.randn_like(p)
    ids = torch.randint(4, 300, (640,))
    lengths = (20, 37, 530, 25)  # one longer than two blocks of queries
    forward = PackedForward(model)
    hidden, _ = forward(ids, lengths)
    ours = forward.logits(hidden)
    start = 0
    for n in lengths:
        theirs = model(ids[None, start : start + n]).logits[0]
        assert torch.allclose(ours[start : start + n], theirs, atol=1e-4)
        start += n


def test_a_guide_costs_minus_the_log_of_the_attention_paid_to_its_place() -> None:
    torch.manual_seed(2)
    model = new_network(TINY, 50)
    model.set_attn_implementation("eager")
    ids = torch.randint(4, 50, (30,))
    layer, head = HEADS["value"]
    _, kept = PackedForward(model)(ids, (30,), [layer])
    loss = guide_losses(kept, {"value": torch.tensor([[25, 0, 7, 9]])})["value"]
    paid = model(ids[None], output_attentions=True).attentions[layer][0, head, 25, 7:9].sum()
    assert loss.item() == pytest.approx(-paid.log().item(), rel=1e-4)


def test_packing_wastes_little_and_loses_no_conversation_that_fits() -> None:
    rng = random.Random(3)
    examples = [Example(ids=[1] * rng.randint(20, 300)) for _ in range(80)] + [Example(ids=[1] * 999)]
    bins = pack(examples, 512)
    assert sum(len(b) for b in bins) == 80
    assert all(sum(len(e.ids) for e in b) <= 512 for b in bins)
    assert sum(len(e.ids) for b in bins for e in b) > 0.9 * 512 * (len(bins) - 1)


def test_a_stream_continues_where_it_stopped(run: Path) -> None:
    tokenizer, generate = load_tokenizer(run / "tokenizer"), load_source()
    whole = Stream(generate, tokenizer, 700, "stream")
    first = [whole.next(0.2) for _ in range(4)]
    again = Stream(generate, tokenizer, 700, "stream")
    again.next(0.2)
    later = Stream(generate, tokenizer, 700, "stream", again.place)
    assert all(torch.equal(later.next(0.2).ids, batch.ids) for batch in first[1:])


def test_the_schedule_warms_up_then_falls_and_guides_fade() -> None:
    plan = Settings(folder="x", rate=0.01)
    assert rate_at(plan, 0, 0.0) == pytest.approx(0.0002)
    assert rate_at(plan, 500, 0.5) == 0.01
    assert rate_at(plan, 500, 1.0) == pytest.approx(0.0002)
    assert (guidance_at(plan, 0.1), guidance_at(plan, 0.9)) == (1.0, 0.0)
    assert (curriculum_at(plan, 0.0), curriculum_at(plan, 0.9)) == (0.0, 1.0)


def test_a_pause_uses_up_little_of_the_budget() -> None:
    at = 0.0
    clock = Clock(now=lambda: at)
    counted = 0.0
    for step in range(200):
        at += 600.0 if step == 150 else 0.5
        counted += clock.lap()
    assert 100.0 <= counted < 104.0


def test_an_interrupted_run_ends_with_the_same_weights(run: Path, tmp_path: Path) -> None:
    whole, parts = settings(run, tmp_path / "whole", 8), settings(run, tmp_path / "parts", 8)
    train(whole)
    with pytest.raises(InterruptedError):
        _stop_after(parts, 5)
    train(parts, resume=True)
    one, two = load_trained(tmp_path / "whole").state_dict(), load_trained(tmp_path / "parts").state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_resumed_run_keeps_the_schedule_that_it_began_with(run: Path, tmp_path: Path) -> None:
    begun = replace(settings(run, tmp_path, 4), curriculum=0.0, guided=(0.5, 0.8), falling=0.9)
    train(begun)
    saved = torch.load(tmp_path / CHECKPOINT, weights_only=True)["settings"]
    assert as_begun(settings(run, tmp_path, 8), saved) == replace(begun, steps=8)
    assert as_begun(begun, {"shape": {}}) == begun, "weights that were adopted have no schedule yet"


def test_one_command_makes_tokenizer_weights_and_report(tmp_path: Path) -> None:
    out, place = tmp_path / "model", tmp_path / "run"
    command = ["make", "--out", str(out), "--run", str(place), "--minutes", "0.05", "--processes", "1"]
    command += ["--count", "80", "--questions", "4", "--reading", "2", "--no-compiled"]
    made = CliRunner().invoke(app, command)
    assert made.exit_code == 0, made.output
    assert tokens_of(place) == LONG_TOKENS, "it ends with prompts as long as real ones"
    report = json.loads((out / "evaluation.json").read_text())
    assert report["questions"] == 4 and len(report["slices"]) == 6
    assert AutoModelForCausalLM.from_pretrained(out).num_parameters() > 2_000_000
    assert "practice model" in (out / "README.md").read_text()


def _stop_after(parts: Settings, steps: int) -> None:
    """Train until a checkpoint after ``steps`` steps is written, then fail as a killed process would."""
    from core.starter.training import Run

    class Stopped(Run):
        def save(self) -> None:
            super().save()
            if self.progress.step == steps:
                raise InterruptedError

    Stopped(parts, 0).train()


def test_a_curve_forgets_the_steps_that_a_resumed_run_makes_once_more(tmp_path: Path) -> None:
    curve = tmp_path / "curve.jsonl"
    curve.write_text("".join(f'{{"tokens": {tokens}}}\n' for tokens in (100, 200, 300)))
    forget_after(curve, 200)
    assert curve.read_text() == '{"tokens": 100}\n{"tokens": 200}\n'
    forget_after(tmp_path / "none.jsonl", 200)


def test_adopted_weights_count_tokens_on_and_keep_the_whole_curve(run: Path, tmp_path: Path) -> None:
    train(settings(run, tmp_path / "run", 2))
    export(tmp_path / "run", tmp_path / "model")
    first = (tmp_path / "run" / CURVE).read_text().splitlines()
    adopt(tmp_path / "model", tmp_path / "again")
    plan = settings(run, tmp_path / "again", 1)
    train(plan, extend=True)
    train(replace(plan, steps=2), resume=True)
    lines = (tmp_path / "again" / CURVE).read_text().splitlines()
    assert lines[: len(first)] == first
    tokens = [json.loads(line)["tokens"] for line in lines]
    assert tokens == sorted(tokens) and tokens[-1] > json.loads(first[-1])["tokens"]


def test_a_run_will_not_overwrite_another_unasked(run: Path, tmp_path: Path) -> None:
    plan = settings(run, tmp_path / "run", 1)
    (tmp_path / "run" / CHECKPOINT).write_bytes(b"")
    with pytest.raises(FileExistsError):
        train(plan)


def test_training_learns_in_two_processes_and_the_export_loads(run: Path, tmp_path: Path) -> None:
    plan = replace(settings(run, tmp_path / "run", 40), processes=2, checkpoint_minutes=1e9)
    train(plan)
    export(tmp_path / "run", tmp_path / "model")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello"}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    assert text["input_ids"][0, 0] == START
    out = model.generate(**text, max_new_tokens=4)
    assert out.shape[1] > text["input_ids"].shape[1]
    last = json.loads((tmp_path / "run" / CURVE).read_text().splitlines()[-1])
    assert last["step"] == 40 and "reading" in last
    example = encode(load_source()(random.Random(1), progress=0.0), load_tokenizer(tmp_path / "model"))
    ids = torch.tensor(example.ids)[None]
    learned = model(ids, labels=ids).loss
    fresh = new_network(TINY, tokenizer.vocab_size)(ids, labels=ids).loss
    assert learned < fresh - 0.5


def test_exported_weights_can_be_trained_further(run: Path, tmp_path: Path) -> None:
    train(settings(run, tmp_path / "run", 2))
    export(tmp_path / "run", tmp_path / "model")
    adopt(tmp_path / "model", tmp_path / "again")
    before = load_trained(tmp_path / "again").state_dict()
    train(settings(run, tmp_path / "again", 2), extend=True)
    after = load_trained(tmp_path / "again").state_dict()
    name = "model.layers.0.mlp.up_proj.weight"
    assert before[name].shape == after[name].shape and not torch.equal(before[name], after[name])
