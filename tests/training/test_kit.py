"""The take-away kit: trained in a folder that knows nothing of Kurabe, it leaves the same adapter bit for bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from peft import get_peft_config
from safetensors.torch import load_file

from core.datasets import REJECTED
from core.i18n import t
from core.jobs import log_tail, wait
from core.knowledge import IndexConfig, add_document, build_index, default_kb
from core.settings import DATA, ROOT
from core.store import tables as tb
from core.store import write
from core.training import METHODS, OBJECTIVES, export_kit, run_view, start_training
from tests.training.conftest import Begin, Known, Training
from tests.training.test_processes import TWO
from tests.training.test_runs import config

STARTER = DATA / "starter"

_ALONE = """
import os, runpy, sys
assert not [place for place in sys.path if os.path.exists(os.path.join(place, "core", "training"))], sys.path
sys.argv = ["train.py", *sys.argv[1:]]
runpy.run_path("train.py", run_name="__main__")
assert not [name for name in sys.modules if name == "core" or name.startswith("core.")]
"""
"""Runs the kit's script and proves that nothing of Kurabe could be, or was, imported."""


def unpacked(run_id: str, place: Path) -> Path:
    """The kit of a run, alone in an empty folder."""
    archive = export_kit(run_id, place / "kit.zip")
    folder = place / "elsewhere"
    with zipfile.ZipFile(archive) as packed:
        assert sorted(packed.namelist()) == [
            "README.md", "config.json", "requirements.txt", "train.jsonl", "train.py", "validation.jsonl",
        ]  # fmt: skip
        packed.extractall(folder)
    return folder


