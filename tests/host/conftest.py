"""A running host with adapters and a merged model, shared by the tests of a module; small models of other kinds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from openai import OpenAI
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.models import Endpoint, resolve_base, write_adapter_card
from core.settings import DATA, ROOT

STARTER = DATA / "starter"

QUESTIONS = [
    "What is the price of the Blue Lamp?",
    "How heavy is the Red Chair?",
    "Documents:\n[1] Red Chair\nThe weight of the Red Chair is 7 kg. The price of the Red Chair is $40.\n\n"
    "[2] Blue Lamp\nThe weight of the Blue Lamp is 3 kg.\n\nQuestion: How heavy is the Blue Lamp?",
    "資料:\n[1] 青いランプ\n青いランプの重さは3kgです。\n\n質問: 青いランプの重さは?",
    "Hello",
    "Where is the Silver Kettle made, and what does it cost?",
]


@dataclass(frozen=True)
class RunningHost:
    """A host process and how to speak to it."""

    home: Path
    process: subprocess.Popen[bytes]
    url: str
    token: str

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.url + "/v1", self.token, "test", is_local_host=True)

    @property
    def openai(self) -> OpenAI:
        return OpenAI(base_url=self.url + "/v1", api_key=self.token, max_retries=0, timeout=120)


def start_host(home: Path, **variables: str) -> RunningHost:
    """Start a host and wait until it wrote its record."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KURABE_")}
    environment |= {"KURABE_HUB_OFFLINE": "1", "KURABE_LOG_LEVEL": "WARNING", **variables}
    command = [sys.executable, "-m", "core.host", "--home", str(home), "--port", "0"]
    with (home / "host.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    record = home / "run" / "host.json"
    deadline = time.monotonic() + 120
    while not record.exists():
        assert process.poll() is None and time.monotonic() < deadline, (home / "host.log").read_text()
        time.sleep(0.1)
    content = json.loads(record.read_text())
    return RunningHost(home, process, f"http://127.0.0.1:{content['port']}", content["token"])


def make_adapter(home: Path, name: str, seed: int, **options: Any) -> Path:
    """Write a LoRA adapter whose random weights change most answers."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(STARTER, dtype=torch.float32)
    tuned = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", **options))
    with torch.no_grad():
        for key, weight in tuned.named_parameters():
            if "lora_" in key:
                weight.normal_(std=0.08)
    return save_adapter(home, name, tuned)


def save_adapter(home: Path, name: str, tuned: Any) -> Path:
    """Write an adapter with its card, as the trainer does."""
    folder = home / "adapters" / name
    tuned.save_pretrained(str(folder))
    write_adapter_card(folder, base_ref="starter", base_hash=resolve_base("starter").hash, kind="lora")
    return folder


def make_merged(home: Path, name: str, adapter: Path) -> None:
    """Write an adapter merged into weights of their own."""
    model = AutoModelForCausalLM.from_pretrained(STARTER, dtype=torch.float32)
    merged: Any = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    folder = home / "merged" / name
    merged.save_pretrained(folder)
    AutoTokenizer.from_pretrained(STARTER).save_pretrained(folder)
    write_adapter_card(folder, base_ref="starter", base_hash=resolve_base("starter").hash, kind="merged")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host with two adapters, a merged model and an adapter of another base."""
    home = tmp_path_factory.mktemp("host")
    first = make_adapter(home, "first", 1)
    make_adapter(home, "second", 2, use_dora=True)
    make_merged(home, "first", first)
    stranger = make_adapter(home, "stranger", 3)
    write_adapter_card(stranger, base_ref="starter", base_hash="k1:other", kind="lora")
    running = start_host(home)
    yield running
    running.process.terminate()
    running.process.wait(15)


def chat(text: str) -> list[Any]:
    """Return a conversation of one question."""
    return [{"role": "user", "content": text}]
