"""Makes the starter: ``python -m core.starter make --out data/starter --minutes 75``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from core.starter.card import write_card
from core.starter.evaluation import evaluate, table
from core.starter.export import adopt, export
from core.starter.samples import build_samples
from core.starter.source import WORLD, load_source
from core.starter.startup import measure
from core.starter.tokenizer import save_tokenizer, train_tokenizer
from core.starter.training import CHECKPOINT, Settings, tokens_of, train
from core.starter.tuning import TUNING_HEAD, Check, tune, tuning_table

LONG_TOKENS, LONG_RATE, LONG_SHARE = 1792, 0.007, 0.4
"""The last part of a run, in which prompts are as long as real ones: tokens of a share of a step, rate, share of time.

Reading is learned from short prompts in many small steps; whole prompts of real chunks only fit into larger ones.
"""

app = typer.Typer(add_completion=False, help="Makes the practice model from a seed: no outside text, no download.")

Run = Annotated[Path, typer.Option(help="Folder of checkpoints and tokenizer.")]
Out = Annotated[Path, typer.Option(help="Folder of the finished model.")]
Source = Annotated[str, typer.Option(help="Module whose generate() makes the conversations.")]


@app.command("tokenizer")
def make_tokenizer(
    run: Run = Path("starter-run"), vocabulary: int = 2600, seed: int = 0, count: int = 8000, source: Source = WORLD
) -> None:
    """Train the tokenizer on the generated world."""
    tokenizer = train_tokenizer(load_source(source), vocabulary=vocabulary, seed=seed, count=count)
    save_tokenizer(tokenizer, run / "tokenizer")
    typer.echo(f"{tokenizer.get_vocab_size()} tokens in {run / 'tokenizer'}")


@app.command("train")
def make_weights(
    run: Run = Path("starter-run"),
    minutes: float = 75.0,
    steps: int = 0,
    processes: int = 2,
    tokens: int = 960,
    rate: float = 0.01,
    seed: int = 0,
    device: str = "cpu",
    compiled: bool = True,
    reading: Annotated[int, typer.Option(help="Conversations of a reading score.")] = 64,
    resume: Annotated[bool, typer.Option(help="Continue an interrupted run.")] = False,
    extend: Annotated[bool, typer.Option(help="Continue a finished run with a new budget.")] = False,
    source: Source = WORLD,
) -> None:
    """Pre-train, with checkpoints, a curve and reading scores in the run folder."""
    settings = Settings(
        folder=str(run),
        source=source,
        minutes=minutes,
        steps=steps,
        processes=processes,
        tokens=tokens,
        rate=rate,
        seed=seed,
        device=device,
        compiled=compiled,
        reading_questions=reading,
    )
    if extend:  # the reading is there: no easy beginning, guides as a reminder, and a rate that falls almost at once
        settings = replace(settings, curriculum=0.0, guided=(0.5, 0.8), falling=0.9)
    train(settings, resume=resume, extend=extend)
    typer.echo(f"checkpoint in {run}")


@app.command("export")
def make_folder(run: Run = Path("starter-run"), out: Out = Path("data/starter")) -> None:
    """Write the model folder: 16-bit safetensors, tokenizer, chat template, curve."""
    typer.echo(f"{export(run, out) / 1e6:.1f} MB in {out}")


@app.command("adopt")
def make_run(run: Run = Path("starter-run"), out: Out = Path("data/starter")) -> None:
    """Make a run folder from a finished model, to continue training it with train --extend."""
    adopt(out, run)


@app.command("evaluate")
def make_report(out: Out = Path("data/starter"), questions: int = 400, seed: int = 7, source: Source = WORLD) -> None:
    """Measure the model on held-out questions, print the table and write the model card."""
    report = evaluate(out, load_source(source), questions=questions, seed=seed)
    (out / "evaluation.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_card(out, report)
    typer.echo(table(report))


@app.command("tuning")
def check_tuning(
    out: Out = Path("data/starter"),
    samples: Annotated[Path, typer.Option(help="Folder of sample projects.")] = Path("data/samples"),
    seconds: float = 75.0,
) -> None:
    """Tune the model on each sample with LoRA and QLoRA, print before and after, and write tuning.json."""
    reports = []
    typer.echo(TUNING_HEAD)
    for sample in sorted(p.parent for p in samples.glob("*/project.json")):
        for method, share in (("untuned", 0.0), ("lora", 0.0), ("lora", 0.5), ("qlora", 0.5)):
            reports.append(tune(out, sample, Check(method, passages=share, seconds=seconds)))
            typer.echo(tuning_table(reports[-1:]))
    found = {"seconds": seconds, "reports": reports}
    (out / "tuning.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if (out / "evaluation.json").exists():
        write_card(out, json.loads((out / "evaluation.json").read_text(encoding="utf-8")))


@app.command("startup")
def check_startup(out: Out = Path("data/starter")) -> None:
    """Print the seconds from a process's start to the model's first token, and to it once loaded."""
    for name, seconds in measure(out).items():
        typer.echo(f"{name:8} {seconds:6.2f} s")


@app.command("make")
def make(
    out: Out = Path("data/starter"),
    run: Run = Path("starter-run"),
    minutes: float = 75.0,
    processes: int = 2,
    device: str = "cpu",
    resume: bool = False,
    source: Source = WORLD,
    count: Annotated[int, typer.Option(help="Conversations that the tokenizer is trained on.")] = 8000,
    questions: Annotated[int, typer.Option(help="Questions of each kind in the final report.")] = 400,
    reading: Annotated[int, typer.Option(help="Conversations of a reading score on the way.")] = 64,
    compiled: bool = True,
) -> None:
    """From seed to weights and report: tokenizer, training, export, evaluation."""
    resume = resume and (run / CHECKPOINT).exists()
    if not resume:
        make_tokenizer(run=run, source=source, count=count)
    long = resume and tokens_of(run) == LONG_TOKENS
    common: dict[str, Any] = {"run": run, "processes": processes, "device": device, "compiled": compiled}
    common |= {"source": source, "reading": reading}
    if not long:
        make_weights(minutes=(1 - LONG_SHARE) * minutes, resume=resume, **common)
    long_part: dict[str, Any] = {"minutes": LONG_SHARE * minutes, "tokens": LONG_TOKENS, "rate": LONG_RATE}
    make_weights(resume=long, extend=not long, **long_part, **common)
    make_folder(run=run, out=out)
    make_report(out=out, source=source, questions=questions)


@app.command("samples")
def make_samples(out: Path = Path("data/samples")) -> None:
    """Write the two sample projects: documents, training rows and questions."""
    for folder in build_samples(out):
        typer.echo(str(folder))


if __name__ == "__main__":
    app()
