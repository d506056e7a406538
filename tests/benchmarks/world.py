"""What the training benchmarks train: bases of random weights in any shape, and rows of a chosen length."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.settings import DATA, reset_settings
from core.store import migrate, reset_engine
from tests.training.stored import store_version

_WORDS = "the parcel of Aster weighs seven kilograms and leaves the depot on Monday morning before nine ".split()


@dataclass(frozen=True)
class Shape:
    """A base of the Llama family whose weights are random: speed and memory depend on shapes alone."""

    hidden: int = 256
    layers: int = 4
    heads: int = 4
    key_heads: int = 4
    head: int = 64
    intermediate: int = 768
    vocabulary: int = 2600
    kind: str = "qwen3"
    tied: bool = True

    def write(self, folder: Path) -> None:
        """Write weights and configuration, with the practice model's tokenizer beside them."""
        # Imported here: the process that only starts others and waits for them should stay small.
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

        config = AutoConfig.for_model(
            self.kind,
            hidden_size=self.hidden,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.key_heads,
            head_dim=self.head,
            intermediate_size=self.intermediate,
            vocab_size=self.vocabulary,
            tie_word_embeddings=self.tied,
            max_position_embeddings=8192,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
        )
        torch.manual_seed(0)
        AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
        for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
            shutil.copy2(DATA / "starter" / name, folder / name)

    def __str__(self) -> str:
        sizes = f"{self.hidden}×{self.layers} mlp {self.intermediate} heads {self.heads}/{self.key_heads}×{self.head}"
        return f"{self.kind} {sizes} vocab {self.vocabulary}"


@contextmanager
def home(folder: Path) -> Iterator[None]:
    """Use an empty home of its own, and so do the processes that are started in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KURABE_HOME", str(folder))
        patch.setenv("KURABE_HUB_OFFLINE", "1")
        patch.setenv("KURABE_DEVICE", "cpu")
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        patch.setenv("OMP_WAIT_POLICY", "PASSIVE")  # as jobs set it
        reset_settings()
        reset_engine()
        migrate()
        yield
    reset_engine()
    reset_settings()


def write_rows(count: int, words: int, *, validation: int = 0) -> str:
    """Store a dataset version whose questions have nearly `words` words, so that batches are padded as real ones are.

    Returns:
        The version's id.
    """
    rows = []
    for position in range(count + validation):
        text = [_WORDS[(position + place) % len(_WORDS)] for place in range(max(4, words - position % 4))]
        answer = f"Parcel {position} weighs {position * 7 % 50} kg and leaves on Monday."
        rows.append(("train" if position < count else "validation", " ".join(text), answer))
    return str(store_version("Benchmark", rows).id)
