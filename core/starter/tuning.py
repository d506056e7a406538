"""Checks that the starter can be tuned: LoRA and 4-bit QLoRA on a sample, a minute each, before and after.

A plain loop on purpose: it measures the model, not Kurabe's trainer. Passages are quotes of the sample's
documents, so nothing depends on an index either.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from core.starter.evaluation import Tally, cell
from core.starter.guides import encode_prompt
from core.starter.reading import abstains, answer
from core.starter.tokenizer import END, PAD, load_tokenizer

METHODS = ("untuned", "lora", "qlora")
_WORDS = {"en": ("Documents:", "Question: "), "ja": ("資料:", "質問: ")}
_QUESTIONS = 60


@dataclass(frozen=True, slots=True)
class Check:
    """How one tuning check is made.

    Attributes:
        method: One of ``METHODS``.
        passages: Share of training rows that carry passages.
        seconds: Training time.
        rate: Highest learning rate.
        rank: Rank of the adapters; alpha is twice that.
        threads: Threads of the matrix products.
        seed: Seed of order and passages.
    """

    method: str
    passages: float = 0.0
    seconds: float = 75.0
    rate: float = 2e-3
    rank: int = 32
    threads: int = 2
    seed: int = 0


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class Sample:
    """A sample project's rows and questions."""

    def __init__(self, folder: Path) -> None:
        self.language = json.loads((folder / "project.json").read_text(encoding="utf-8"))["language"]
        self.train = _lines(folder / "train.jsonl")
        self.questions = _lines(folder / "validation.jsonl") + _lines(folder / "test.jsonl")
        found = [*self.questions, *(row["metadata"] for row in self.train)]
        self._names = {
            (g["document"], g["quote"]): item["fact"].split("/")[0]
            for item in found
            if "fact" in item
            for g in item.get("gold", ())
        }
        self._quotes = sorted(self._names)

    def prompt(self, question: str, gold: list[dict[str, str]], rng: random.Random) -> str:
        """A user message with the gold quotes among others, four passages in all.

        Each passage begins with what it is about, as chunks begin with their document's title: a quote alone may
        say "it".
        """
        mine = [(g["document"], g["quote"]) for g in gold]
        others = rng.sample([q for q in self._quotes if q not in mine], max(0, 4 - len(mine)))
        chosen = mine + others
        rng.shuffle(chosen)
        head, ask = _WORDS[self.language]
        titles = [self._names.get(place, Path(place[0]).stem) for place in chosen]
        body = "\n\n".join(
            f"[{i}] {title}\n{quote}" for i, (title, (_, quote)) in enumerate(zip(titles, chosen, strict=True), 1)
        )
        return f"{head}\n{body}\n\n{ask}{question}"


def _load(folder: Path, check: Check) -> Any:
    quantized = BitsAndBytesConfig(  # type: ignore[no-untyped-call]  # transformers leaves it unannotated
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32
    )
    options = {"quantization_config": quantized} if check.method == "qlora" else {}
    model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32, **options)
    if check.method == "untuned":
        return model
    adapters = LoraConfig(r=check.rank, lora_alpha=2 * check.rank, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(model, adapters)


def _rows(sample: Sample, tokenizer: Tokenizer, check: Check) -> list[tuple[list[int], int]]:
    """Training rows as (token ids, where the answer starts)."""
    rng = random.Random(check.seed)
    rows = []
    for row in sample.train:
        question, reply = row["messages"][-2]["content"], row["messages"][-1]["content"]
        gold = row["metadata"].get("gold")
        if gold and rng.random() < check.passages:
            question = sample.prompt(question, gold, rng)
        prompt = encode_prompt([{"role": "user", "content": question}], tokenizer)
        rows.append((prompt + tokenizer.encode(reply).ids + [END], len(prompt)))
    return rows


def _batches(
    rows: list[tuple[list[int], int]], rng: random.Random, size: int = 16
) -> list[list[tuple[list[int], int]]]:
    """One pass over the rows in batches of like length: padding costs as much as tokens."""
    order = rng.sample(rows, len(rows))
    pools = [sorted(order[i : i + 8 * size], key=lambda row: len(row[0])) for i in range(0, len(order), 8 * size)]
    batches = [pool[i : i + size] for pool in pools for i in range(0, len(pool), size)]
    rng.shuffle(batches)
    return batches


def _fit(model: Any, rows: list[tuple[list[int], int]], check: Check) -> int:
    """Train for the check's seconds; the number of steps made."""
    rng = random.Random(check.seed)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=check.rate, weight_decay=0.0)
    started, steps, batches = time.monotonic(), 0, list[list[tuple[list[int], int]]]()
    model.train()
    while (share := (time.monotonic() - started) / check.seconds) < 1:
        batches = batches or _batches(rows, rng)
        chosen = batches.pop()
        width = max(len(ids) for ids, _ in chosen)
        batch = torch.full((len(chosen), width), PAD)
        labels = torch.full((len(chosen), width), -100)
        for index, (ids, start) in enumerate(chosen):
            batch[index, : len(ids)] = torch.tensor(ids)
            labels[index, start : len(ids)] = torch.tensor(ids[start:])
        logits = model(input_ids=batch, attention_mask=(batch != PAD).long()).logits[:, :-1]
        loss = functional.cross_entropy(logits.flatten(0, 1).float(), labels[:, 1:].flatten())
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        for group in optimizer.param_groups:
            group["lr"] = check.rate * min(1.0, (steps + 1) / 20) * (1 - share)
        optimizer.step()
        optimizer.zero_grad()
        steps += 1
    return steps


