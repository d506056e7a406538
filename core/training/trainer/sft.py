"""TRL's trainer, set up so that it does what the configuration says and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import trl.kernels.chunked_logprob as output_layer
from datasets import Dataset
from peft import PeftModel
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import Sampler
from transformers import PreTrainedModel, PrinterCallback, TrainerCallback
from transformers import PreTrainedTokenizerBase as Tokenizer
from trl import SFTConfig, SFTTrainer  # type: ignore[attr-defined]  # trl loads its names lazily

from core.training.config import TrainingConfig
from core.training.estimate import HEAD_TOKENS
from core.training.rows import PreparedRow
from core.training.trainer.budget import Budget
from core.training.trainer.order import RowOrder

__all__ = ["Runner", "build_runner", "sft_config"]


def sft_config(config: TrainingConfig, folder: Path, *, steps: int, device: str, bf16: bool) -> SFTConfig:
    """Return TRL's configuration; every field that changes the outcome is set here, whatever the library's defaults.

    TRL turns bf16 and gradient checkpointing on by itself, cuts rows and would shuffle, log, save and evaluate by its
    own schedule. Rows arrive masked and short enough, and the watcher decides when to log, save and evaluate.
    """
    return SFTConfig(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=config.batch_size,
        gradient_accumulation_steps=config.accumulation,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_gradient,
        optim="adamw_torch",
        adam_beta1=0.9,
        adam_beta2=0.999,
        adam_epsilon=1e-8,
        bf16=bf16,
        fp16=False,
        tf32=None,
        use_cpu=device == "cpu",
        gradient_checkpointing=config.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if config.gradient_checkpointing else None,
        max_length=None,
        packing=False,
        padding_free=False,
        completion_only_loss=False,
        assistant_only_loss=False,
        loss_type="nll",
        shuffle_dataset=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=True,
        dataloader_drop_last=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=device == "cuda",
        eval_strategy="no",
        save_strategy="no",
        save_total_limit=None,
        load_best_model_at_end=False,
        logging_strategy="steps",
        logging_steps=1,
        logging_nan_inf_filter=False,
        include_num_input_tokens_seen="no",
        seed=config.seed,
        data_seed=config.seed,
        full_determinism=False,
        disable_tqdm=True,
        report_to=[],
        push_to_hub=False,
    )


class Runner(SFTTrainer):
    """TRL's trainer with Kurabe's row order and a learning rate that follows the budget."""

    budget: Budget
    order: RowOrder

    def create_scheduler(self, num_training_steps: int, optimizer: Optimizer | None = None) -> LambdaLR:
        """Return the schedule; its steps are the trainer's, its fall is the budget's."""
        if self.lr_scheduler is None:
            budget = self.budget
            target = optimizer or self.optimizer
            assert target is not None, "the trainer makes its optimizer before its schedule"
            self.lr_scheduler = LambdaLR(target, lambda step: budget.rate(step))
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write no card into checkpoints; the finished adapter gets one of its own."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return self.order


def build_runner(
    model: PreTrainedModel | PeftModel,
    tokenizer: Tokenizer,
    arguments: SFTConfig,
    config: TrainingConfig,
    train: Sequence[PreparedRow],
    validation: Sequence[PreparedRow],
    budget: Budget,
    watcher: TrainerCallback,
) -> Runner:
    """Return the trainer over rows that are tokens and labels already."""
    if arguments.use_cpu:
        # TRL scores 4096 tokens at once, of which a CPU holds eight copies: 4 GB for a vocabulary of 32,000. Small
        # pieces give the same result, no slower. A GPU works in place.
        output_layer.TOKEN_CHUNK_SIZE = HEAD_TOKENS
    runner = Runner(
        model=model,
        args=arguments,
        train_dataset=_dataset(train),
        eval_dataset=_dataset(validation) if validation else None,
        processing_class=tokenizer,
        callbacks=[watcher],
    )
    runner.remove_callback(PrinterCallback)
    runner.budget = budget
    runner.order = RowOrder([len(row.tokens) for row in train], config.batch_size, config.seed)
    if config.plugin.quantised:
        # TRL turns the adapter of a 4-bit base to bf16, whose steps are too coarse for small updates.
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.to(torch.float32)
    return runner


def _dataset(rows: Sequence[PreparedRow]) -> Dataset:
    return Dataset.from_dict(
        {"input_ids": [row.tokens.input_ids for row in rows], "labels": [row.tokens.labels for row in rows]}
    )
