"""How often the test questions were looked at: each look lets the luckiest configuration seem a little better."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select

from core.approaches import spec_of_row
from core.store import read
from core.store import tables as tb


@dataclass(frozen=True, slots=True)
class Openings:
    """What the test split of one dataset was used for."""

    runs: int
    """Test runs on it that were finished."""
    configurations: int
    """Most configurations tried of one approach; seeds, models and prompts all make another one."""


def openings(project_id: str, dataset_version_id: str) -> Openings:
    """Count the finished test runs on a dataset's test split, and how many configurations they tried of each preset.

    All versions of the dataset count: a new one mostly asks the same questions again.
    """
    dataset = select(tb.DatasetVersion.dataset_id).where(tb.DatasetVersion.id == dataset_version_id).scalar_subquery()
    versions = select(tb.DatasetVersion.id).where(tb.DatasetVersion.dataset_id == dataset)
    # the approaches alone: a configuration also holds the id of every question
    wanted = select(tb.Experiment.config["approach_ids"]).where(
        tb.Experiment.project_id == project_id,
        tb.Experiment.dataset_version_id.in_(versions),
        tb.Experiment.split == "test",
        tb.Experiment.completed_at.is_not(None),
    )
    tried: defaultdict[str, set[str]] = defaultdict(set)
    with read() as session:
        found = list(session.scalars(wanted))
        ids = {str(name) for names in found for name in names}
        for approach in session.scalars(select(tb.Approach).where(tb.Approach.id.in_(ids))):
            if spec_of_row(approach).ranked:
                tried[approach.preset].add(approach.hash)
    return Openings(len(found), max((len(hashes) for hashes in tried.values()), default=0))
