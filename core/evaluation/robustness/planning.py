"""Before the second look: which approach gets which probe; then make its rows and queue its job."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import delete, select

from core.approaches import (
    AnswerRequest,
    ApproachSpec,
    PromptChoice,
    get_approach,
    insert_rows,
    new_row,
    spec_of_row,
)
from core.errors import KurabeError
from core.identity import content_hash
from core.jobs import JobView, job_view, submit
from core.store import read, write
from core.store import tables as tb

from ..planning import draw
from .config import Probe, RobustnessConfig, RobustnessPlan
from .probes import abilities, reworded

NOTE = "robustness"
"""Key in an answer's notes: under which settings the probe was asked."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a second look needs of its experiment."""

    experiment: tb.Experiment
    approaches: dict[str, tb.Approach]
    examples: list[tb.Example]
    language: str


def look(config: RobustnessConfig) -> Looked:
    """Read the experiment.

    Raises:
        KurabeError: `store.missing`; `robustness.unfinished` before the experiment has ended: there is nothing yet to
            compare with.
    """
    with read() as session:
        experiment = session.get(tb.Experiment, config.experiment_id)
        if experiment is None:
            raise KurabeError("store.missing", kind="experiment", id=config.experiment_id)
        ids = list(experiment.config["example_ids"])
        wanted = select(tb.Example).where(
            tb.Example.version_id == experiment.dataset_version_id, tb.Example.split == experiment.split
        )
        known = {example.id: example for example in session.scalars(wanted)}
        language = session.get_one(tb.Project, experiment.project_id).language
    if experiment.completed_at is None:
        raise KurabeError("robustness.unfinished", experiment=experiment.name)
    examples = draw([known[i] for i in ids if i in known], config.questions, config.seed)
    return Looked(experiment, {i: get_approach(i) for i in experiment.config["approach_ids"]}, examples, language)


def requests(config: RobustnessConfig, looked: Looked) -> list[AnswerRequest]:
    """Every question of every probe to every approach that it says something about."""
    made: list[AnswerRequest] = []
    for probe in dict.fromkeys(config.probes):
        for approach in looked.approaches.values():
            if _concerns(probe, spec_of_row(approach)):
                made += _asked(probe, config, looked, approach)
    return made


def _concerns(probe: Probe, spec: ApproachSpec) -> bool:
    """Whether a probe can change anything for an approach."""
    if probe in ("shuffled", "outage"):
        return spec.retrieves and spec.ranked
    if probe == "abilities":
        # one approach for each set of weights: what it reads beside the question is no ability of the weights
        return spec.context.get("name") == "none" or (spec.context.get("name") == "retrieved" and spec.preset == "raft")
    return spec.ranked


def _asked(probe: Probe, config: RobustnessConfig, looked: Looked, approach: tb.Approach) -> list[AnswerRequest]:
    notes = {NOTE: {"temperature": config.temperature if probe == "repeated" else None, "seed": config.seed}}
    common = {
        "project_id": looked.experiment.project_id,
        "approach_id": approach.id,
        "experiment_id": looked.experiment.id,
        "phase": probe,
        "notes": notes,
    }
    if probe == "abilities":
        bare = PromptChoice()
        return [
            AnswerRequest(question=task["question"], example_id=key, prompt=bare, retrieval_off=True, **common)  # type: ignore[arg-type]  # a mapping of mixed values
            for key, task in abilities(looked.language).items()
        ]
    return [
        AnswerRequest(
            question=reworded(example, looked.language) if probe == "reworded" else example.question,
            example_id=example.id,
            repetition=repetition,
            retrieval_off=probe == "outage",
            shuffle=config.seed if probe == "shuffled" else None,
            **common,  # type: ignore[arg-type]  # a mapping of mixed values
        )
        for example in looked.examples
        for repetition in range(config.repetitions if probe == "repeated" else 1)
    ]


def plan_robustness(config: RobustnessConfig) -> RobustnessPlan:
    """What a second look would take, without asking anything.

    Raises:
        KurabeError: as `look`.
    """
    counts = Counter(str(request.phase) for request in requests(config, look(config)))
    return RobustnessPlan(sum(counts.values()), dict(counts))


def current_look(experiment_id: str) -> JobView | None:
    """The job that asks again of an experiment: the one that waits or runs, else the newest; None without any."""
    wanted = select(tb.Job.id, tb.Job.payload).where(tb.Job.kind == "robustness")
    with read() as session:
        found = session.execute(wanted.order_by(tb.Job.created_at.desc(), tb.Job.id.desc())).all()
    views = [job_view(i) for i, payload in found if payload.get("config", {}).get("experiment_id") == experiment_id]
    return next((view for view in views if view.active), views[0] if views else None)


def start_robustness(config: RobustnessConfig, *, launch: bool = True) -> str | None:
    """Make the rows, in place of those of an earlier second look, and queue the job; return the job's id.

    `launch=False` only stores them.

    Raises:
        KurabeError: as `look`; `robustness.no_probes` when nothing is left to ask; `robustness.active` while a look
            at the same experiment waits or runs: its rows would be taken from under it.
    """
    looked = look(config)
    current = current_look(config.experiment_id)
    if current is not None and current.active:
        raise KurabeError("robustness.active", experiment=looked.experiment.name)
    asked = requests(config, looked)
    if not asked:
        raise KurabeError("robustness.no_probes")
    mine = tb.Answer.experiment_id == config.experiment_id, tb.Answer.phase.in_(list(config.probes))
    with write() as session:
        session.execute(delete(tb.Answer).where(*mine))
        insert_rows(session, [new_row(request, looked.approaches[request.approach_id], {}) for request in asked])
    if not launch:
        return None
    try:
        return _submitted(config, looked)
    except Exception:
        with write() as session:  # nobody would ever answer them
            session.execute(delete(tb.Answer).where(*mine, tb.Answer.status == "pending"))
        raise


def _submitted(config: RobustnessConfig, looked: Looked) -> str:
    specs = [spec_of_row(approach) for approach in looked.approaches.values()]
    keys = sorted({spec.model.key_name for spec in specs if spec.model.key_name})
    payload = {"config": config.model_dump(mode="json"), "hash": content_hash(config.model_dump(mode="json"))}
    return submit("robustness", payload, project_id=looked.experiment.project_id, needs_secret=keys or None)
