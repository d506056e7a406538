"""What one attempt of a training is about, read from the store before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.datasets import licence_of
from core.errors import KurabeError
from core.jobs import JobContext
from core.models import BaseModelInfo, adapter_folder, merged_folder, resolve_base
from core.prompting import ChatTemplate
from core.store import read
from core.store import tables as tb
from core.training.config import TrainingConfig

__all__ = ["Task", "load_task", "task_of"]


@dataclass(frozen=True)
class Task:
    """One training: its record, configuration, base and places on the disk."""

    run: tb.TrainingRun
    config: TrainingConfig
    base: BaseModelInfo
    folder: Path
    """Files of the base."""
    template: ChatTemplate
    language: str
    dataset_hash: str
    data_licence: str
    """Of the dataset version; empty if nobody has said it."""
    run_dir: Path

    @property
    def adapter_id(self) -> str:
        """Id of what the run leaves: the run's own, so that a resumed run cannot leave two."""
        return self.run.id

    @property
    def target(self) -> Path:
        """Folder of the finished adapter, or of the finished model if all weights were trained."""
        return (merged_folder if self.config.plugin.whole else adapter_folder)(self.adapter_id)

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.run_dir / "checkpoints"


def load_task(ctx: JobContext) -> Task:
    """Read the run that the job is for.

    Raises:
        KurabeError: ``training.no_run``, ``training.base_missing``, what the chat template raises.
    """
    with read() as session:
        run = session.get(tb.TrainingRun, ctx.payload["run_id"])
    if run is None:
        raise KurabeError("training.no_run", id=ctx.payload["run_id"])
    return task_of(run, ctx)


def task_of(run: tb.TrainingRun, ctx: JobContext) -> Task:
    """Return the task of a run, which need not be stored.

    Raises:
        KurabeError: as `load_task`.
    """
    with read() as session:
        project = session.get(tb.Project, run.project_id)
        version = session.get(tb.DatasetVersion, run.dataset_version_id)
    if project is None or version is None:
        raise KurabeError("training.no_run", id=run.id)
    base = resolve_base(run.base_ref)
    if base.folder is None:
        raise KurabeError("training.base_missing", base=base.ref)
    return Task(
        run=run,
        config=TrainingConfig.from_dict(run.config),
        base=base,
        folder=base.folder,
        template=ChatTemplate.load(base.folder),
        language=project.language,
        dataset_hash=version.hash,
        data_licence=licence_of(version),
        run_dir=ctx.run_dir,
    )