def train(python: str | Path, folder: Path) -> None:
    """Train the kit with an interpreter that sees neither Kurabe nor what this process was told."""
    kept = ("PATH", "HOME", "LANG", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "TOKENIZERS_PARALLELISM", "HF_HUB_OFFLINE")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    command = [str(python), "-I", "-c", _ALONE, str(STARTER)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def same_weights(folder: Path, home: Path, training: Training) -> None:
    whole = training.run.method == "full"
    name = "model.safetensors" if whole else "adapter_model.safetensors"
    theirs = load_file(folder / "adapter" / name)
    ours = load_file(home / ("merged" if whole else "adapters") / training.run_id / name)
    assert theirs.keys() == ours.keys()
    assert all((theirs[name] == ours[name]).all() for name in ours)


@dataclass(frozen=True)
class Kind:
    """A way to train that the kit must know."""

    method: dict[str, Any]
    objective: str = "sft"
    row_style: str = "plain"

    def begin(self, begin: Begin, known: Known, **fields: Any) -> Training:
        """Make the training, with pairs or an index where it needs them."""
        return begin(self.method, **self.needs(known), **fields)

    def needs(self, known: Known) -> dict[str, Any]:
        """Store the pairs or the index that it needs; return its fields beside the method."""
        fields: dict[str, Any] = {"objective": {"name": self.objective}, "row_style": self.row_style}
        if self.objective == "dpo":
            with write() as session:
                for row in session.query(tb.Example).filter_by(version_id=known.version):
                    row.tags = {REJECTED: json.loads(row.answer)["text"]}
        if self.row_style != "plain":
            fields["index_version_id"] = _indexed(known)
        return fields


def _indexed(known: Known) -> str:
    """Index a document for each product, so that rows get the right passage and others."""
    kb = default_kb(known.project)
    with write() as session:
        rows = list(session.query(tb.Example).filter_by(version_id=known.version))
        for row in rows:
            sentence = json.loads(row.answer)["text"]
            row.gold = [{"document": f"{sentence.split(' weighs')[0]}.md", "quote": sentence}]
    for name, sentence in {(row.gold[0]["document"], row.gold[0]["quote"]) for row in rows}:
        add_document(kb.id, name, f"# {name}\n\n{sentence}\n".encode())
    return str(build_index(kb.id, IndexConfig(embedder="none")).id)


_SMALL = {"rank": 8, "alpha": 16}
KINDS = {
    **{name: Kind({"name": name, **_SMALL}) for name in ("lora", "qlora", "dora", "rslora")},
    "prefix": Kind({"name": "prefix", "virtual_tokens": 8}),
    "full": Kind({"name": "full"}),
    "dpo": Kind({"name": "lora", **_SMALL}, "dpo"),
    "full-dpo": Kind({"name": "full"}, "dpo"),
    "raft": Kind({"name": "lora", **_SMALL}, row_style="raft"),
}


def test_every_method_and_every_way_to_train_is_among_them() -> None:
    assert {kind.method["name"] for kind in KINDS.values()} == set(METHODS.names())
    assert {kind.objective for kind in KINDS.values()} == set(OBJECTIVES.names())


@pytest.mark.parametrize("name", KINDS)
def test_a_kit_holds_what_its_way_to_train_needs(name: str, begin: Begin, known: Known, tmp_path: Path) -> None:
    kind = KINDS[name]
    training = kind.begin(begin, known)
    folder = unpacked(training.run_id, tmp_path)
    facts = json.loads((folder / "config.json").read_text())
    row = json.loads((folder / "train.jsonl").read_text().splitlines()[0])
    columns = {"prompt_ids", "chosen_ids", "rejected_ids"} if kind.objective == "dpo" else {"input_ids", "labels"}
    assert row.keys() == {"messages", *columns}
    assert facts["objective"]["name"] == kind.objective
    if facts["peft"] is not None:
        get_peft_config(facts["peft"])
    assert (facts["peft"] is None) == (kind.method["name"] == "full")
    assert (facts["quantisation"] is None) == (kind.method["name"] != "qlora")
    assert ("Documents:" in row["messages"][-2]["content"]) == (kind.row_style == "raft")


def test_the_kit_trains_the_same_adapter_with_trl_alone(begin: Begin, home: Path, tmp_path: Path) -> None:
    training = begin(epochs=2, evaluations=1)
    training.go()
    folder = unpacked(training.run_id, tmp_path)
    assert "trl==" in (folder / "requirements.txt").read_text()
    train(sys.executable, folder)
    same_weights(folder, home, training)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that is empty at first; `KIT_VENV` names one to keep."""
    folder = Path(os.environ.get("KIT_VENV") or tmp_path_factory.mktemp("kit") / "venv")
    if not (folder / "bin" / "python").exists():
        venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


@pytest.mark.kit
@pytest.mark.parametrize("name", KINDS)
def test_the_kit_needs_nothing_but_its_own_requirements(
    name: str, begin: Begin, known: Known, home: Path, tmp_path: Path, fresh: Path
) -> None:
    training = KINDS[name].begin(begin, known, epochs=2, evaluations=1)
    training.go()
    folder = unpacked(training.run_id, tmp_path)
    asked = [str(fresh), "-m", "pip", "install", "-q", "-r", "requirements.txt"]
    subprocess.run(asked, cwd=folder, check=True, timeout=3600)
    listed = subprocess.run([fresh, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True)
    names = {package["name"].lower() for package in json.loads(listed.stdout)}
    assert not {"streamlit", "lancedb", "sqlalchemy", "pytest"} & names, "the environment is the kit's alone"
    assert ROOT not in folder.parents
    train(fresh, folder)
    same_weights(folder, home, training)


@pytest.mark.kit
def test_the_kit_of_a_run_that_kept_its_best_weights_ends_where_they_are(
    begin: Begin, home: Path, tmp_path: Path
) -> None:
    # a rate far too high for so few rows: the loss falls first, then rises
    training = begin(
        {"name": "lora", "rank": 16, "alpha": 64}, learning_rate=1e-2, schedule="constant", epochs=40, evaluations=40,
        patience=3, sample_questions=1, evaluation_rows=12,
    )  # fmt: skip
    result = training.go()
    assert 0 < result["kept_step"] < result["steps"], "the best weights are not the last ones"
    folder = unpacked(training.run_id, tmp_path)
    train(sys.executable, folder)
    same_weights(folder, home, training)


@pytest.mark.kit
@pytest.mark.parametrize("name", ["lora", "qlora", "dpo"])
def test_the_kit_of_two_processes_learns_in_one_what_they_learned_by_turns(
    name: str, known: Known, home: Path, tmp_path: Path
) -> None:
    # 24 rows, 5 in each of 2 processes: the last step of an epoch has 4, and 6 that it began with
    fields = {"batch_size": 5, "epochs": 2, "evaluations": 1, "sample_questions": 0, **KINDS[name].needs(known)}
    run = start_training(known.project, config(known, method=KINDS[name].method, **fields), launcher=TWO)
    job = str(run.job_id)
    assert wait(job, timeout=400).status == "succeeded", log_tail(job)
    assert run_view(run.id).result["steps"] == 2 * 3
    folder = unpacked(run.id, tmp_path)
    assert json.loads((folder / "config.json").read_text())["processes"] == 2
    assert t("training.kit.processes", n=2) in (folder / "README.md").read_text()
    train(sys.executable, folder)
    theirs, ours = (
        load_file(place / "adapter_model.safetensors") for place in (folder / "adapter", home / "adapters" / run.id)
    )
    assert theirs.keys() == ours.keys()
    far = [name for name in ours if (theirs[name] - ours[name]).norm() > 1e-3 * ours[name].norm()]
    assert far == [], "sums are rounded in another order, and nothing else differs"