def _valid(text: str, expects: dict[str, Any]) -> bool:
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return False
    return isinstance(found, dict) and list(found) == expects["json_keys"]


def _measure(model: Any, sample: Sample, tokenizer: Tokenizer) -> dict[str, Any]:
    """Shares of right answers, closed book by slice and with passages."""
    rng = random.Random(11)
    asked: list[tuple[str, dict[str, Any], str]] = []
    for slice_name in ("format", "triage", "taught", "documents_only"):
        for item in [q for q in sample.questions if q["slice"] == slice_name][:_QUESTIONS]:
            closed = slice_name != "documents_only"
            asked.append((slice_name, item, item["question"] if closed else ""))
            if slice_name in ("taught", "documents_only"):
                asked.append(("reading", item, sample.prompt(item["question"], item["gold"], rng)))
    asked = [(name, item, text or item["question"]) for name, item, text in asked]
    replies = answer(model, tokenizer, [[{"role": "user", "content": text}] for _, _, text in asked])
    names = ("format", "triage", "taught", "reading", "documents_only")
    tallies = {name: Tally() for name in names}
    for (name, item, _), reply in zip(asked, replies, strict=True):
        if name == "format":
            right = _valid(reply, item["expects"])
        elif name == "triage":
            right = reply.strip() == item["expects"]["category"]
        elif name == "documents_only":
            right = abstains(reply)
        else:
            right = item["value"] in reply
        tallies[name].add(right)
    return {name: tally.report() for name, tally in tallies.items()}


def tune(model_folder: Path, sample_folder: Path, check: Check) -> dict[str, Any]:
    """Tune the model on a sample and measure it.

    ``format``: valid house JSON; ``triage``: right category; ``taught``: taught values in new wordings, closed
    book; ``reading``: the exact value with four quotes as passages; ``documents_only``: closed book, abstains
    on facts that were never taught.

    Raises:
        ValueError: The method is none of ``METHODS``.
    """
    if check.method not in METHODS:
        raise ValueError(f"{check.method!r} is none of {', '.join(METHODS)}")
    torch.manual_seed(check.seed)
    torch.set_num_threads(check.threads)
    sample, tokenizer = Sample(sample_folder), load_tokenizer(model_folder)
    model = _load(model_folder, check)
    steps = 0 if check.method == "untuned" else _fit(model, _rows(sample, tokenizer, check), check)
    model.eval()
    found = {"sample": sample_folder.name, "method": check.method, "passages": check.passages, "steps": steps}
    return {**found, "scores": _measure(model, sample, tokenizer)}


def tuning_table(reports: list[dict[str, Any]]) -> str:
    """Reports of ``tune`` as rows of a Markdown table; see ``TUNING_HEAD``."""
    rows = []
    for report in reports:
        scores = report["scores"]
        columns = ("format", "triage", "taught", "reading", "documents_only")
        cells = " | ".join(cell(scores[c]) for c in columns)
        rows.append(f"| {report['sample']} | {report['method']} | {report['passages']:.0%} | {cells} |")
    return "\n".join(rows)


TUNING_HEAD = (
    "| sample | method | rows with passages | valid house format | category | taught facts, new wordings, closed book"
    " | value with passages | abstains on facts never taught |\n|---|---|---|---|---|---|---|---|"
)
