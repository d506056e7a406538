"""A dataset version and a run as they lie in the store, without an import or a job."""

from __future__ import annotations

from collections.abc import Sequence

from core.store import tables as tb
from core.store import write
from core.training import TrainingConfig

Row = tuple[str, str, str]
"""Split, question and answer."""


def store_version(name: str, rows: Sequence[Row], *, instructions: str = "") -> tb.DatasetVersion:
    """Store a project of this name with one version of these rows, in their order."""
    with write() as session:
        project = tb.Project(name=name, language="en", instructions=instructions)
        session.add(project)
        session.flush()
        dataset = tb.Dataset(project_id=project.id, name=name)
        session.add(dataset)
        session.flush()
        version = tb.DatasetVersion(
            project_id=project.id, dataset_id=dataset.id, hash=f"k1:{name}", ready=True, row_count=len(rows)
        )
        session.add(version)
        session.flush()
        for position, (split, question, answer) in enumerate(rows):
            session.add(
                tb.Example(
                    project_id=project.id,
                    version_id=version.id,
                    position=position,
                    split=split,
                    question=question,
                    answer=answer,
                )
            )
    return version


def store_run(config: TrainingConfig, name: str) -> str:
    """Store a run as `start_training` does, without the job; return its id."""
    with write() as session:
        version = session.get_one(tb.DatasetVersion, config.dataset_version_id)
        run = tb.TrainingRun(
            project_id=version.project_id,
            name=name,
            dataset_version_id=config.dataset_version_id,
            base_ref=config.base_ref,
            method=config.plugin.name,
            row_style=config.row_style,
            seed=config.seed,
            config=config.as_dict(),
        )
        session.add(run)
        session.flush()
        return str(run.id)
