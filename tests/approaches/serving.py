"""A real host serving the starter and one adapter, shared by the tests of a module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.settings import DATA, ROOT, reset_settings

ADAPTER = "0192-test-adapter"

_MAKE_ADAPTER = """
import sys, torch
from pathlib import Path
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM
from core.models import resolve_base, write_adapter_card
folder = Path(sys.argv[1])
torch.manual_seed(3)
model = AutoModelForCausalLM.from_pretrained(str(resolve_base("starter").folder), dtype=torch.float32)
tuned = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
for name, weight in tuned.named_parameters():
    if "lora_B" in name:
        torch.nn.init.normal_(weight, std=float(sys.argv[2]))
tuned.save_pretrained(folder)
write_adapter_card(folder, base_ref="starter", base_hash=resolve_base("starter").hash, kind="lora", mixable=True)
"""


@dataclass(frozen=True)
class Served:
    """Where the host listens and with which key."""

    url: str
    key: str
    home: Path
    process: subprocess.Popen[bytes]


def start(home: Path) -> Served:
    """Start a host in a home of its own and wait until it listens."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KURABE_")}
    environment |= {"KURABE_HOME": str(home), "KURABE_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (home / "host.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.host"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    record = home / "run" / "host.json"
    for _ in range(6000):
        if process.poll() is not None:
            raise RuntimeError((home / "host.log").read_text())
        if record.exists() and "port" in (found := json.loads(record.read_text())):
            return Served(f"http://127.0.0.1:{found['port']}/v1", found["token"], home, process)
        time.sleep(0.1)
    process.kill()
    raise RuntimeError("the host did not start")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One host for the module."""
    if not (DATA / "starter" / "config.json").exists():
        pytest.skip("the starter model is not there")
    served = start(tmp_path_factory.mktemp("served"))
    yield served
    served.process.terminate()
    served.process.wait(20)


def make_adapter(host: Served, name: str, strength: float) -> str:
    """Make an adapter with random weights in the host's home, in a process of its own; strength 0 changes nothing."""
    folder = host.home / "adapters" / name
    folder.mkdir(parents=True)
    environment = {**os.environ, "KURABE_HOME": str(host.home), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, "-c", _MAKE_ADAPTER, str(folder), str(strength)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=900)
    return name


@pytest.fixture(scope="module")
def adapter_id(host: Served) -> str:
    """An adapter strong enough to change what any weights would say."""
    return make_adapter(host, ADAPTER, 4.0)


@pytest.fixture
def served(host: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """Let this test's home use the module's host."""
    monkeypatch.setenv("KURABE_MODEL_URL", host.url)
    monkeypatch.setenv("KURABE_MODEL_KEY", host.key)
    reset_settings()
    return host
