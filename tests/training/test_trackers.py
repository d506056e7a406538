"""A run's curves in TensorBoard files always, in other trackers by setting; one that fails ends no training."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from core.errors import KurabeError
from core.settings import reset_settings, settings
from tests.training.conftest import Begin, Crash

WANDB = """
import json, os, pathlib
class Run:
    def __init__(self, **told): self.told, self.rows = told, []
    def log(self, values, step): self.rows.append([step, values])
    def finish(self):
        told = {**self.told, "key": os.environ["WANDB_API_KEY"], "rows": self.rows}
        pathlib.Path(os.environ["SEEN_BY_TRACKER"]).write_text(json.dumps(told))
def init(**told): return Run(**told)
"""
"""The three calls that Kurabe makes, with the library's own signatures."""


def curves(folder: Path) -> dict[str, dict[int, float]]:
    """Read event files as TensorBoard does: length, checksum, record, checksum."""
    found: dict[str, dict[int, float]] = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for event in records(path.read_bytes()):
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def records(data: bytes) -> Iterator[Event]:
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        yield Event.FromString(data[12 : 12 + length])
        data = data[16 + length :]


def test_every_run_leaves_its_curves_as_tensorboard_files(begin: Begin) -> None:
    training = begin(epochs=2, evaluations=2)
    with pytest.raises(Crash):
        training.go(crash_at=("checkpoint", 3))
    training.go()
    found = curves(training.folder / "tensorboard")
    told = {event["step"]: event["eval_loss"] for event in training.events("evaluation")}
    assert set(found["eval_loss"]) == set(told) == {0, 3, 6}
    assert found["eval_loss"] == pytest.approx(told)
    assert {"loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_bytes"} <= found.keys()


def test_weights_and_biases_gets_configuration_and_curves_with_a_key_given_by_name(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wandb.py").write_text(WANDB)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    for name, value in {
        "KURABE_TRACKERS": "wandb",
        "WANDB_API_KEY": "k" * 20,
        "SEEN_BY_TRACKER": str(tmp_path / "s"),
    }.items():
        monkeypatch.setenv(name, value)
    reset_settings()
    training = begin(epochs=1, evaluations=1)
    assert "tracker" not in {warning["code"] for warning in training.go()["warnings"]}
    seen = json.loads((tmp_path / "s").read_text())
    assert (seen["id"], seen["name"], seen["resume"], seen["key"]) == (training.run_id, "test", "allow", "k" * 20)
    assert seen["config"]["epochs"] == 1 and "k" * 20 not in json.dumps(seen["config"])
    assert [step for step, values in seen["rows"] if "eval_loss" in values] == [0, 3]


def test_a_tracker_that_cannot_be_used_is_a_warning_and_no_end(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_TRACKERS", "mlflow")
    monkeypatch.setitem(sys.modules, "mlflow", None)  # as if it were not installed
    reset_settings()
    result = begin(epochs=1, evaluations=1).go()
    [warning] = [warning for warning in result["warnings"] if warning["code"] == "tracker"]
    assert warning["params"]["tracker"] == "mlflow" and result["steps"] == 3


def test_an_unknown_tracker_is_refused_by_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_TRACKERS", "wandb, comet")
    reset_settings()
    with pytest.raises(KurabeError, match="comet"):
        settings()
    monkeypatch.setenv("KURABE_TRACKERS", "wandb, mlflow")
    reset_settings()
    assert settings().tracker_names == ("wandb", "mlflow")
