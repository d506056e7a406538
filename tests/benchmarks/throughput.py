"""Kurabe's host beside `generate` of transformers, and its client beside a bare one: `make bench-throughput`.

Everything that is compared is measured in one run, turn and turn about, on the same prompts and weights. Besides the
clock the processor seconds of both sides are counted: on a machine that does other work only those tell the truth.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.approaches import (
    AnswerRequest,
    Decoding,
    Gathered,
    ProjectSources,
    ensure_presets,
    load_parts,
    new_row,
    perform,
)
from core.models import ChatRequest, Endpoint, ModelClient
from core.settings import DATA, ROOT, reset_settings
from core.store import migrate, reset_engine
from tests.approaches.world import make_project

STARTER = DATA / "starter"
LENGTHS = (60, 150, 500, 1000, 1800)
SHORT = 100
"""Prompts of fewer tokens are where batching must gain most."""
MOST_TOKENS = 48
BATCH = 16
FEW = 4
"""Tokens of an answer of which only the first is timed."""

Chat = list[dict[str, str]]

_HOST = """
import runpy, sys, torch
from core.host import library
def make(self, made=library.Library.__init__):
    made(self)
    self.dtype = getattr(torch, sys.argv[1]) if self.device == "cpu" else self.dtype
library.Library.__init__ = make
sys.argv = ["core.host", "--home", sys.argv[2], "--port", "0"]
runpy.run_module("core.host", run_name="__main__")
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one turn took."""

    seconds: float
    processor: float
    """Seconds of computing, in every process that took part."""
    texts: tuple[str, ...]


@contextmanager
def host(dtype: str) -> Iterator[tuple[Endpoint, psutil.Process]]:
    """Run a host until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        environment = {**os.environ, "KURABE_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "KURABE_LOG_LEVEL": "WARNING"}
        command = [sys.executable, "-c", _HOST, dtype, folder]
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        try:
            record = Path(folder) / "run" / "host.json"
            while not record.exists() or "port" not in (known := json.loads(record.read_text())):
                if process.poll() is not None:
                    raise RuntimeError(log.read_text())
                time.sleep(0.2)
            url = f"http://127.0.0.1:{known['port']}/v1"
            yield Endpoint(url, known["token"], "bench", is_local_host=True), psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(20)


class Generate:
    """The weights in this process, asked as most people do."""

    def __init__(self, dtype: str) -> None:
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = AutoTokenizer.from_pretrained(STARTER, padding_side="left")
        kind = torch.bfloat16 if self.device == "cuda" else getattr(torch, dtype)
        self.model = AutoModelForCausalLM.from_pretrained(STARTER, dtype=kind).to(self.device).eval()

    def ids(self, chat: Chat) -> list[int]:
        text = self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def batch(self, chats: Sequence[Chat]) -> list[str]:
        """Answers of one padded batch."""
        padded = self.tokenizer.pad({"input_ids": [self.ids(chat) for chat in chats]}, return_tensors="pt")
        padded = padded.to(self.device)
        with torch.inference_mode():
            out = self.model.generate(**padded, max_new_tokens=MOST_TOKENS, do_sample=False)
        written = out[:, padded["input_ids"].shape[1] :]
        return [text.strip() for text in self.tokenizer.batch_decode(written, skip_special_tokens=True)]

    def one_by_one(self, chats: Sequence[Chat]) -> list[str]:
        return [self.batch([chat])[0] for chat in chats]

    def hand_batched(self, chats: Sequence[Chat]) -> list[str]:
        """Batches of prompts sorted by length, the longest first."""
        order = sorted(range(len(chats)), key=lambda place: -len(self.ids(chats[place])))
        found = [""] * len(chats)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            for place, text in zip(places, self.batch([chats[p] for p in places]), strict=True):
                found[place] = text
        return found


def kurabe(client: ModelClient, chats: Sequence[Chat]) -> list[str]:
    """All at once, as the quality phase asks."""
    requests = [ChatRequest("starter", chat, max_tokens=MOST_TOKENS) for chat in chats]
    with ThreadPoolExecutor(32) as pool:
        return [result.text.strip() for result in pool.map(client.complete, requests)]


def prompts(tokens: int, count: int, made: Generate, dice: random.Random) -> list[Chat]:
    """Different questions over made-up passages, each within a tenth of `tokens`."""
    names = ("Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Grove", "Heron", "Ivory", "Jasper")
    things = ("Kettle", "Lamp", "Fan", "Press", "Grill", "Mixer", "Chair", "Table")
    facts = ("price", "weight", "warranty period", "height", "colour")
    chats = []
    for _ in range(count):
        name = f"{dice.choice(names)} {dice.choice(things)}"
        question, passage = f"Question: What is the {dice.choice(facts)} of the {name}?", ""
        aim = tokens * dice.uniform(0.9, 1.0)
        while len(made.ids([{"role": "user", "content": f"Documents:\n[1] {passage}\n\n{question}"}])) < aim - 14:
            passage += f"The {dice.choice(facts)} of the {dice.choice(names)} {dice.choice(things)} is "
            passage += f"{dice.randint(2, 99)}. "
        chats.append([{"role": "user", "content": f"Documents:\n[1] {passage}\n\n{question}"}])
    return chats


def timed(ask: Callable[[], list[str]], *processes: psutil.Process) -> Spent:
    """One turn."""

    def computing() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in (psutil.Process(), *processes))

    before, began = computing(), time.monotonic()
    texts = ask()
    return Spent(time.monotonic() - began, computing() - before, tuple(texts))


