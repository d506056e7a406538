"""TRL's trainer for preference pairs, set up so that it does what the configuration says and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedModel, TrainerCallback
from transformers import PreTrainedTokenizerBase as Tokenizer
from trl import DPOConfig, DPOTrainer  # type: ignore[attr-defined]  # trl loads its names lazily
from trl.trainer.dpo_trainer import DataCollatorForPreference

from core.training.config import TrainingConfig
from core.training.rows import PreparedRow
from core.training.trainer.budget import Budget
from core.training.trainer.shared import BudgetedTrainer, arguments, equip

__all__ = ["DpoRunner", "build_dpo_runner", "dpo_config"]


def dpo_config(config: TrainingConfig, folder: Path, *, steps: int, device: str, bf16: bool) -> DPOConfig:
    """Return TRL's configuration.

    Dropout is off: the reference is computed without it, and the reward must measure what was learned alone.
    """
    aim: Any = config.aim
    losses, weights = ["robust" if aim.mistaken else "sigmoid"], [1.0]
    if aim.answer_weight:
        losses.append("sft")
        weights.append(aim.answer_weight)
    return DPOConfig(
        **arguments(config, folder, steps=steps, device=device, bf16=bf16),
        beta=aim.beta,
        loss_type=losses,
        loss_weights=weights,
        label_smoothing=aim.mistaken,
        f_divergence_type="reverse_kl",
        ld_alpha=None,
        use_weighting=False,
        disable_dropout=True,
        truncation_mode="keep_start",
        pad_to_multiple_of=None,
        precompute_ref_log_probs=False,
        sync_ref_model=False,
    )


class DpoRunner(BudgetedTrainer, DPOTrainer):
    """TRL's trainer over pairs that are tokens already."""

    def _prepare_dataset(self, dataset: Dataset, *args: Any, **kwargs: Any) -> Dataset:
        """Take rows as they are: TRL would render them with a template of its own and drop those that are long."""
        return dataset

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Report; validation rewards are means over pairs, where TRL takes the mean over batches of unequal size."""
        pairs: Any = self.eval_dataset
        if "eval_loss" in logs and pairs is not None:
            rows, size = len(pairs), self.args.per_device_eval_batch_size * self.args.world_size
            for name, values in self._metrics["eval"].items():
                if name.startswith("rewards/") and len(values) == -(-rows // size):
                    sizes = [min(size, rows - start) for start in range(0, rows, size)]
                    values[:] = [sum(value * n for value, n in zip(values, sizes, strict=True)) / rows]
        super().log(logs, start_time)


def build_dpo_runner(
    model: PreTrainedModel | PeftModel,
    tokenizer: Tokenizer,
    settings: DPOConfig,
    config: TrainingConfig,
    train: Sequence[PreparedRow],
    validation: Sequence[PreparedRow],
    budget: Budget,
    watcher: TrainerCallback,
    reference: PreTrainedModel | None = None,
) -> DpoRunner:
    """Return the trainer over pairs of rows.

    The reference is the base: the model with its adapter switched off or, where all weights are trained, `reference`.
    """
    runner = DpoRunner(
        model=model,
        ref_model=reference,
        args=settings,
        train_dataset=_dataset(train),
        eval_dataset=_dataset(validation) if validation else None,
        data_collator=DataCollatorForPreference(pad_token_id=tokenizer.pad_token_id, max_length=None),
        processing_class=tokenizer,
        callbacks=[watcher],
    )
    if isinstance(model, PeftModel):
        # TRL keeps a copy of the untrained adapter as reference and would save it with every checkpoint; the base
        # itself is the reference once the copy is gone.
        model.delete_adapter("ref")
    equip(runner, config, budget, [row.longest for row in train])
    return runner


def _dataset(rows: Sequence[PreparedRow]) -> Dataset:
    columns: dict[str, list[list[int]]] = {"prompt_ids": [], "chosen_ids": [], "rejected_ids": []}
    for row in rows:
        assert row.rejected is not None, "rows of this objective are pairs"
        before = row.prompt_length
        columns["prompt_ids"].append(row.tokens.input_ids[:before])
        columns["chosen_ids"].append(row.tokens.input_ids[before:])
        columns["rejected_ids"].append(row.rejected.input_ids[before:])
    return Dataset.from_dict(columns)
