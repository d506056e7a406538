"""A test run's answers beside `generate` of transformers, and its first tokens beside a bare client's.

``make bench-throughput``. Everything that is compared is measured in one run, turn and turn about, in random order,
on the same weights, prompts, longest answers and ending tokens, after a turn of each that does not count. `generate`
runs with the number of threads, and in batches of the size, that suit it at each length. Kurabe's side is what a test
run does: rows in a store, `ask_all` with the concurrency that test runs have, tokens counted, answers priced and
saved; only scoring is left out, which reads no model. As there, what prompts begin with alike is read once within a
run and never kept for the next; how much that brings is told beside it. What is compared is answers a second, over as
many short prompts as a test run of a few approaches has: where it begins and ends, a processor idles. Beside the clock
the processor seconds of both sides are counted: on a machine that does other work only those tell the truth.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai
import psutil
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.approaches import (
    AnswerRequest,
    Decoding,
    Gathered,
    Parts,
    ProjectSources,
    ask_all,
    ensure_presets,
    load_parts,
    new_row,
    perform,
    store_rows,
)
from core.evaluation import ExperimentConfig
from core.identity import actor, new_id, now, process_identity
from core.models import Endpoint, ensure_host, host_status
from core.settings import DATA, ROOT, reset_settings
from core.store import migrate, reset_engine, write
from core.store import tables as tb
from tests.approaches.world import make_project

STARTER = DATA / "starter"
LENGTHS = (60, 150, 500, 1000, 1800)
SHORT = 100
"""Prompts of fewer tokens are where batching must gain most."""
AT_LEAST = {"one by one": 5.0, "hand-batched": 0.9}
"""Limits: how many times the throughput of the others."""
MOST_ADDED = 0.05
"""Limit: share of the time to the first token of the openai client, used bare, that Kurabe may add."""
MOST_TOKENS = 48
PROMPT_TOKENS = 46_000
"""Prompt tokens of a turn by default; there are at least `FEWEST` prompts."""
FEWEST = 32
NOTHING_SHARED = "itself with nothing shared"
"""Kurabe without what test runs do for prompts that begin alike: told, not judged."""
ALONE = 48
"""Prompts that `generate` answers one by one in a turn: its answers a second do not depend on how many there are."""
BATCHES = (16, 32)
"""Sizes of the batches made by hand; the better one is compared with."""
CONCURRENCY = int(ExperimentConfig.model_fields["concurrency"].default)
FEW = 4
"""Tokens of an answer of which only the first is timed."""
THREADS = torch.get_num_threads()
UNCOUNTED = 5
"""Pairs of first tokens that only warm up."""

Chat = list[dict[str, str]]

_HOST = """
import runpy, sys, torch
from core.host import library
dtype = getattr(torch, sys.argv[1])
def make(self, made=library.Library.__init__):
    made(self)
    self.dtype = dtype
library.Library.__init__ = make
sys.argv = ["core.host", "--port", "0"]
runpy.run_module("core.host", run_name="__main__")
"""
"""The host as it is, with a precision that its device would not choose."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one turn took."""

    seconds: float
    processor: float
    """Seconds of computing, in every process that took part."""
    texts: tuple[str, ...]

    @property
    def each(self) -> float:
        """Seconds an answer."""
        return self.seconds / len(self.texts)

    @property
    def work(self) -> float:
        """Seconds of computing an answer."""
        return self.processor / len(self.texts)


