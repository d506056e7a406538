"""A training's configuration: fields with bounds, and presets with sound defaults by model size."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from core.datasets import latest_version
from core.errors import KurabeError
from core.identity import content_hash
from core.models import resolve_base
from core.store import read
from core.store import tables as tb
from core.training.methods import METHODS, Method, build_method, check_fields, option, spec_of
from core.training.objectives import OBJECTIVES, Objective, build_objective

__all__ = ["PRESETS", "ROW_STYLES", "TrainingConfig", "owner_of"]

ROW_STYLES = ("plain", "raft", "mix")
"""How rows are worded: the bare question; with retrieved passages; each row both ways."""

PRESETS = ("quick", "balanced", "thorough")
"""How much time to give: a first look, the usual, as good as it gets."""


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides what a training does; equal configurations on equal data train the same way."""

    dataset_version_id: str
    """Version whose training split is learned and whose validation split is watched."""
    name: str = ""
    """What people call the run; empty names it by method and rows."""
    base_ref: str = "starter"
    """Base model, as in the catalogue."""
    method: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "lora"})
    """Name of the method and those of its fields that differ from their defaults."""
    objective: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "sft"})
    """Name of the objective and those of its fields that differ from their defaults."""
    row_style: Literal["plain", "raft", "mix"] = option("plain", "training.field.row_style", choices=ROW_STYLES)
    """Bare questions, questions with retrieved passages, or both."""
    index_version_id: str | None = None
    """Index that the passages come from; needed by ``raft`` and ``mix``."""
    passages: int = option(4, "training.field.passages", minimum=1, maximum=20)
    """Passages shown with a row: those that hold the answer and distractors from the search."""
    without_gold: float = option(0.2, "training.field.without_gold", minimum=0.0, maximum=1.0)
    """Share of rows whose passages lack the answer, so that the model also learns it (Zhang et al. 2024)."""
    instructions: str = ""
    """System instructions of every row, as the approaches send them."""
    house_rules: str = ""
    """House rules of every row, as the approaches send them."""
    train_on: Literal["completion", "assistant"] = option(
        "completion", "training.field.train_on", choices=("completion", "assistant")
    )
    """Learn the last answer only, or every answer of a chat."""
    data_share: float = option(1.0, "training.field.data_share", minimum=0.001, maximum=1.0)
    """Share of the training rows used; smaller shares are part of larger ones."""
    epochs: float | None = option(None, "training.field.epochs", minimum=0.01, maximum=1000)
    """Times that every row is seen; None: only the time limit ends the run."""
    seconds_limit: float | None = option(None, "training.field.seconds_limit", minimum=1, maximum=30 * 86400)
    """Seconds of training after which it ends, its learning rate having fallen to zero by then."""
    learning_rate: float = option(2e-4, "training.field.learning_rate", minimum=1e-9, maximum=10.0)
    """Peak step size."""
    schedule: Literal["linear", "cosine", "constant"] = option(
        "linear", "training.field.schedule", choices=("linear", "cosine", "constant")
    )
    """How the learning rate falls with the share of the budget that is used."""
    warmup_steps: int = option(10, "training.field.warmup_steps", minimum=0, maximum=10000)
    """Steps over which the learning rate rises to its peak."""
    batch_size: int = option(8, "training.field.batch_size", minimum=1, maximum=1024)
    """Rows computed at once."""
    accumulation: int = option(1, "training.field.accumulation", minimum=1, maximum=1024)
    """Batches added up before each step."""
    max_length: int = option(1024, "training.field.max_length", minimum=16, maximum=131072)
    """Most tokens of a row; longer rows lose distractor passages first and are left out, and listed, if that fails."""
    weight_decay: float = option(0.0, "training.field.weight_decay", minimum=0.0, maximum=1.0)
    """How strongly weights are drawn to zero."""
    max_gradient: float = option(1.0, "training.field.max_gradient", minimum=0.0, maximum=1000.0)
    """Norm to which a larger gradient is cut."""
    gradient_checkpointing: bool = option(False, "training.field.gradient_checkpointing")
    """Compute activations twice to hold fewer: less memory, about a fifth slower."""
    precision: Literal["auto", "fp32", "bf16"] = option(
        "auto", "training.field.precision", choices=("auto", "fp32", "bf16")
    )
    """Number format of the computation; ``auto``: bf16 on GPUs that have it, else fp32."""
    evaluations: int = option(4, "training.field.evaluations", minimum=1, maximum=100)
    """How often validation loss, sample answers and a checkpoint are taken."""
    evaluation_rows: int = option(64, "training.field.evaluation_rows", minimum=1, maximum=10000)
    """Most validation rows on which the loss is measured."""
    sample_questions: int = option(4, "training.field.sample_questions", minimum=0, maximum=32)
    """Validation questions answered at each evaluation, always the same ones."""
    patience: int | None = option(None, "training.field.patience", minimum=1, maximum=100)
    """Evaluations without a better validation loss after which it ends early; None never does."""
    seed: int = option(0, "training.field.seed", minimum=0, maximum=2**31 - 1)
    """Seed of initial weights, row order and passages."""

    def __post_init__(self) -> None:
        """Refuse values out of bounds and combinations that cannot work.

        Raises:
            KurabeError: ``training.bad_field``, ``training.no_end``, ``training.refused``, ``registry.…``.
        """
        check_fields(self)
        if self.epochs is None and self.seconds_limit is None:
            raise KurabeError("training.no_end")
        method, objective = self.plugin, self.aim
        if self.gradient_checkpointing and method.name == "prefix":
            raise KurabeError("training.refused", method=method.name, option="gradient_checkpointing")
        if objective.pairs:
            if option := _unpaired_option(self, method):
                raise KurabeError("training.refused_pairs", objective=objective.name, option=option)

    @property
    def plugin(self) -> Method:
        """The method as an object."""
        return build_method(self.method)

    @property
    def aim(self) -> Objective:
        """The objective as an object."""
        return build_objective(self.objective)

    @property
    def hash(self) -> str:
        """Hash of everything but the name."""
        return content_hash({key: value for key, value in self.as_dict().items() if key != "name"})

    def as_dict(self) -> dict[str, Any]:
        """Return the stored form."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingConfig:
        """Rebuild a configuration from its stored form; fields that an older version lacked take their defaults.

        Raises:
            KurabeError: as the constructor, and ``registry.bad_fields`` for unknown fields.
        """
        try:
            return cls(**values)
        except TypeError as error:
            raise KurabeError("registry.bad_fields", name="training", detail=str(error)) from error

    @classmethod
    def preset(
        cls,
        project_id: str,
        *,
        preset: str = "balanced",
        method: str = "lora",
        objective: str = "sft",
        row_style: str = "plain",
        seconds_limit: float | None = None,
        base_ref: str | None = None,
        dataset_version_id: str | None = None,
        index_version_id: str | None = None,
        **fields: Any,
    ) -> TrainingConfig:
        """Return a configuration that suits the project's base model, data and prompt.

        Args:
            project_id: its base, newest dataset version, newest index, instructions and rules are taken.
            preset: one of `PRESETS`.
            method: name of a method; its fields are set by the base's size.
            objective: name of an objective.
            row_style: one of `ROW_STYLES`; ``raft`` is trained on ``raft`` rows.
            seconds_limit: another time limit than the preset's.
            base_ref: another base than the project's.
            dataset_version_id: another version than the newest.
            index_version_id: another index than the newest, where rows carry passages.
            fields: any other field of the configuration; ``method_fields`` and ``objective_fields``: those of the
                method and of the objective.

        Raises:
            KurabeError: ``training.no_data``, ``training.no_index``, ``registry.unknown``, what `resolve_base` raises.
        """
        if preset not in PRESETS:
            raise KurabeError("training.bad_field", field="preset", found=preset, expected=", ".join(PRESETS))
        with read() as session:
            project = session.get(tb.Project, project_id)
        if project is None:
            raise KurabeError("training.no_project", id=project_id)
        base = base_ref or project.base_ref
        version = dataset_version_id or _newest_version(project_id)
        values: dict[str, Any] = {
            **_for_rows(_sized(base, METHODS.get(method), OBJECTIVES.get(objective), preset), version),
            "instructions": project.instructions,
            "house_rules": project.house_rules,
            "index_version_id": None if row_style == "plain" else index_version_id or _newest_index(project_id),
            **fields,
        }
        for part in ("method", "objective"):
            if own := values.pop(f"{part}_fields", None):
                values[part] = {**values[part], **own}
        if seconds_limit is not None:
            values["seconds_limit"] = seconds_limit
        return cls(dataset_version_id=version, base_ref=base, row_style=row_style, **values)  # type: ignore[arg-type]  # checked by check_fields


def owner_of(config: TrainingConfig) -> tuple[tb.DatasetVersion | None, tb.Project | None]:
    """Return the dataset version that a configuration names and the project that owns it; None where they are gone."""
    with read() as session:
        version = session.get(tb.DatasetVersion, config.dataset_version_id)
        return version, session.get(tb.Project, version.project_id) if version else None


def _unpaired_option(config: TrainingConfig, method: Method) -> str | None:
    """Return the option that does not go together with pairs of answers, if one is set."""
    if getattr(method, "dropout", 0.0):
        # the base's own answers are the measure, and they are taken without it
        return "dropout"
    return "train_on" if config.train_on != "completion" else None


def _newest_version(project_id: str) -> str:
    version = latest_version(project_id)
    if version is None:
        raise KurabeError("training.no_data")
    return str(version.id)


def _newest_index(project_id: str) -> str:
    # Imported here: search libraries take a second that trainings on plain rows need not wait for.
    from core.knowledge import default_kb, latest_index

    index = latest_index(default_kb(project_id).id)
    if index is None:
        raise KurabeError("training.no_index")
    return str(index.id)


_SIZES: tuple[tuple[float, dict[str, Any]], ...] = (
    (1e8, {"learning_rate": 3e-3, "batch_size": 8, "accumulation": 1, "max_length": 1024}),
    (3e9, {"learning_rate": 2e-4, "batch_size": 8, "accumulation": 2, "max_length": 2048}),
    (2e10, {"learning_rate": 1e-4, "batch_size": 4, "accumulation": 4, "max_length": 2048}),
    (float("inf"), {"learning_rate": 5e-5, "batch_size": 1, "accumulation": 16, "max_length": 2048}),
)
"""Defaults by parameters of the base: the first row whose bound is larger. Rates and batches of the LoRA and QLoRA
papers and of TRL's recipes; those of the starter were found by trying."""

