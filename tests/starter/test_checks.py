"""The checks of a finished model: tuning on a sample, and how long it takes to its first token."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from core.settings import DATA
from core.starter import startup, tuning

STARTER, SAMPLE = DATA / "starter", DATA / "samples" / "aoba-en"


def test_a_first_token_is_counted_from_the_start_of_a_process_of_its_own() -> None:
    found = startup.measure(STARTER)
    assert found["start"] >= found["imports"] + found["loading"] + found["first"] > 0
    assert 0 < found["later"] < 2


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_checks_passage_says_what_it_is_about(language: str) -> None:
    sample = tuning.Sample(DATA / "samples" / f"aoba-{language}")
    for item in sample.questions:
        if "fact" in item:
            prompt = sample.prompt(item["question"], item["gold"], random.Random(1))
            assert f"] {item['fact'].split('/')[0]}\n{item['gold'][0]['quote']}\n" in prompt
            assert item["value"] in prompt and "[4] " in prompt and "[5] " not in prompt


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_a_tuning_check_trains_and_measures_every_slice(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setattr(tuning, "_QUESTIONS", 2)
    report = tuning.tune(STARTER, SAMPLE, tuning.Check(method, passages=0.5, seconds=1.0, threads=1))
    assert report["steps"] > 0
    assert set(report["scores"]) == {"format", "triage", "taught", "reading", "documents_only"}
    assert tuning.tuning_table([report]).count("|") == tuning.TUNING_HEAD.splitlines()[0].count("|")


def test_an_unknown_method_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none of"):
        tuning.tune(tmp_path, SAMPLE, replace(tuning.Check("lora"), method="magic"))
