"""Every check finds what it must find and leaves alone what it must leave alone, in English and in Japanese."""

from __future__ import annotations

import pytest

from core.datasets import Row, checks
from core.datasets.checks import CheckInput, Finding
from core.i18n import t, use_language
from core.prompting import ChatTemplate
from core.settings import DATA
from tests.datasets.check_cases import CASES

PAIRS = [(name, language) for name in CASES for language in CASES[name]]


def found(name: str, language: str, rows: list[Row]) -> list[Finding]:
    data = CheckInput(lambda: iter(list(enumerate(rows))), len(rows), language, ChatTemplate.load(DATA / "starter"))
    return checks.get(name)(**CASES[name][language].fields).run(data)


def test_every_check_has_its_rows_in_both_languages() -> None:
    assert sorted(CASES) == sorted(checks.names())
    for name, cases in CASES.items():
        assert sorted(cases) == ["en", "ja"], name
        assert all(case.bad and case.codes and case.good for case in cases.values()), name


@pytest.mark.parametrize(("name", "language"), PAIRS)
def test_a_check_finds_its_rows_and_says_so(name: str, language: str) -> None:
    findings = found(name, language, CASES[name][language].bad)
    assert {finding.code: finding.rows for finding in findings} == CASES[name][language].codes
    for finding in findings:
        for reader in ("en", "ja"):
            use_language(reader)
            stem = f"datasets.finding.{name}.{finding.code}"
            assert t(stem, **finding.params) and t(f"{stem}.why", **finding.params)


@pytest.mark.parametrize(("name", "language"), PAIRS)
def test_a_check_leaves_other_rows_alone(name: str, language: str) -> None:
    assert found(name, language, CASES[name][language].good) == []