@dataclass(frozen=True)
class Kurabe:
    """A project with the plain practice model, and the host that answers for it."""

    endpoint: Endpoint
    host: psutil.Process
    project: tb.Project
    approach: tb.Approach
    parts: Parts

    def messages(self, question: str) -> Chat:
        """What is sent for a question: instructions and rules stand before it."""
        return list(self.parts.messages(question, Gathered()))

    def ask(self, questions: Sequence[str], *, shared: bool = True) -> list[str]:
        """Answer as the quality phase of a new test run does: what prompts begin with alike is read once.

        Without `shared` no prompt takes over what another one read.
        """
        run = self._new_run() if shared else None
        requests = [
            AnswerRequest(self.project.id, self.approach.id, text, phase="quality", experiment_id=run)
            for text in questions
        ]
        owner = process_identity().as_dict()  # asked for once, as a test run does
        rows = [new_row(request, self.approach, owner) for request in requests]
        store_rows(rows)
        tasks = [(row, request, self.parts) for row, request in zip(rows, requests, strict=True)]
        for batch in ask_all(tasks, concurrency=CONCURRENCY):
            if failed := [row.error for row in batch if row.status != "finished"]:
                raise RuntimeError(str(failed[0]))
        return [row.text.strip() for row in rows]

    def _new_run(self) -> str:
        run = tb.Experiment(
            id=new_id(),
            created_at=now(),
            created_by=actor(),
            project_id=self.project.id,
            name="throughput",
            dataset_version_id="",
            split="test",
            hash="",
        )
        with write() as session:
            session.add(run)
        return run.id

    def first(self, question: str) -> tuple[float, float]:
        """Seconds to the first piece of text as the latency phase asks, and this thread's processor seconds."""
        came: list[tuple[float, float]] = []
        few = self.parts.spec.model_copy(update={"decoding": Decoding(max_tokens=FEW)})
        request = AnswerRequest(self.project.id, self.approach.id, question, phase="latency")
        row, parts = new_row(request, self.approach), replace(self.parts, spec=few)
        began = _clocks()
        perform(row, request, parts, stream=True, on_chunk=lambda *_: came.append(_clocks()))
        if row.status != "finished" or not came:
            raise RuntimeError(str(row.error))
        return came[0][0] - began[0], came[0][1] - began[1]