_SMALL_SECONDS = {"quick": 15.0, "balanced": 48.0, "thorough": 180.0}
_EPOCHS = {"quick": 1.0, "balanced": 3.0, "thorough": 5.0}


_FEWEST_STEPS = 50
"""Steps below which a run hardly leaves where it began: a few dozen rows are then learned in smaller batches."""


def _for_rows(values: dict[str, Any], version_id: str) -> dict[str, Any]:
    """Return defaults that also suit how many rows there are: enough steps, and a rise that is a tenth of them."""
    with read() as session:
        version = session.get(tb.DatasetVersion, version_id)
    rows = int((version.counts if version else {}).get("splits", {}).get("train", 0))
    epochs = values.get("epochs")
    if not rows or epochs is None:  # a run that only its time ends takes as many steps as fit
        return values
    batch, accumulation = values["batch_size"], values["accumulation"]
    while rows * epochs / (batch * accumulation) < _FEWEST_STEPS and batch * accumulation > 1:
        batch, accumulation = (batch, accumulation // 2) if accumulation > 1 else (batch // 2, 1)
    steps = rows * epochs / (batch * accumulation)
    warmup = max(1, min(_WARMUP, round(steps / 10)))
    return {**values, "batch_size": batch, "accumulation": accumulation, "warmup_steps": warmup}


_WARMUP = 10
"""Most steps over which the learning rate rises by default."""


def _sized(base_ref: str, method: type[Method], objective: type[Objective], preset: str) -> dict[str, Any]:
    parameters = resolve_base(base_ref).parameters or 10**9
    values = dict(next(row for bound, row in _SIZES if parameters < bound))
    small = parameters < _SIZES[0][0]
    values["learning_rate"] *= method.rate_factor
    if method.name != "prefix":  # its vectors begin at random and must first come to mean anything
        values["learning_rate"] *= objective.rate_factor(parameters)
    values["method"] = spec_of(method(**method.sized(parameters)))
    values["objective"] = spec_of(objective())
    values["gradient_checkpointing"] = not small and parameters > 3e9 and method.name != "prefix"
    if small:
        values |= {"seconds_limit": _SMALL_SECONDS[preset], "evaluation_rows": 24, "sample_questions": 3}
    else:
        values["epochs"] = _EPOCHS[preset]
        values["patience"] = 3 if preset == "thorough" else None
    values["evaluations"] = {"quick": 2, "balanced": 3 if small else 4, "thorough": 8}[preset]
    return values
