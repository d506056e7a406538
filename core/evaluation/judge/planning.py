"""Before a judging: what it will take; then freeze it and queue its job."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.approaches import ModelChoice, check_key_name, get_approach, spec_of_row
from core.errors import KurabeError
from core.identity import content_hash, new_id
from core.jobs import submit
from core.prices import remember_prices
from core.prompting import judging_hash
from core.store import read, write
from core.store import tables as tb

from ..asking import cost_of, prompt_tokens, token_counter
from ..config import JudgeChoice
from .calls import Call, Material, count_by_kind, judged_metrics
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


def check_judge(choice: JudgeChoice | JudgeConfig) -> None:
    """Refuse a judge that could never begin, before anything is asked.

    Raises:
        KurabeError: `approaches.key_name` for a key in the place of its variable's name, `approaches.endpoint_url` for
            an endpoint without an address, `registry.unknown` and `judge.metric` for a metric that no judge measures,
            `judge.no_calls` when it is to judge nothing.
    """
    check_key_name(choice.model.key_name)
    if choice.model.kind == "endpoint" and not (choice.model.url or "").startswith(("http://", "https://")):
        raise KurabeError("approaches.endpoint_url", url=choice.model.url or "")
    if not judged_metrics(choice) and choice.pairs == "none":
        raise KurabeError("judge.no_calls")


def _is_candidate(model: ModelChoice, experiment: tb.Experiment) -> bool:
    judged = [spec_of_row(get_approach(i)).model for i in experiment.config["approach_ids"]]
    return any((own.url, own.served_name) == (model.url, model.served_name) for own in judged)


def start_judging(config: JudgeConfig, *, launch: bool = True) -> tb.Judging:
    """Freeze a judging and queue its job, both or neither; `launch=False` only stores it.

    Raises:
        KurabeError: as `check_judge`; `store.missing`, `judge.nothing`, `judge.no_calls` when nothing is left to ask.
    """
    check_judge(config)
    material = Material.load(config)
    calls = list(material.calls())
    if not calls:
        raise KurabeError("judge.no_calls")
    same = [[one.id, two.id] for one, two in material.pairs()[1]]
    frozen: dict[str, Any] = {**config.model_dump(mode="json"), "words": judging_hash(), "same_pairs": same}
    owned = {"project_id": material.experiment.project_id}
    judging = tb.Judging(id=new_id(), **owned, experiment_id=config.experiment_id, config=frozen,
                         hash=content_hash(frozen))  # fmt: skip
    remember_prices()

    def store(session: Session, job_id: str | None = None) -> None:
        judging.job_id = job_id
        session.add(judging)
        session.flush()
        session.add_all(_row(judging, call) for call in calls)

    if not launch:
        with write() as session:
            store(session)
        return judging
    key = config.model.key_name
    submit("judge", {"judging_id": judging.id}, needs_secret=[key] if key else None, record=store, **owned)
    return judging


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


def judgings(experiment_id: str) -> list[tb.Judging]:
    """An experiment's judgings, newest first."""
    wanted = select(tb.Judging).where(tb.Judging.experiment_id == experiment_id).order_by(tb.Judging.id.desc())
    with read() as session:
        return list(session.scalars(wanted))