@contextmanager
def kurabe(dtype: str) -> Iterator[Kurabe]:
    """Run a home of its own with its host until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"KURABE_HOME": folder, "KURABE_HUB_OFFLINE": "1", "KURABE_LOG_LEVEL": "WARNING"}
        reset_settings()
        reset_engine()
        migrate()
        with _running_host(dtype, Path(folder)) as process:
            project = make_project(index=False)
            approach = ensure_presets(project.id)[0]
            loaded = load_parts(approach, ProjectSources(project.id))
            spec = loaded.spec.model_copy(update={"decoding": Decoding(max_tokens=MOST_TOKENS)})
            yield Kurabe(ensure_host(), process, project, approach, replace(loaded, spec=spec))
        reset_engine()


@contextmanager
def _running_host(dtype: str, home: Path) -> Iterator[psutil.Process]:
    log = home / "log"
    with log.open("wb") as out:
        command = [sys.executable, "-c", _HOST, dtype]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        while (host_status() or {}).get("state") != "running":  # sooner, it would be taken for hung and replaced
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.2)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


class Generate:
    """The weights in this process, asked as most people do."""

    def __init__(self, dtype: str, parts: Parts) -> None:
        """Load the weights; answers end where the host lets them end."""
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = AutoTokenizer.from_pretrained(STARTER, padding_side="left")
        model = AutoModelForCausalLM.from_pretrained(STARTER, dtype=getattr(torch, dtype))
        self.model = model.to(self.device).eval()
        assert parts.template is not None
        self.template = parts.template
        ends = self.model.generation_config.eos_token_id
        self.threads: dict[str, int] = {}
        self.ends = sorted({*(ends if isinstance(ends, list) else [ends]), *parts.template.stop_ids})

    def ids(self, chat: Chat) -> list[int]:
        """Token ids of a prompt, the same as the host reads."""
        text = self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        ids = list(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        if ids != self.template.encode(chat):
            raise RuntimeError("both sides must read the same tokens")
        return ids

    def batch(self, prompts: Sequence[list[int]]) -> list[str]:
        """Answers of one padded batch."""
        padded = self.tokenizer.pad({"input_ids": list(prompts)}, return_tensors="pt").to(self.device)
        with torch.inference_mode():
            out = self.model.generate(
                **padded, max_new_tokens=MOST_TOKENS, do_sample=False, eos_token_id=self.ends, pad_token_id=0
            )
        written = out[:, padded["input_ids"].shape[1] :]
        return [text.strip() for text in self.tokenizer.batch_decode(written, skip_special_tokens=True)]

    def settle(self, name: str, turn: Callable[[], list[str]]) -> None:
        """Find the number of threads with which one of its ways is quicker: threads that wait for others cost time."""
        taken = {}
        for threads in (1, THREADS, 1, THREADS):
            torch.set_num_threads(threads)
            began = time.monotonic()
            turn()
            taken[threads] = min(time.monotonic() - began, taken.get(threads, math.inf))
        self.threads[name] = min(taken, key=lambda threads: taken[threads])

    def take(self, name: str, turn: Callable[[], list[str]]) -> list[str]:
        """One of its ways, with the threads that suit it."""
        torch.set_num_threads(self.threads[name])
        return turn()

    def by_hand(self, prompts: Sequence[list[int]], size: int) -> list[str]:
        """Batches of prompts sorted by length, the longest first."""
        order = sorted(range(len(prompts)), key=lambda place: -len(prompts[place]))
        found = [""] * len(prompts)
        for start in range(0, len(order), size):
            places = order[start : start + size]
            for place, text in zip(places, self.batch([prompts[p] for p in places]), strict=True):
                found[place] = text
        return found


def questions(tokens: int, count: int, made: Kurabe, dice: random.Random) -> list[str]:
    """Different questions over made-up passages; the whole prompts are up to a tenth shorter than `tokens`."""
    names = ("Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Grove", "Heron", "Ivory", "Jasper")
    things = ("Kettle", "Lamp", "Fan", "Press", "Grill", "Mixer", "Chair", "Table")
    facts = ("price", "weight", "warranty period", "height", "colour")
    assert made.parts.template is not None
    found = []
    for _ in range(count):
        passage, asked = "", f"What is the {dice.choice(facts)} of the {dice.choice(names)} {dice.choice(things)}?"
        aim = tokens * dice.uniform(0.9, 1.0) - 14
        while made.parts.template.count(made.messages(f"{passage}{asked}")) < aim:
            passage += f"The {dice.choice(facts)} of the {dice.choice(names)} {dice.choice(things)} is "
            passage += f"{dice.randint(2, 99)}. "
        found.append(f"{passage}{asked}")
    return found


def timed(ask: Callable[[], list[str]], host: psutil.Process) -> Spent:
    """One turn."""

    def computing() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in (psutil.Process(), host))

    before, began = computing(), time.monotonic()
    texts = ask()
    return Spent(time.monotonic() - began, computing() - before, tuple(texts))


def compare(dtype: str, lengths: Sequence[int], count: int | None, rounds: int) -> Iterator[str]:
    """Throughput at each length, and how many greedy answers are the same."""
    dice = random.Random(7)
    with kurabe(dtype) as product:
        plain = Generate(dtype, product.parts)
        for length in lengths:
            asked = questions(length, count or max(FEWEST, PROMPT_TOKENS // length), product, dice)
            prompts = [plain.ids(product.messages(question)) for question in asked]
            spent = _turns(product, plain, asked, prompts, rounds, dice)
            alone = [plain.batch([prompt])[0] for prompt in prompts]
            head = f"{dtype:9}{statistics.mean(map(len, prompts)):6.0f} tokens x {len(prompts):3}  "
            yield from (head + line for line in _ratios(spent))
            threads = ", ".join(f"{name}: {plain.threads[name]}" for name in spent if name in plain.threads)
            yield f"{head}threads of `generate`, the quicker of 1 and {THREADS} ({threads})"
            for name in spent:
                texts = spent[name][0].texts
                same = sum(a == b for a, b in zip(alone, texts, strict=False))
                yield f"{head}{name}: {same} of {len(texts)} greedy answers as of `generate` alone"


def _turns(
    product: Kurabe,
    plain: Generate,
    asked: Sequence[str],
    prompts: Sequence[list[int]],
    rounds: int,
    dice: random.Random,
) -> dict[str, list[Spent]]:
    """Every way in every round once, in an order drawn by lot."""
    others: dict[str, Callable[[], list[str]]] = {}
    for size in BATCHES:
        others[f"hand-batched by {size}"] = lambda size=size: plain.by_hand(prompts, size)  # type: ignore[misc]
    if max(map(len, prompts)) < SHORT:
        others["one by one"] = lambda: [plain.batch([prompt])[0] for prompt in prompts[:ALONE]]
    for name, turn in others.items():
        plain.settle(name, turn)
    product.ask(asked)
    ways: dict[str, Callable[[], list[str]]] = {name: partial(plain.take, name, turn) for name, turn in others.items()}
    ways["kurabe"] = lambda: product.ask(asked)
    ways[NOTHING_SHARED] = lambda: product.ask(asked, shared=False)
    spent: dict[str, list[Spent]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name in dice.sample(sorted(ways), len(ways)):
            spent[name].append(timed(ways[name], product.host))
    return spent


def _ratios(spent: dict[str, list[Spent]]) -> Iterator[str]:
    for other in spent:
        if other == "kurabe":
            continue
        pairs = list(zip(spent[other], spent["kurabe"], strict=True))
        clock = [a.each / b.each for a, b in pairs]
        work = statistics.median(a.work / b.work for a, b in pairs)
        limit = next((value for name, value in AT_LEAST.items() if other.startswith(name)), None)
        verdict = "pass" if limit is None or statistics.median(clock) >= limit else "FAIL"
        told = "" if limit is None else f"; at least {limit} x: {verdict}"
        yield (
            f"kurabe ({1000 * statistics.median(b.each for _, b in pairs):.1f} ms an answer) is "
            f"{statistics.median(clock):5.2f} x {other} by the clock ({min(clock):.2f}-{max(clock):.2f}), "
            f"{work:5.2f} x by work{told}"
        )


# time to first token --------------------------------------------------------------------------------


def _clocks() -> tuple[float, float]:
    return time.monotonic(), time.thread_time()


def bare_first(client: openai.OpenAI, product: Kurabe, question: str) -> tuple[float, float]:
    """As `Kurabe.first`, with nothing but the client library that everybody uses."""
    messages: Any = product.messages(question)
    began, first = _clocks(), None
    with client.chat.completions.create(
        model=product.parts.spec.model.served_name,
        messages=messages,
        max_tokens=FEW,
        temperature=0.0,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        for chunk in stream:
            if first is None and chunk.choices and chunk.choices[0].delta.content:
                first = _clocks()
    return _since(began, first)


def raw_first(connection: http.client.HTTPConnection, product: Kurabe, question: str) -> tuple[float, float]:
    """As `Kurabe.first`, with nothing but a socket that is kept open and sends at once."""
    body = {"model": product.parts.spec.model.served_name, "messages": product.messages(question), "max_tokens": FEW}
    body |= {"temperature": 0.0, "stream": True, "stream_options": {"include_usage": True}}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {product.endpoint.key}"}
    began, first = _clocks(), None
    connection.request("POST", urlsplit(product.endpoint.url).path + "/chat/completions", json.dumps(body), headers)
    for line in connection.getresponse():
        if first is None and line.startswith(b"data: {"):
            choices = json.loads(line[6:])["choices"]
            if choices and choices[0]["delta"].get("content"):
                first = _clocks()
    return _since(began, first)


def _since(began: tuple[float, float], first: tuple[float, float] | None) -> tuple[float, float]:
    if first is None:
        raise RuntimeError("no answer")
    return first[0] - began[0], first[1] - began[1]


@contextmanager
def _connected(endpoint: Endpoint) -> Iterator[http.client.HTTPConnection]:
    """A connection that does not wait for more to send: Nagle's algorithm would cost 40 ms a request."""
    connection = http.client.HTTPConnection(urlsplit(endpoint.url).netloc)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        yield connection
    finally:
        connection.close()


