"""The take-away kit: trained in a folder that knows nothing of Kurabe, it leaves the same adapter bit for bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from safetensors.torch import load_file

from core.settings import DATA, ROOT
from core.training import export_kit
from tests.training.conftest import Begin, Training

STARTER = DATA / "starter"

_ALONE = """
import os, runpy, sys
assert not [place for place in sys.path if os.path.exists(os.path.join(place, "core", "training"))], sys.path
sys.argv = ["train.py", *sys.argv[1:]]
runpy.run_path("train.py", run_name="__main__")
assert not [name for name in sys.modules if name == "core" or name.startswith("core.")]
"""
"""Runs the kit's script and proves that nothing of Kurabe could be, or was, imported."""


def unpacked(training: Training, place: Path) -> Path:
    """The kit of a run, alone in an empty folder."""
    archive = export_kit(training.run_id, place / "kit.zip")
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
    theirs = load_file(folder / "adapter" / "adapter_model.safetensors")
    ours = load_file(home / "adapters" / training.run_id / "adapter_model.safetensors")
    assert theirs.keys() == ours.keys()
    assert all((theirs[name] == ours[name]).all() for name in ours)


def test_the_kit_trains_the_same_adapter_with_trl_alone(begin: Begin, home: Path, tmp_path: Path) -> None:
    training = begin(epochs=2, evaluations=1)
    training.go()
    folder = unpacked(training, tmp_path)
    assert "trl==" in (folder / "requirements.txt").read_text()
    train(sys.executable, folder)
    same_weights(folder, home, training)


@pytest.mark.kit
@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_the_kit_needs_nothing_but_its_own_requirements(method: str, begin: Begin, home: Path, tmp_path: Path) -> None:
    training = begin({"name": method, "rank": 8, "alpha": 16}, epochs=2, evaluations=1)
    training.go()
    folder = unpacked(training, tmp_path)
    fresh = Path(os.environ.get("KIT_VENV", tmp_path / "venv"))
    python = fresh / "bin" / "python"
    if not python.exists():
        venv.create(fresh, with_pip=True)
    asked = [str(python), "-m", "pip", "install", "-q", "-r", "requirements.txt"]
    subprocess.run(asked, cwd=folder, check=True, timeout=3600)
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True)
    names = {package["name"].lower() for package in json.loads(listed.stdout)}
    assert not {"streamlit", "lancedb", "sqlalchemy", "pytest"} & names, "the environment is the kit's alone"
    assert ROOT not in folder.parents
    train(python, folder)
    same_weights(folder, home, training)
