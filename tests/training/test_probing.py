"""A probe: three real steps as a job, and a preflight that rests on them."""

from __future__ import annotations

import platform
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from core.errors import KurabeError
from core.jobs import wait
from core.models import adapters
from core.settings import settings
from core.store import tables as tb
from core.store import write
from core.training import PROBE_STEPS, Preflight, TrainingConfig, newest_probe, preflight, runs, start_probe
from core.training.probing import probe_key
from tests.training.conftest import Known

RESULT = {
    "step_seconds": [0.9, 0.4, 0.2],
    "step_tokens": [400, 400, 400],
    "loading_seconds": 6.0,
    "evaluation_seconds": 2.0,
    "peak_memory_bytes": 900 << 20,
    "device": "cpu",
    "machine": platform.node(),
    "measured_at": "2026-01-01T00:00:00+00:00",
}


def config(known: Known, **fields: object) -> TrainingConfig:
    values = {"epochs": 10.0, "evaluations": 4, "sample_questions": 2, **fields}
    return TrainingConfig(dataset_version_id=known.version, **values)  # type: ignore[arg-type]  # by name


def keep(known: Known, asked: TrainingConfig, **result: object) -> None:
    """Store a probe that ended, as its job does."""
    with write() as session:
        session.add(
            tb.TrainingProbe(
                project_id=known.project, key=probe_key(asked), config=asked.as_dict(), result={**RESULT, **result}
            )
        )


def codes(found: Preflight) -> dict[str, dict[str, object]]:
    return {finding.code: finding.params for finding in found.findings}


def test_three_real_steps_are_run_as_a_job_and_the_preflight_rests_on_them(known: Known, home: Path) -> None:
    asked = config(known)
    before = preflight(asked)
    assert before.probe is None and before.seconds is None and "time_unknown" in codes(before)
    job = wait(str(start_probe(known.project, asked).job_id), timeout=300)
    assert job.status == "succeeded", job.error
    probe = newest_probe(asked)
    assert probe is not None and len(probe.result["step_seconds"]) == PROBE_STEPS
    assert all(seconds > 0 for seconds in probe.result["step_seconds"]) and probe.result["evaluation_seconds"] > 0
    found = preflight(asked)
    assert found.probe is not None and {"time_measured"} <= codes(found).keys() and "time_unknown" not in codes(found)
    assert found.seconds is not None and found.seconds_low is not None and found.seconds_high is not None
    assert found.probe.loading_seconds < found.seconds_low <= found.seconds <= found.seconds_high
    assert found.memory_needed == probe.result["peak_memory_bytes"] > 100 << 20
    assert found.cost is not None and float(found.cost["low"]) <= float(found.cost["amount"])
    assert runs(known.project) == [] and adapters(known.project) == [], "it trains nothing that is kept"
    assert not list(settings().path("jobs").glob("*/checkpoints/*"))


def test_time_is_loading_evaluations_and_tokens_at_the_speed_of_the_steps(known: Known) -> None:
    asked = config(known)
    keep(known, asked)
    found = preflight(asked)
    tokens = found.rows["tokens"] * 10
    for seconds, step in ((found.seconds_low, 0.2), (found.seconds, 0.4), (found.seconds_high, 0.9)):
        assert seconds == pytest.approx(6.0 + 2.0 + tokens * step / 400 + 4 * 2.0)
    assert codes(found)["time_measured"]["evaluation"] == 2.0


def test_a_time_limit_cuts_steps_short_and_the_preflight_says_how_many_fit(known: Known) -> None:
    asked = config(known, epochs=None, seconds_limit=30.0)
    keep(known, asked)
    found = preflight(asked)
    assert found.seconds == found.seconds_low == found.seconds_high == pytest.approx(6.0 + 2.0 + 30.0 + 2.0)
    fit = codes(found)["steps_in_time"]
    assert fit["passes"] == pytest.approx((30.0 - 3 * 2.0) / (found.rows["tokens"] * 0.4 / 400), rel=0.01)


def test_a_longer_run_of_the_same_needs_no_other_probe_and_other_batches_do(known: Known) -> None:
    asked = config(known)
    keep(known, asked)
    for same in (
        {"epochs": 2.0},
        {"seconds_limit": 20.0},
        {"learning_rate": 0.01},
        {"seed": 3},
        {"name": "again"},
        {"data_share": 0.5},
    ):
        assert preflight(replace(asked, **same)).probe is not None, same  # type: ignore[arg-type]  # by name
    for other in ({"batch_size": 4}, {"max_length": 512}, {"method": {"name": "dora"}}, {"instructions": "Be kind."}):
        assert preflight(replace(asked, **other)).probe is None, other  # type: ignore[arg-type]  # by name


def test_a_form_that_names_every_field_and_a_preset_that_does_not_share_a_probe(known: Known) -> None:
    asked = config(known, method={"name": "lora"})
    named = {"name": "lora", **asdict(asked.plugin)}
    assert named != asked.method and probe_key(replace(asked, method=named)) == probe_key(asked)


def test_what_another_machine_or_device_measured_is_not_taken(known: Known) -> None:
    asked = config(known)
    keep(known, asked, machine="elsewhere")
    keep(known, asked, device="cuda")
    assert preflight(asked).probe is None


def test_measured_memory_that_is_not_there_will_not_work(known: Known) -> None:
    asked = config(known)
    keep(known, asked, peak_memory_bytes=1 << 50)
    found = preflight(asked)
    assert found.verdict == "will_not" and found.findings[0].code == "memory"


def test_a_probe_of_a_base_that_is_not_here_is_refused_and_leaves_nothing(known: Known) -> None:
    asked = config(known, base_ref="Qwen/Qwen3-0.6B")
    with pytest.raises(KurabeError, match="base_missing"):
        start_probe(known.project, asked)
    assert newest_probe(asked) is None


def test_measured_memory_that_is_tight_is_told_where_the_longest_row_may_not_have_been_seen(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = config(known)
    keep(known, asked)
    monkeypatch.setattr("core.training.outlook.training_device", lambda _n: ("cpu", 1000 << 20))
    assert "memory_tight" not in codes(preflight(asked)), "the probe held the longest rows"
    monkeypatch.setattr("core.training.outlook._SAMPLE_PLAIN", 12)
    assert codes(preflight(asked))["memory_tight"]["percent"] == 90