def first_tokens(lengths: Sequence[int], count: int) -> Iterator[str]:
    """What Kurabe adds, in rounds whose order is drawn by lot; the first rounds are thrown away."""
    dice = random.Random(11)
    with kurabe("float32") as product:
        product.ask(questions(60, 4, product, dice))
        client = openai.OpenAI(base_url=product.endpoint.url, api_key=product.endpoint.key or "-", max_retries=0)
        for length in lengths:
            asked = questions(length, count + UNCOUNTED, product, dice)
            spent: dict[str, list[tuple[float, float]]] = {"kurabe": [], "openai": [], "socket": []}
            with _connected(product.endpoint) as connection:
                ways: dict[str, Callable[[str], tuple[float, float]]] = {
                    "kurabe": product.first,
                    "openai": partial(bare_first, client, product),
                    "socket": partial(raw_first, connection, product),
                }
                for place, question in enumerate(asked):
                    for name in dice.sample(sorted(ways), len(ways)):
                        took = ways[name](question)
                        if place >= UNCOUNTED:
                            spent[name].append(took)
            head = f"{length:5} tokens  first token beside"
            yield f"{head} a socket alone: {_added(spent['socket'], spent['kurabe'])[0]}"
            told, share = _added(spent["openai"], spent["kurabe"])
            verdict = "pass" if share < MOST_ADDED else "FAIL"
            yield f"{head} the openai client: {told}; under {MOST_ADDED:.0%}: {verdict}"


