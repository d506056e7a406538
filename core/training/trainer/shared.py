"""What TRL's trainers have in common here: arguments that leave nothing to defaults, row order and learning rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import trl.kernels.chunked_logprob as output_layer
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import Sampler
from transformers import PrinterCallback

from core.training.config import TrainingConfig
from core.training.estimate import HEAD_TOKENS
from core.training.trainer.budget import Budget
from core.training.trainer.order import RowOrder

__all__ = ["BudgetedTrainer", "EvaluationStopped", "arguments", "equip"]


def arguments(config: TrainingConfig, folder: Path, *, steps: int, device: str, bf16: bool) -> dict[str, Any]:
    """Return the arguments of both trainers; every field that changes the outcome is set, whatever the defaults.

    TRL turns bf16 and gradient checkpointing on by itself, cuts rows and would shuffle, log, save and evaluate by its
    own schedule. Rows arrive masked and short enough, and the watcher decides when to log, save and evaluate.
    """
    return dict(
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
        padding_free=False,
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
        average_tokens_across_devices=True,
        ddp_find_unused_parameters=False,
        push_to_hub=False,
    )


class EvaluationStopped(Exception):
    """Raised between two batches of an evaluation when somebody asks to stop: a large one takes minutes."""


class BudgetedTrainer:
    """Mixed into TRL's trainers: Kurabe's row order, and a learning rate that follows the budget."""

    budget: Budget
    order: Sampler[int]
    lr_scheduler: Any
    optimizer: Any
    args: Any
    model: Any
    is_in_train: bool

    def create_scheduler(self, num_training_steps: int, optimizer: Optimizer | None = None) -> LambdaLR:
        """Return the schedule; its steps are the trainer's, its fall is the budget's."""
        if self.lr_scheduler is None:
            budget = self.budget
            target = optimizer or self.optimizer
            assert target is not None, "the trainer makes its optimizer before its schedule"
            self.lr_scheduler = LambdaLR(target, lambda step: budget.rate(step))
            self._created_lr_scheduler = True
        schedule: LambdaLR = self.lr_scheduler
        return schedule

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Measure the validation loss; nothing is measured and reported if somebody asks to stop meanwhile."""
        try:
            measured: dict[str, float] = super().evaluate(*args, **kwargs)  # type: ignore[misc]  # of TRL's trainer
        except EvaluationStopped:
            return {}
        finally:
            self._prepare_again()
        return measured

    def training_step(self, model: torch.nn.Module, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Take a step; several processes go on only with a model whose gradients they exchange.

        Raises:
            RuntimeError: if each would learn alone, which nothing else would show.
        """
        if self.args.world_size > 1 and not isinstance(model, DistributedDataParallel):
            raise RuntimeError(f"{self.args.world_size} processes do not exchange gradients")
        loss: torch.Tensor = super().training_step(model, *args, **kwargs)  # type: ignore[misc]  # of TRL's trainer
        return loss

    def _prepare_again(self) -> None:
        """Let training prepare the model anew where several processes evaluated it before.

        accelerate 1.15 takes a model that was prepared for an evaluation alone for ready to train: it would not be put
        under DDP, and each process would learn its own rows without a word to the others.
        """
        if self.args.world_size > 1 and not self.is_in_train:
            self.model.__dict__.pop("_is_accelerate_prepared", None)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write no card into checkpoints; the finished adapter gets one of its own."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return self.order


def equip(runner: Any, config: TrainingConfig, budget: Budget, lengths: list[int]) -> None:
    """Give a trainer its budget and row order, and take away what TRL does to it unasked.

    Args:
        runner: the trainer.
        config: the run's configuration.
        budget: the run's clock.
        lengths: tokens of the longest sequence of each row.
    """
    if runner.args.use_cpu:
        # TRL scores 4096 tokens at once, of which a CPU holds eight copies: 4 GB for a vocabulary of 32,000. Small
        # pieces give the same result, no slower. A GPU works in place.
        output_layer.TOKEN_CHUNK_SIZE = HEAD_TOKENS
    runner.remove_callback(PrinterCallback)
    runner.budget = budget
    # Processes take batches by turns: those of one step are rows of like length, so that none waits for another.
    runner.order = RowOrder(lengths, config.batch_size * runner.args.world_size, config.seed)
    if getattr(runner.model, "is_loaded_in_4bit", False):  # as asked for, or because the base comes in 4 bits
        # TRL turns the adapter of a 4-bit base to bf16, whose steps are too coarse for small updates.
        for parameter in runner.model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.to(torch.float32)
