"""Before a judging: what it will take; then freeze it and queue its job."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from core.approaches import ModelChoice, check_key_name, get_approach, spec_of_row
from core.errors import KurabeError
from core.identity import content_hash
from core.jobs import submit
from core.prices import remember_prices
from core.prompting import judging_hash
from core.store import read, write
from core.store import tables as tb

from ..asking import cost_of, prompt_tokens, token_counter
from .calls import Call, Material, count_by_kind
from .config import JudgeConfig, JudgePlan


def plan_judging(config: JudgeConfig) -> JudgePlan:
    """What a judging would take, without asking anything.

    Raises:
        KurabeError: as `start_judging`.
    """
    check_key_name(config.model.key_name)
    material = Material.load(config)
    calls = list(material.calls())
    counter = token_counter(config.model)
    read_tokens = prompt_tokens((call.messages for call in calls), counter)
    written = len(calls) * config.max_tokens
    with read() as session:
        currency = session.get_one(tb.Project, material.experiment.project_id).currency
    return JudgePlan(
        questions=len(material.answers),
        calls=len(calls),
        prompt_tokens=read_tokens,
        completion_tokens=written,
        cost=cost_of(config.model, read_tokens, written, currency),
        currency=currency,
        counted_by=counter.name,
        by_kind=count_by_kind(calls),
        same=len(material.pairs()[1]),
        candidate=_is_candidate(config.model, material.experiment),
    )


def _is_candidate(model: ModelChoice, experiment: tb.Experiment) -> bool:
    judged = [spec_of_row(get_approach(i)).model for i in experiment.config["approach_ids"]]
    return any((own.url, own.served_name) == (model.url, model.served_name) for own in judged)


def start_judging(config: JudgeConfig, *, launch: bool = True) -> tb.Judging:
    """Freeze a judging and queue its job; `launch=False` only stores it.

    Raises:
        KurabeError: `store.missing`, `registry.unknown`, `judge.metric`, `judge.nothing`, `judge.no_calls` when
            nothing is left to ask, `approaches.endpoint_url` for an endpoint without an address,
            `approaches.key_name` for a key in the place of its variable's name.
    """
    check_key_name(config.model.key_name)
    if config.model.kind == "endpoint" and not (config.model.url or "").startswith(("http://", "https://")):
        raise KurabeError("approaches.endpoint_url", url=config.model.url or "")
    material = Material.load(config)
    calls = list(material.calls())
    if not calls:
        raise KurabeError("judge.no_calls")
    same = [[one.id, two.id] for one, two in material.pairs()[1]]
    frozen: dict[str, Any] = {**config.model_dump(mode="json"), "words": judging_hash(), "same_pairs": same}
    owned = {"project_id": material.experiment.project_id}
    judging = tb.Judging(**owned, experiment_id=config.experiment_id, config=frozen, hash=content_hash(frozen))
    remember_prices()
    with write() as session:
        session.add(judging)
        session.flush()
        session.add_all(_row(judging, call) for call in calls)
    return _launched(judging, config) if launch else judging


def _row(judging: tb.Judging, call: Call) -> tb.Judgement:
    return tb.Judgement(
        project_id=judging.project_id,
        judging_id=judging.id,
        kind=call.kind,
        example_id=call.example_id,
        answer_id=call.answer_id,
        other_answer_id=call.other_id,
        swapped=call.swapped,
        part=call.part,
        messages=call.messages,
    )


def _launched(judging: tb.Judging, config: JudgeConfig) -> tb.Judging:
    payload, key = {"judging_id": judging.id}, config.model.key_name
    job_id = submit("judge", payload, project_id=judging.project_id, needs_secret=[key] if key else None)
    with write() as session:
        stored = session.get(tb.Judging, judging.id)
        if stored is not None:
            stored.job_id = job_id
    judging.job_id = job_id
    return judging


def judgings(experiment_id: str) -> list[tb.Judging]:
    """An experiment's judgings, newest first."""
    wanted = select(tb.Judging).where(tb.Judging.experiment_id == experiment_id).order_by(tb.Judging.id.desc())
    with read() as session:
        return list(session.scalars(wanted))
