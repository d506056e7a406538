"""Configurations: bounds, presets, and what is refused before anything starts."""

from __future__ import annotations

import dataclasses

import pytest

from core.errors import KurabeError
from core.i18n import LANGUAGES, Language, t, use_language
from core.store import tables as tb
from core.store import write
from core.training import (
    METHODS,
    OBJECTIVES,
    PRESETS,
    TrainingConfig,
    build_method,
    outcome_text,
    setting_name,
    setting_text,
)
from core.training.config import _for_rows
from tests.training.conftest import Known


def config(**fields: object) -> TrainingConfig:
    return TrainingConfig(dataset_version_id="v", **{"epochs": 1, **fields})  # type: ignore[arg-type]  # by name


def test_a_stored_configuration_comes_back_equal() -> None:
    kept = config(method={"name": "qlora", "rank": 4}, seconds_limit=9.5, name="x")
    assert TrainingConfig.from_dict(kept.as_dict()) == kept
    assert kept.hash == config(method={"name": "qlora", "rank": 4}, seconds_limit=9.5, name="y").hash
    assert kept.hash != config(method={"name": "qlora", "rank": 8}, seconds_limit=9.5).hash


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"batch_size": 0}, "training.bad_field"),
        ({"learning_rate": 0}, "training.bad_field"),
        ({"learning_rate": float("nan")}, "training.bad_field"),
        ({"row_style": "other"}, "training.bad_field"),
        ({"data_share": 1.5}, "training.bad_field"),
        ({"epochs": None}, "training.no_end"),
        ({"method": {"name": "lorra"}}, "registry.unknown"),
        ({"method": {"name": "lora", "ranks": 4}}, "registry.bad_fields"),
        ({"method": {"name": "lora", "rank": 0}}, "training.bad_field"),
        ({"method": {"name": "prefix"}, "gradient_checkpointing": True}, "training.refused"),
    ],
)
def test_what_cannot_work_is_refused(fields: dict[str, object], code: str) -> None:
    with pytest.raises(KurabeError) as caught:
        config(**fields)
    assert caught.value.code == code


def test_a_misspelt_method_gets_a_suggestion() -> None:
    with pytest.raises(KurabeError) as caught:
        build_method({"name": "lorra"})
    assert "lora" in caught.value.params["suggestions"]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("method", METHODS.names())
def test_every_preset_of_every_method_is_valid_for_the_practice_model(known: Known, preset: str, method: str) -> None:
    made = TrainingConfig.preset(known.project, preset=preset, method=method)
    assert made.dataset_version_id == known.version
    assert made.instructions == "Answer the customer's question."
    assert made.seconds_limit is not None and made.plugin.name == method


def test_a_preset_takes_other_fields(known: Known) -> None:
    made = TrainingConfig.preset(known.project, seconds_limit=7, seed=3, batch_size=2)
    assert (made.seconds_limit, made.seed, made.batch_size) == (7, 3, 2)
    with pytest.raises(KurabeError, match="no_index"):
        TrainingConfig.preset(known.project, row_style="raft")


def test_a_few_dozen_rows_are_learned_in_smaller_batches_and_reach_the_peak_rate_early(known: Known) -> None:
    usual = {"batch_size": 8, "accumulation": 2, "epochs": 3.0}
    with write() as session:
        session.get_one(tb.DatasetVersion, known.version).counts = {"splits": {"train": 24}}
    few = _for_rows(usual, known.version)
    steps = 24 * 3 / (few["batch_size"] * few["accumulation"])
    assert steps >= 50 and few["warmup_steps"] == round(steps / 10) < 10
    with write() as session:
        session.get_one(tb.DatasetVersion, known.version).counts = {"splits": {"train": 5000}}
    assert _for_rows(usual, known.version) == {**usual, "warmup_steps": 10}
    assert _for_rows({"batch_size": 8, "accumulation": 1}, known.version) == {"batch_size": 8, "accumulation": 1}


def fields_with_forms() -> list[tuple[str, dataclasses.Field[object]]]:
    plugins = [TrainingConfig, *METHODS.all().values(), *OBJECTIVES.all().values()]
    return [(f"{p.__name__}.{f.name}", f) for p in plugins for f in dataclasses.fields(p) if f.metadata.get("label")]


@pytest.mark.parametrize(
    ("name", "field"), fields_with_forms(), ids=lambda value: value if isinstance(value, str) else ""
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_has_a_label_and_a_sentence_of_help(
    name: str, field: dataclasses.Field[object], language: str
) -> None:
    for part in ("label", "help"):
        assert "⟦" not in t(field.metadata[part], language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_method_preset_and_row_style_is_worded(language: str) -> None:
    from core.training import ROW_STYLES

    named = [f"training.method.{name}" for name in METHODS.names()]
    named += [f"training.preset.{name}" for name in PRESETS]
    named += [f"training.row_style.{name}" for name in ROW_STYLES]
    for key in named:
        assert "⟦" not in t(key, language) + t(f"{key}.help", language)


def test_every_method_names_fields_that_peft_knows() -> None:
    from peft import get_peft_config

    for name, method in METHODS.all().items():
        wanted = method().peft()
        assert (wanted is None) == (name == "full")
        if wanted is not None:
            assert get_peft_config(wanted).task_type == "CAUSAL_LM"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_and_outcome_of_a_run_has_a_name_for_readers(language: Language) -> None:
    use_language(language)
    settings = [
        field.name for field in dataclasses.fields(TrainingConfig) if field.name not in ("name", "method", "objective")
    ]
    of_methods = {field.name for kind in METHODS.names() for field in dataclasses.fields(METHODS.get(kind))}  # type: ignore[arg-type]  # dataclasses
    names = [*settings, "method.name", "objective.name", *(f"method.{name}" for name in of_methods)]
    assert [name for name in names if "⟦" in setting_name(name) or setting_name(name) == name] == []


def test_settings_are_worded_as_in_the_form_and_numbers_keep_the_digits_that_were_chosen() -> None:
    said = {
        ("learning_rate", 0.0002): "0.0002",
        ("warmup_steps", 12000): "12,000",
        ("epochs", 3.0): "3",
        ("seconds_limit", None): "–",
        ("row_style", "raft"): t("training.row_style.raft"),
        ("method.name", "qlora"): t("training.method.qlora"),
        ("objective.name", "dpo"): t("training.objective.dpo"),
        ("gradient_checkpointing", True): t("training.value.on"),
        ("base_ref", "starter"): t("ui.practice.name"),
    }
    assert {key: setting_text(*key) for key in said} == said
    assert outcome_text("tokens_per_second", 2959.4) == "2,959" and outcome_text("eval_loss", 0.5) == "0.500"
    assert outcome_text("accuracy", 0.875) == "87.5%" and outcome_text("loss", None) == "–"
