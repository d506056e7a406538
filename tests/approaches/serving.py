"""A real host serving the starter and one adapter, shared by all tests of a process that ask for it."""

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


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One host for all of them: starting it takes seconds, and no test leaves anything in it but loaded weights."""
    if not (DATA / "starter" / "config.json").exists():
        pytest.skip("the starter model is not there")
    served = start(tmp_path_factory.mktemp("served"))
    yield served
    served.process.terminate()
    served.process.wait(20)


def make_adapter(host: Served, name: str, strength: float) -> str:
    """Make an adapter with random weights in the host's home; strength 0 changes nothing."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from core.models import resolve_base, write_adapter_card

    folder, base = host.home / "adapters" / name, resolve_base("starter")
    folder.mkdir(parents=True)
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_pretrained(str(base.folder), dtype=torch.float32)
    tuned = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    for key, weight in tuned.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(weight, std=strength)
    tuned.save_pretrained(str(folder))
    write_adapter_card(folder, base_ref="starter", base_hash=base.hash, kind="lora", mixable=True)
    return name


@pytest.fixture(scope="session")
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
