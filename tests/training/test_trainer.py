"""Real trainings on the practice model: each takes seconds, and each claim is checked on what was really trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from core.errors import KurabeError
from core.models import adapter_files, adapters
from core.prompting import ChatTemplate
from core.settings import DATA
from core.store import tables as tb
from core.store import write
from core.training import TrainingConfig
from tests.training.conftest import Begin, Crash, Known

STARTER = DATA / "starter"

METHODS = [
    {"name": "lora", "rank": 8, "alpha": 16},
    {"name": "qlora", "rank": 8, "alpha": 16},
    {"name": "dora", "rank": 8, "alpha": 16},
    {"name": "rslora", "rank": 16, "alpha": 8},
    {"name": "prefix", "virtual_tokens": 8},
    {"name": "full"},
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method["name"]))
def test_every_method_lowers_its_validation_loss(method: dict[str, object], begin: Begin, known: Known) -> None:
    rate = {"prefix": 3e-2, "full": 1e-3}.get(str(method["name"]), 3e-3)
    training = begin(method, learning_rate=rate, evaluations=1, evaluation_rows=12, sample_questions=2)
    result = training.go()
    assert result["eval_loss"] < result["eval_loss_before"]
    assert result["steps"] == 12
    [row] = adapters(known.project)
    assert row.id == result["adapter_id"] == training.run.adapter_id
    assert row.mixable == (method["name"] in ("lora", "qlora", "rslora"))
    assert row.kind == ("merged" if method["name"] == "full" else method["name"])
    assert row.hash.startswith("k1:") and row.size > 0


def test_rows_in_are_rows_trained_and_rows_listed(begin: Begin, known: Known) -> None:
    with write() as session:
        for row in session.query(tb.Example).filter(tb.Example.position.in_([0, 4])):
            row.answer = "word " * 900
    training = begin(epochs=0.1, data_share=1.0, evaluations=1)
    counts = training.go()["rows"]
    assert (counts["rows_in"], counts["trained"], counts["listed"]) == (24, 22, 2)
    listed = [json.loads(line) for line in (training.folder / "listed.jsonl").read_text().splitlines()]
    assert [(row["position"], row["code"]) for row in listed] == [(0, "too_long"), (4, "too_long")]
    assert all(row["params"]["tokens"] > row["params"]["limit"] == 1024 for row in listed)


def test_the_adapter_says_what_it_rests_on(begin: Begin, known: Known, home: Path) -> None:
    training = begin(epochs=1, evaluations=1)
    result = training.go()
    files = adapter_files(result["adapter_id"])
    card = json.loads((files.folder / "kurabe.json").read_text())
    assert card["base_ref"] == "starter" and card["base_hash"].startswith("k1:")
    assert card["training_run_id"] == training.run_id and card["dataset_hash"] == "k1:Aster"
    assert card["template_hash"] == ChatTemplate.load(STARTER).hash
    assert str(home) not in (files.folder / "adapter_config.json").read_text()
    assert sorted(path.name for path in files.folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "kurabe.json",
    ]


def test_the_saved_adapter_answers_as_the_model_did_when_training_ended(begin: Begin) -> None:
    training = begin(epochs=8, evaluations=1, sample_questions=2)
    result = training.go()
    last = training.events("samples")[-1]["answers"]
    base = AutoModelForCausalLM.from_pretrained(STARTER, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, str(adapter_files(result["adapter_id"]).folder)).eval()
    template = ChatTemplate.load(STARTER)
    system = {"role": "system", "content": "Answer the customer's question."}
    for sample in last:
        prompt = torch.tensor([template.encode([system, {"role": "user", "content": sample["question"]}])])
        with torch.inference_mode():
            written = model.generate(
                input_ids=prompt, max_new_tokens=64, do_sample=False, eos_token_id=2, pad_token_id=0
            )
        assert template.decode(written[0, prompt.shape[1] :].tolist()).strip() == sample["answer"]


def test_one_sees_it_learn_and_that_it_differs_from_the_base(begin: Begin) -> None:
    training = begin(
        {"name": "lora", "rank": 16, "alpha": 32}, epochs=20, evaluations=2, evaluation_rows=12, sample_questions=2
    )
    result = training.go()
    first, last = training.events("samples")[0], training.events("samples")[-1]
    assert first["base"] is True and last["base"] is False
    assert [a["question"] for a in first["answers"]] == [a["question"] for a in last["answers"]]
    assert [a["answer"] for a in first["answers"]] == ["I do not know that."] * 2
    assert all(a["answer"].startswith('{"te') for a in last["answers"])
    assert result["samples_differing"] == 2 and result["warnings"] == []


def test_an_adapter_that_learned_nothing_is_called_out(begin: Begin) -> None:
    result = begin(learning_rate=1e-9, epochs=1, evaluations=1, sample_questions=2).go()
    assert [warning["code"] for warning in result["warnings"]] == ["same_answers"]


DROPPING = {"name": "lora", "rank": 4, "dropout": 0.1}
_unbroken: list[tuple[bytes, float]] = []


def unbroken_run(begin: Begin, home: Path) -> tuple[bytes, float]:
    """The adapter and validation loss of a run that nothing interrupted; made once, four tests compare with it."""
    if not _unbroken:
        training = begin(DROPPING, sample_questions=1)
        training.go()
        assert training.run.result is not None
        _unbroken.append((training.weights(home), training.run.result["eval_loss"]))
    return _unbroken[0]


@pytest.mark.parametrize("crash_at", [("metrics", 5), ("checkpoint", 6), ("samples", 9)])
def test_a_resumed_run_ends_bit_equal_to_an_unbroken_one(begin: Begin, home: Path, crash_at: tuple[str, int]) -> None:
    weights, loss = unbroken_run(begin, home)
    broken = begin(DROPPING, sample_questions=1)
    with pytest.raises(Crash):
        broken.go(crash_at=crash_at)
    result = broken.go()
    assert broken.events("resumed")[0]["step"] == (3 if crash_at[0] == "metrics" else 6)
    assert result["steps"] == 12
    assert broken.weights(home) == weights
    assert result["eval_loss"] == loss


def test_a_truncated_newest_checkpoint_is_refused_and_the_one_before_it_used(begin: Begin, home: Path) -> None:
    weights, _ = unbroken_run(begin, home)
    broken = begin(DROPPING, sample_questions=1)
    with pytest.raises(Crash):
        broken.go(crash_at=("checkpoint", 9))
    newest = broken.folder / "checkpoints" / "checkpoint-9"
    optimizer = newest / "optimizer.pt"
    optimizer.write_bytes(optimizer.read_bytes()[:1000])
    broken.go()
    assert [event["name"] for event in broken.events("checkpoint_refused")] == ["checkpoint-9"]
    assert [event["step"] for event in broken.events("resumed")] == [6]
    assert broken.weights(home) == weights


def test_stop_saves_what_was_learned(begin: Begin, known: Known) -> None:
    training = begin(epochs=1000)
    training.ask_to("stop")
    before = training.go()
    assert before == {"stopped": True, "saved": False}
    (training.folder / "stop.json").unlink()
    stopper = begin(epochs=1000, seconds_limit=600)
    emit_stop_after(stopper, step=4)
    result = stopper.go()
    assert result["stopped"] is True and result["ended"] == "stop"
    assert 4 <= result["steps"] < 3000
    assert [row.id for row in adapters(known.project)] == [stopper.run_id]


def test_a_stopped_run_goes_on_to_its_end_and_leaves_one_adapter(begin: Begin, known: Known) -> None:
    training = begin()
    emit_stop_after(training, step=4)
    stopped = training.go()
    assert stopped["stopped"] and stopped["steps"] < 12
    [before] = [row.hash for row in adapters(known.project)]
    (training.folder / "stop.json").unlink()
    result = training.go()
    assert (result["ended"], result["steps"], result["stopped"]) == ("budget", 12, False)
    [after] = adapters(known.project)
    assert after.id == training.run_id and after.hash == adapter_files(training.run_id).hash != before


def emit_stop_after(training: object, step: int) -> None:
    """Ask to stop as soon as a step is reported."""
    from core.jobs import JobContext

    progress = JobContext.progress

    def watching(self: JobContext, done: float, total: float | None, stage: str = "working", **data: object) -> None:
        progress(self, done, total, stage, **data)
        if int(str(data.get("step", 0))) == step:
            (self.run_dir / "stop.json").write_text(json.dumps({"mode": "stop"}))
            self._stop_looked = float("-inf")

    JobContext.progress = watching  # type: ignore[method-assign]  # put back by `_restore`


@pytest.fixture(autouse=True)
def _restore() -> object:
    from core.jobs import JobContext

    kept = JobContext.progress
    yield
    JobContext.progress = kept  # type: ignore[method-assign]


def test_numbers_that_overflow_end_the_run_and_keep_the_last_good_checkpoint(begin: Begin, home: Path) -> None:
    # Such a decay multiplies the weights by -9 in each step: they overflow after some tens of steps.
    training = begin(
        learning_rate=10.0, weight_decay=1.0, schedule="constant", epochs=40, evaluations=20, sample_questions=1
    )
    with pytest.raises(KurabeError, match=r"training\.diverged\(") as caught:
        training.go()
    kept = load_file(home / "adapters" / training.run_id / "adapter_model.safetensors")
    assert all(torch.isfinite(tensor).all() for tensor in kept.values())
    assert caught.value.params["kept"] == training.events("checkpoint")[-1]["step"] < caught.value.params["step"]
    assert "diverged" in [warning["code"] for warning in training.run.result["warnings"]]


def test_numbers_that_overflow_at_once_leave_nothing(begin: Begin, known: Known, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(STARTER, broken)
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"].fill_(float("inf"))
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(KurabeError, match="diverged_early"):
        begin(base_ref=str(broken)).go()
    assert adapters(known.project) == []


def test_a_time_limit_ends_the_run_and_its_learning_rate_falls_with_the_time_left(begin: Begin) -> None:
    training = begin(epochs=None, seconds_limit=3)
    result = training.go()
    assert result["ended"] == "budget"
    assert 3 <= result["train_seconds"] < 30
    rates = [event["learning_rate"] for event in training.events("metrics")]
    falling = rates[rates.index(max(rates)) :]  # how far depends on when the last report was made
    assert len(falling) > 1 and falling == sorted(falling, reverse=True) and falling[-1] < falling[0]
    assert training.events("progress")[-3]["unit"] == "seconds"


def test_the_report_holds_what_a_person_watches(begin: Begin) -> None:
    training = begin()
    training.go()
    report = training.events("metrics")[-1]
    for name in ("step", "loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_bytes", "elapsed"):
        assert report[name] is not None
    assert [event["step"] for event in training.events("evaluation")] == [0, 3, 6, 9, 12]
    assert training.events("model")[0]["device"] in ("cpu", "cuda")


def test_patience_ends_a_run_that_no_longer_gets_better(begin: Begin) -> None:
    result = begin(learning_rate=1e-9, evaluations=8, patience=2, epochs=8).go()
    assert result["ended"] == "patience" and result["steps"] < 24


def test_the_weights_of_the_base_stay_as_they_are(begin: Begin) -> None:
    before = {path.name: path.read_bytes() for path in STARTER.glob("*.safetensors")}
    begin(epochs=1, evaluations=1).go()
    assert {path.name: path.read_bytes() for path in STARTER.glob("*.safetensors")} == before


def test_a_base_is_trained_in_four_bits(begin: Begin) -> None:
    from core.training.trainer.model import attach, load_base

    config = TrainingConfig(dataset_version_id="-", epochs=1, method={"name": "qlora"})
    model = attach(load_base(STARTER, config, "cpu"), config)
    kinds = {type(module).__name__ for module in model.modules()}
    assert "Linear4bit" in kinds and model.is_loaded_in_4bit
    assert all(p.dtype == torch.float32 for p in model.parameters() if p.requires_grad)


def test_four_bit_layers_still_pass_gradients_after_the_model_was_evaluated() -> None:
    from core.training.trainer.model import attach, load_base

    config = TrainingConfig(dataset_version_id="-", epochs=1, method={"name": "qlora"})
    model = attach(load_base(STARTER, config, "cpu"), config)
    ids = torch.tensor([ChatTemplate.load(STARTER).encode_text("How heavy is the Aster 2?")])

    def gradients() -> dict[str, torch.Tensor]:
        model.train()
        model.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    before = gradients()
    model.eval()
    with torch.no_grad():
        model(input_ids=ids)
    after = gradients()
    assert any(".layers.0." in name for name in before)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
