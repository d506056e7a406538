"""How often the test questions were looked at: each look lets the luckiest configuration seem a little better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Exists, func, select
from sqlalchemy.orm import Session

from core.approaches import spec_of_row
from core.store import read
from core.store import tables as tb

from .robustness.config import PROBES


@dataclass(frozen=True, slots=True)
class Openings:
    """What the test split of one dataset was used for."""

    runs: int
    """Test runs on it that gave an answer; one that was stopped has shown its partial results."""
    configurations: int
    """Most configurations tried of one approach; seeds, models and prompts all make another one."""
    judgings: int = 0
    """Judgings of such runs in which a judge replied."""
    again: int = 0
    """Such runs whose questions were asked again under changed circumstances."""
    tried: dict[str, int] = field(default_factory=dict)
    """Configurations tried by preset, in the order of their number."""
    training_runs: int = 0
    """Training runs of the project that ended with weights."""

    @property
    def total(self) -> int:
        """Every look at answers to the test questions."""
        return self.runs + self.judgings + self.again


def openings(project_id: str, dataset_version_id: str) -> Openings:
    """Count the looks at a dataset's test split, and how many configurations were tried of each preset.

    All versions of the dataset count: a new one mostly asks the same questions again.
    """
    dataset = select(tb.DatasetVersion.dataset_id).where(tb.DatasetVersion.id == dataset_version_id).scalar_subquery()
    versions = select(tb.DatasetVersion.id).where(tb.DatasetVersion.dataset_id == dataset)
    # the approaches alone: a configuration also holds the id of every question
    wanted = select(tb.Experiment.id, tb.Experiment.config["approach_ids"]).where(
        tb.Experiment.project_id == project_id,
        tb.Experiment.dataset_version_id.in_(versions),
        tb.Experiment.split == "test",
        _answered(["quality"]),
    )
    trained = select(func.count(tb.TrainingRun.id)).where(
        tb.TrainingRun.project_id == project_id, tb.TrainingRun.adapter_id.is_not(None)
    )
    with read() as session:
        found = {i: names for i, names in session.execute(wanted)}
        tried = _tried(session, {str(name) for names in found.values() for name in names})
        return Openings(
            runs=len(found),
            configurations=max(tried.values(), default=0),
            judgings=_judgings(session, list(found)),
            again=_again(session, list(found)),
            tried=tried,
            training_runs=session.scalar(trained) or 0,
        )


def _answered(phases: Sequence[str]) -> Exists:
    """Whether an experiment has a finished answer of one of the phases; one look into the index of statuses."""
    a = tb.Answer
    mine = a.experiment_id == tb.Experiment.id, a.phase.in_(phases), a.status == "finished"
    return select(a.id).where(*mine).exists()


def _tried(session: Session, ids: set[str]) -> dict[str, int]:
    """Configurations by preset; the ceiling for retrieval is nothing that one chooses."""
    tried: defaultdict[str, set[str]] = defaultdict(set)
    for approach in session.scalars(select(tb.Approach).where(tb.Approach.id.in_(ids))):
        if spec_of_row(approach).ranked:
            tried[approach.preset].add(approach.hash)
    return {name: len(hashes) for name, hashes in sorted(tried.items(), key=lambda item: -len(item[1]))}


def _judgings(session: Session, ids: list[str]) -> int:
    replied = select(tb.Judgement.id).where(tb.Judgement.judging_id == tb.Judging.id, tb.Judgement.status == "finished")
    wanted = select(func.count(tb.Judging.id)).where(tb.Judging.experiment_id.in_(ids), replied.exists())
    return session.scalar(wanted) or 0


def _again(session: Session, ids: list[str]) -> int:
    """Runs with a probe of the test questions; general tasks are none of them."""
    probes = [name for name in PROBES if name != "abilities"]
    return session.scalar(select(func.count(tb.Experiment.id)).where(tb.Experiment.id.in_(ids), _answered(probes))) or 0