def compare(dtype: str, lengths: Sequence[int], count: int, rounds: int) -> list[str]:
    """Throughput at each length, and how many greedy answers are the same."""
    made, dice, lines = Generate(dtype), random.Random(7), []
    with host(dtype) as (endpoint, process):
        client = ModelClient(endpoint)
        kurabe(client, prompts(60, 4, made, dice))
        for length in lengths:
            chats = prompts(length, count, made, dice)
            ways: dict[str, Callable[[], list[str]]] = {
                "hand-batched": lambda chats=chats: made.hand_batched(chats),  # type: ignore[misc]
                "kurabe": lambda chats=chats: kurabe(client, chats),  # type: ignore[misc]
            }
            if length < SHORT:
                ways["one by one"] = lambda chats=chats: made.one_by_one(chats)  # type: ignore[misc]
            spent: dict[str, list[Spent]] = {name: [] for name in ways}
            for _ in range(rounds):
                for name in dice.sample(sorted(ways), len(ways)):
                    spent[name].append(timed(ways[name], process))
            lines += _lines(dtype, length, spent)
            single = spent["one by one"][0].texts if "one by one" in spent else tuple(made.one_by_one(chats))
            same = sum(a == b for a, b in zip(single, spent["kurabe"][0].texts, strict=True))
            lines.append(f"{dtype:9}{length:6}  greedy answers as `generate` alone: {same} of {count}")
    return lines


def _lines(dtype: str, length: int, spent: dict[str, list[Spent]]) -> list[str]:
    lines = []
    for other in spent:
        if other != "kurabe":
            pairs = list(zip(spent[other], spent["kurabe"], strict=True))
            clock = statistics.median(a.seconds / b.seconds for a, b in pairs)
            work = statistics.median(a.processor / b.processor for a, b in pairs)
            lines.append(f"{dtype:9}{length:6}  kurabe is {clock:5.2f} x {other} by the clock, {work:5.2f} x by work")
    return lines


# time to first token --------------------------------------------------------------------------------


def bare_first(connection: http.client.HTTPConnection, endpoint: Endpoint, chat: Chat) -> float:
    """Seconds to the first piece of text with nothing but a socket."""
    body = {"model": "starter", "messages": chat, "max_tokens": FEW, "temperature": 0.0, "stream": True}
    body["stream_options"] = {"include_usage": True}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {endpoint.key}"}
    began = time.monotonic()
    connection.request("POST", urlsplit(endpoint.url).path + "/chat/completions", json.dumps(body), headers)
    response, first = connection.getresponse(), 0.0
    for line in response:
        if not first and line.startswith(b"data: {"):
            choices = json.loads(line[6:])["choices"]
            if choices and choices[0]["delta"].get("content"):
                first = time.monotonic() - began
    return first


@contextmanager
def asker(endpoint: Endpoint) -> Iterator[tuple[Callable[[str], float], Callable[[str], Chat]]]:
    """How an experiment's latency phase asks, in a home of its own: seconds to the first token, and what is sent."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"KURABE_HOME": folder, "KURABE_MODEL_URL": endpoint.url, "KURABE_MODEL_KEY": endpoint.key or ""}
        reset_settings()
        reset_engine()
        migrate()
        project = make_project(index=False)
        approach = ensure_presets(project.id)[0]
        loaded = load_parts(approach, ProjectSources(project.id))
        parts = replace(loaded, spec=loaded.spec.model_copy(update={"decoding": Decoding(max_tokens=FEW)}))

        def ask(question: str) -> float:
            request = AnswerRequest(project.id, approach.id, question, phase="latency")
            row = perform(new_row(request, approach), request, parts, stream=True)
            if row.first_token_seconds is None:
                raise RuntimeError(str(row.error))
            return row.first_token_seconds

        yield ask, lambda question: parts.messages(question, Gathered())
        reset_engine()


def first_tokens(length: int, count: int) -> str:
    """What Kurabe adds, in pairs whose order is drawn by lot; the first pairs are thrown away."""
    made, dice = Generate("float32"), random.Random(11)
    added: list[float] = []
    bare: list[float] = []
    with host("float32") as (endpoint, _), asker(endpoint) as (ask, messages):
        connection = http.client.HTTPConnection(urlsplit(endpoint.url).netloc)
        for place, chat in enumerate(prompts(length, count + 5, made, dice)):
            question = chat[0]["content"]
            sent = messages(question)
            ways: list[Callable[[], float]] = [
                lambda sent=sent: bare_first(connection, endpoint, sent),  # type: ignore[misc]
                lambda question=question: ask(question),  # type: ignore[misc]
            ]
            found = {way: ways[way]() for way in dice.sample((0, 1), 2)}
            if place >= 5:
                bare.append(found[0])
                added.append(found[1] - found[0])
    middle, more = statistics.median(bare), statistics.median(added)
    return (
        f"first token at {length} tokens: bare {1000 * middle:.2f} ms, Kurabe adds {1000 * more:+.2f} ms "
        f"({more / middle:+.1%}; median of {count} pairs)"
    )


def main() -> None:
    """Print every ratio."""
    options: Any = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    options.add_argument("--prompts", type=int, default=32)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--pairs", type=int, default=60)
    chosen = options.parse_args()
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}", flush=True)  # noqa: T201
    for length in (60, 500):
        if chosen.pairs:
            print(first_tokens(length, chosen.pairs), flush=True)  # noqa: T201
    for dtype in ("float32", "bfloat16"):
        for length in chosen.lengths:
            print("\n".join(compare(dtype, [length], chosen.prompts, chosen.rounds)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
