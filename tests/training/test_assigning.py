"""Settings given as text are read by the type of their field and refused with what was expected."""

from __future__ import annotations

import pytest

from core.errors import KurabeError
from core.training import TrainingConfig, assigned
from tests.training.conftest import Known


def test_each_kind_of_field_is_read_and_goes_where_it_belongs() -> None:
    texts = ["batch_size=4", "learning_rate=1e-3", "gradient_checkpointing=on", "patience=none", "schedule=cosine"]
    texts += ["rank=8", "method.alpha=16", "instructions=Be kind = be short", "batch_size=2"]
    assert assigned(texts, "lora", "sft") == {
        "batch_size": 2,
        "learning_rate": 1e-3,
        "gradient_checkpointing": True,
        "patience": None,
        "schedule": "cosine",
        "method_fields": {"rank": 8, "alpha": 16},
        "instructions": "Be kind = be short",
    }
    assert assigned(["beta=0.3"], "lora", "dpo") == {"objective_fields": {"beta": 0.3}}


def test_a_preset_takes_them_in_place_of_its_own(known: Known) -> None:
    fields = assigned(["rank=8", "batch_size=4", "seed=7"], "lora", "sft")
    made = TrainingConfig.preset(known.project, **fields)
    assert (made.plugin.rank, made.batch_size, made.seed) == (8, 4, 7)  # type: ignore[attr-defined]  # of LoRA


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("batch_size", "bad_assignment", "batch_size"),
        ("=4", "bad_assignment", "=4"),
        ("bach_size=4", "unknown_field", "batch_size"),
        ("beta=0.1", "unknown_field", "beta"),
        ("objective.rank=4", "unknown_field", "rank"),
        ("batch_size=four", "bad_field", "1 – 1024"),
        ("learning_rate=fast", "bad_field", "10.0"),
        ("gradient_checkpointing=maybe", "bad_field", "true, false"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_was_expected(text: str, code: str, word: str) -> None:
    with pytest.raises(KurabeError, match=code) as refused:
        assigned([text], "lora", "sft")
    assert word in str(refused.value.params)


@pytest.mark.parametrize("text", ["batch_size=0", "rank=100000", "schedule=zigzag"])
def test_bounds_and_choices_are_those_of_the_form(known: Known, text: str) -> None:
    with pytest.raises(KurabeError, match="bad_field"):
        TrainingConfig.preset(known.project, **assigned([text], "lora", "sft"))
