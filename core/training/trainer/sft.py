"""TRL's trainer for reference answers, set up so that it does what the configuration says and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedModel, TrainerCallback
from transformers import PreTrainedTokenizerBase as Tokenizer
from trl import SFTConfig, SFTTrainer  # type: ignore[attr-defined]  # trl loads its names lazily

from core.training.config import TrainingConfig
from core.training.rows import PreparedRow
from core.training.trainer.budget import Budget
from core.training.trainer.shared import BudgetedTrainer, arguments, equip

__all__ = ["SftRunner", "build_sft_runner", "sft_config"]


def sft_config(config: TrainingConfig, folder: Path, *, steps: int, device: str, bf16: bool) -> SFTConfig:
    """Return TRL's configuration."""
    return SFTConfig(
        **arguments(config, folder, steps=steps, device=device, bf16=bf16),
        packing=False,
        completion_only_loss=False,
        assistant_only_loss=False,
        loss_type="nll",
        shuffle_dataset=False,
        dataset_kwargs={"skip_prepare_dataset": True},
    )


class SftRunner(BudgetedTrainer, SFTTrainer):
    """TRL's trainer with Kurabe's row order and a learning rate that follows the budget."""


def build_sft_runner(
    model: PreTrainedModel | PeftModel,
    tokenizer: Tokenizer,
    settings: SFTConfig,
    config: TrainingConfig,
    train: Sequence[PreparedRow],
    validation: Sequence[PreparedRow],
    budget: Budget,
    watcher: TrainerCallback,
) -> SftRunner:
    """Return the trainer over rows that are tokens and labels already."""
    runner = SftRunner(
        model=model,
        args=settings,
        train_dataset=_dataset(train),
        eval_dataset=_dataset(validation) if validation else None,
        processing_class=tokenizer,
        callbacks=[watcher],
    )
    equip(runner, config, budget, [row.longest for row in train])
    return runner


def _dataset(rows: Sequence[PreparedRow]) -> Dataset:
    return Dataset.from_dict(
        {"input_ids": [row.tokens.input_ids for row in rows], "labels": [row.tokens.labels for row in rows]}
    )
