"""Settings are read once, checked as a whole, and never give a secret away."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import KurabeError
from core.i18n import describe
from core.settings import ROOT, reset_settings, settings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file of the test's own, which the settings then read."""
    path = tmp_path / "kurabe.toml"
    monkeypatch.setenv("KURABE_CONFIG", str(path))
    path.write_text("")
    return path


def problems() -> str:
    reset_settings()
    with pytest.raises(KurabeError) as caught:
        settings()
    assert caught.value.code == "settings.invalid"
    return str(caught.value.params["problems"])


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_HOST_PORT", "eighty")
    monkeypatch.setenv("KURABE_LANGUAGE", "fr")
    monkeypatch.setenv("KURABE_MODEL_URL", "gpu:8000")
    told = problems()
    assert all(name in told for name in ("KURABE_HOST_PORT", "KURABE_LANGUAGE", "KURABE_MODEL_URL"))


def test_a_broken_file_does_not_hide_what_is_wrong_in_the_environment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("home = \n")
    monkeypatch.setenv("KURABE_DEVICE", "tpu")
    told = problems()
    assert "kurabe.toml" in told and "KURABE_DEVICE" in told


def test_a_file_that_was_asked_for_and_is_not_there_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KURABE_CONFIG", str(tmp_path / "elsewhere.toml"))
    assert "elsewhere.toml" in problems()


def test_a_line_of_the_file_that_no_setting_reads_is_refused_and_named(file: Path) -> None:
    file.write_text('modle_url = "http://gpu"\n')
    assert "kurabe.toml: modle_url" in problems()


def test_the_environment_wins_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('language = "ja"\nupload_limit_mb = 7\n')
    monkeypatch.setenv("KURABE_UPLOAD_LIMIT_MB", "9")
    reset_settings()
    assert (settings().language, settings().upload_limit_mb) == ("ja", 9)


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_MODEL_URL", "")
    reset_settings()
    assert settings().model_url is None


@pytest.mark.parametrize("shown", [repr, str, lambda s: s.model_dump_json(), lambda s: str(s.model_dump())])
def test_secrets_are_not_shown(shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_MODEL_KEY", "sk-very-secret")
    monkeypatch.setenv("KURABE_DATABASE_URL", "postgresql+psycopg://kurabe:hunter2@db/kurabe")
    reset_settings()
    assert not any(secret in shown(settings()) for secret in ("sk-very-secret", "hunter2"))
    assert "hunter2" in settings().database()


def test_a_problem_does_not_repeat_the_value_that_caused_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("[database_url]\npassword = 'hunter2'\n")
    monkeypatch.setenv("KURABE_HOST_IDLE_SECONDS", "sk-very-secret")
    told = problems()
    assert "KURABE_DATABASE_URL" in told and "hunter2" not in told and "sk-very-secret" not in told


def test_a_misspelt_variable_is_warned_about(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("KURABE_HOEM", "/srv")
    reset_settings()
    with caplog.at_level(logging.WARNING, logger="core.settings"):
        settings()
    assert "KURABE_HOEM" in caplog.text


def test_settings_cannot_be_changed_after_they_were_read() -> None:
    with pytest.raises(ValidationError):
        settings().host_port = 1  # type: ignore[misc]  # that it is refused is the point


def test_a_home_that_cannot_be_made_is_an_error_with_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("KURABE_HOME", str(tmp_path / "file" / "home"))
    reset_settings()
    with pytest.raises(KurabeError, match="settings.home") as caught:
        settings().path("jobs")
    assert "KURABE_HOME" in describe(caught.value, "en")[1]


def test_a_command_explains_bad_settings_instead_of_failing_over_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KURABE_LANGUAGE", "fr")
    done = subprocess.run(
        [sys.executable, "-m", "core", "project", "list"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert done.stdout == "" and done.stderr.startswith("settings.invalid\n")
    assert "KURABE_LANGUAGE" in done.stderr and "Traceback" not in done.stderr