def _added(bare: Sequence[tuple[float, float]], ours: Sequence[tuple[float, float]]) -> tuple[str, float]:
    """What Kurabe adds by the clock, and by the work that its thread does until then; the share it adds."""
    alone = statistics.median(seconds for seconds, _ in bare)
    clock = statistics.median(b[0] - a[0] for a, b in zip(bare, ours, strict=True))
    work = statistics.median(b[1] - a[1] for a, b in zip(bare, ours, strict=True))
    told = (
        f"{1000 * alone:.2f} ms, Kurabe adds {1000 * clock:+.2f} ms ({clock / alone:+.1%}; "
        f"median of {len(bare)} pairs), its thread computes {1000 * work:+.2f} ms more"
    )
    return told, clock / alone


def main() -> None:
    """Print every ratio."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    options.add_argument("--prompts", type=int, help=f"of a turn; by default those of {PROMPT_TOKENS} tokens")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--pairs", type=int, default=60, help="0 leaves the first tokens out")
    options.add_argument("--precision", nargs="*", default=("float32", "bfloat16"))
    chosen = options.parse_args()
    print(f"{THREADS} threads, load average {os.getloadavg()[0]:.1f}", flush=True)
    failed = _told(first_tokens(chosen.lengths, chosen.pairs)) if chosen.pairs else 0
    for dtype in chosen.precision:
        failed += _told(compare(dtype, chosen.lengths, chosen.prompts, chosen.rounds))
    print(f"load average {os.getloadavg()[0]:.1f} at the end; {failed} limits missed", flush=True)
    sys.exit(1 if failed else 0)


def _told(lines: Iterator[str]) -> int:
    """Print lines as they come; return how many limits were missed."""
    missed = 0
    for line in lines:
        print(line, flush=True)
        missed += line.endswith("FAIL")
    return missed


if __name__ == "__main__":
    main()
