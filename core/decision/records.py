"""Decisions in the store: the inputs a team keeps, what approaches cost, and verdicts as they were given."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.approaches import get_approach, spec_of_row
from core.decision.costs import Running
from core.decision.verdict import DecisionInputs, Verdict, decide
from core.errors import KurabeError
from core.evaluation import ApproachResult, Results, openings, removed_sources, results
from core.knowledge import index_version
from core.prices import convert, price_device, price_training
from core.store import read, write
from core.store import tables as tb

__all__ = [
    "decide_experiment",
    "decision_inputs",
    "decisions",
    "latest_decision",
    "record_decision",
    "running_costs",
    "save_decision_inputs",
]

_KEY = "decision"


def decision_inputs(project: tb.Project) -> DecisionInputs:
    """Return what the team entered for the decision, or the defaults."""
    return DecisionInputs.from_dict(dict(project.settings.get(_KEY, {})))


def save_decision_inputs(project_id: str, inputs: DecisionInputs) -> None:
    """Keep the team's inputs with the project.

    Raises:
        KurabeError: ``store.missing``; ``decision.inputs`` if a number makes no sense.
    """
    if inputs.months < 1 or inputs.answers_per_month < 0 or inputs.refreshes_per_month < 0:
        raise KurabeError("decision.inputs", months=inputs.months, answers=inputs.answers_per_month)
    with write() as session:
        project = session.get(tb.Project, project_id)
        if project is None:
            raise KurabeError("store.missing", kind="project", id=project_id)
        values = {name: getattr(inputs, name) for name in inputs.__dataclass_fields__ if name != "gates"}
        values["gates"] = [{"criterion": gate.criterion, "limit": gate.limit} for gate in inputs.gates]
        project.settings = {**project.settings, _KEY: values}


def running_costs(found: Results, inputs: DecisionInputs, currency: str) -> dict[str, Running]:
    """Return each approach's cost parts: what its training and index took, and what its answers cost, measured.

    An approach of which one part has no price is left out: an unknown cost is not a small one.
    """
    costs: dict[str, Running] = {}
    for approach in found.approaches:
        if approach.cost.per_answer:
            with suppress(KurabeError):  # prices.unknown_device: nobody entered what this device costs
                costs[approach.approach_id] = _running(found, approach, inputs, currency)
    return costs


def _running(found: Results, approach: ApproachResult, inputs: DecisionInputs, currency: str) -> Running:
    spec = spec_of_row(get_approach(approach.approach_id))
    trained = _training_cost(spec.model.ref, currency) if spec.model.kind in ("adapter", "merged") else Decimal(0)
    built = _index_cost(found, currency) if spec.retrieves else Decimal(0)
    per_answer = Decimal(str(approach.cost.per_answer.estimate)) if approach.cost.per_answer else Decimal(0)
    return Running(
        setup=trained + built + Decimal(str(inputs.labour.get(approach.preset, 0))),
        monthly=Decimal(str(inputs.hosting.get(approach.preset, 0))),
        refresh=trained + built,
        per_answer=per_answer,
    )


def _index_cost(found: Results, currency: str) -> Decimal:
    index = index_version(found.index_version_id) if found.index_version_id else None
    return convert(price_device(index.seconds), currency).amount if index else Decimal(0)


def _training_cost(adapter_id: str, currency: str) -> Decimal:
    wanted = select(tb.TrainingRun).where(tb.TrainingRun.adapter_id == adapter_id)
    with read() as session:
        run = session.scalars(wanted).first()
    if run is None:
        return Decimal(0)
    # "seconds" are those of the last attempt; a resumed run was paid for before, too
    trained = float(run.result.get("train_seconds", 0.0)) + float(run.result.get("loading_seconds", 0.0))
    seconds, tokens = max(float(run.result.get("seconds", 0.0)), trained), int(run.result.get("tokens", 0))
    return convert(price_training(seconds, tokens), currency).amount


def decide_experiment(
    project: tb.Project, experiment_id: str, inputs: DecisionInputs | None = None, found: Results | None = None
) -> Verdict:
    """Work out an experiment's verdict with the team's inputs, without storing it.

    Args:
        project: Whose inputs and prices.
        experiment_id: What was measured.
        inputs: The team's numbers; by default those stored.
        found: Its results, where they are at hand.
    """
    found = found or results(experiment_id)
    wanted = inputs or decision_inputs(project)
    notes: list[dict[str, Any]] = [{"code": "one_run", "params": {}}] if _tuned(found) else []
    looked = openings(project.id, found.dataset_version_id)
    if found.split == "test" and looked.total > 1:
        notes.append({"code": "opened", "params": {"runs": looked.total, "configurations": looked.configurations}})
    if (sources := removed_sources(experiment_id)) is not None:
        notes.append({"code": "source_removed", "params": asdict(sources)})
    if project.base_ref == "starter":
        notes.insert(0, {"code": "practice", "params": {}})
    return decide(found, running_costs(found, wanted, project.currency), wanted, notes)


def _tuned(found: Results) -> bool:
    return any(approach.preset in ("fine_tuned", "fine_tuned_rag", "raft") for approach in found.approaches)


def record_decision(project_id: str, experiment_id: str) -> tb.Decision:
    """Work an experiment's verdict out and store it with everything that it rested on.

    Raises:
        KurabeError: ``store.missing``.
    """
    with read() as session:
        project = session.get(tb.Project, project_id)
    if project is None:
        raise KurabeError("store.missing", kind="project", id=project_id)
    verdict = decide_experiment(project, experiment_id)
    row = tb.Decision(
        project_id=project_id,
        experiment_id=experiment_id,
        inputs=verdict.as_dict()["inputs"],
        verdict=verdict.as_dict(),
    )
    with write() as session:
        session.add(row)
    return row


def decisions(project_id: str) -> list[tb.Decision]:
    """Return a project's decisions, the newest first."""
    wanted = select(tb.Decision).where(tb.Decision.project_id == project_id).order_by(tb.Decision.id.desc())
    with read() as session:
        return list(session.scalars(wanted))


def latest_decision(project_id: str) -> tb.Decision | None:
    """Return the newest decision, or None."""
    return next(iter(decisions(project_id)), None)
