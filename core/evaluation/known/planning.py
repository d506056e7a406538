"""Before the look: draw the training rows that teach a fact, say what asking takes; then freeze it, queue its job."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.approaches import check_key_name
from core.datasets import version
from core.errors import KurabeError
from core.identity import content_hash, new_id
from core.jobs import job_view, submit
from core.measures import METRICS, expectation
from core.prices import remember_prices
from core.prompting import Message, PromptInput, build_messages, template_hash
from core.store import read, write
from core.store import tables as tb

from ..asking import cost_of, prompt_tokens, token_counter
from .config import KnownConfig, KnownPlan
from .outcome import latest_known

_BATCH = 500
"""Rows read, and rows written, at a time."""

_FACTS = ("value", "text")
"""Kinds of expectation that something known could meet; a form, a label or declining is learned, not known."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The rows to ask."""

    project: tb.Project
    examples: list[tb.Example]
    available: int
    left_out: int

    def messages(self, example: tb.Example) -> list[Message]:
        """The question closed book, with the project's own prompt as the plain model gets it in a test run."""
        prompt = PromptInput(
            language=self.project.language,
            question=example.question,
            instructions=self.project.instructions,
            house_rules=self.project.house_rules,
        )
        return build_messages(prompt)


def plan_known(config: KnownConfig) -> KnownPlan:
    """What a look would take, without asking anything.

    Raises:
        KurabeError: as `start_known`.
    """
    drawn = _draw(config)
    counter = token_counter(config.model)
    read_tokens = prompt_tokens((drawn.messages(example) for example in drawn.examples), counter)
    written = len(drawn.examples) * config.max_tokens
    return KnownPlan(
        calls=len(drawn.examples),
        available=drawn.available,
        left_out=drawn.left_out,
        prompt_tokens=read_tokens,
        completion_tokens=written,
        cost=cost_of(config.model, read_tokens, written, drawn.project.currency),
        currency=drawn.project.currency,
        counted_by=counter.name,
    )


def start_known(config: KnownConfig, *, launch: bool = True) -> tb.KnownRun:
    """Freeze a look and queue its job, both or neither; `launch=False` only stores it.

    Raises:
        KurabeError: `store.missing`; `known.no_rows` when no training row teaches a fact; `known.active` while a look
            at the same version waits or runs; `registry.unknown` and `evaluation.judged_metric` for the metric;
            `approaches.endpoint_url` and `approaches.key_name` for the model.
    """
    check_key_name(config.model.key_name)
    if config.model.kind == "endpoint" and not (config.model.url or "").startswith(("http://", "https://")):
        raise KurabeError("approaches.endpoint_url", url=config.model.url or "")
    if METRICS.get(config.metric).judged:
        raise KurabeError("evaluation.judged_metric", name=config.metric)
    _refuse_second(config.dataset_version_id)
    drawn = _draw(config)
    frozen = {**config.model_dump(mode="json"), "words": template_hash()}
    run = tb.KnownRun(
        id=new_id(),
        project_id=drawn.project.id,
        version_id=config.dataset_version_id,
        config=frozen,
        hash=content_hash({"config": frozen, "rows": [example.id for example in drawn.examples]}),
        available=drawn.available,
        left_out=drawn.left_out,
    )
    remember_prices()

    def store(session: Session, job_id: str | None = None) -> None:
        run.job_id = job_id
        session.add(run)
        session.flush()
        session.add_all(_row(run, example, drawn) for example in drawn.examples)

    if not launch:
        with write() as session:
            store(session)
        return run
    key = config.model.key_name
    owned = {"project_id": run.project_id}
    submit("known", {"run_id": run.id}, needs_secret=[key] if key else None, record=store, **owned)
    return run


def _row(run: tb.KnownRun, example: tb.Example, drawn: _Drawn) -> tb.KnownCall:
    return tb.KnownCall(
        project_id=run.project_id,
        run_id=run.id,
        example_id=example.id,
        position=example.position,
        messages=drawn.messages(example),
    )


def _refuse_second(version_id: str) -> None:
    last = latest_known(version_id)
    if last is not None and last.job_id is not None and job_view(last.job_id).active:
        raise KurabeError("known.active")


def _draw(config: KnownConfig) -> _Drawn:
    """Draw training rows at random until enough of them teach a fact; no more are read than that takes."""
    found = version(config.dataset_version_id)
    mine = tb.Example.version_id == found.id, tb.Example.split == "train"
    with read() as session:
        project = session.get_one(tb.Project, found.project_id)
        places = list(session.scalars(select(tb.Example.position).where(*mine).order_by(tb.Example.position)))
    random.Random(config.seed).shuffle(places)
    kept: list[tb.Example] = []
    left_out = 0
    for row in _in_order(mine, places):
        if config.rows is not None and len(kept) >= config.rows:
            break
        if _teaches(row):
            kept.append(row)
        else:
            left_out += 1
    if not kept:
        raise KurabeError("known.no_rows", rows=len(places))
    return _Drawn(project, sorted(kept, key=lambda row: row.position), len(places), left_out)


def _in_order(mine: tuple[ColumnElement[bool], ...], places: list[int]) -> Iterator[tb.Example]:
    for start in range(0, len(places), _BATCH):
        part = places[start : start + _BATCH]
        with read() as session:
            found = session.scalars(select(tb.Example).where(*mine, tb.Example.position.in_(part)))
            rows = {row.position: row for row in found}
        yield from (rows[place] for place in part)


def _teaches(example: tb.Example) -> bool:
    """Tell whether a row asks for something that can be known: one question, answered by a fact or in words."""
    expected = expectation(example.expects or {}, example.value)
    single = sum(message.get("role") == "user" for message in example.messages) <= 1
    answered = bool(example.value or example.answer.strip())
    return expected.kind in _FACTS and single and answered and bool(example.question.strip())
