"""Every check finds what it must find and leaves alone what it must leave alone, in English and in Japanese."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from core.datasets import Row, checks
from core.datasets.checks import CheckInput, Finding
from core.i18n import t, use_language
from core.i18n.catalogue import catalogue
from core.prompting import ChatTemplate
from core.settings import DATA
from tests.datasets.check_cases import ALL, Case

PAIRS = [
    pytest.param(name, language, case, id=f"{name}-{language}-{number}")
    for name, cases in ALL.items()
    for language, listed in cases.items()
    for number, case in enumerate(listed)
]


@cache
def template(kind: str) -> ChatTemplate | None:
    starter = ChatTemplate.load(DATA / "starter")
    refusing = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    strict = ChatTemplate(starter.tokenizer, refusing + starter.source, starter.special, "strict")
    return {"starter": starter, "strict": strict, "none": None}[kind]


def found(name: str, language: str, case: Case, rows: list[Row]) -> list[Finding]:
    data = CheckInput(
        lambda: iter(list(enumerate(rows))),
        len(rows),
        language,
        template(case.template),
        passages=lambda: case.documents,
    )
    return checks.get(name)(**case.fields).run(data)


def test_every_check_has_its_rows_in_both_languages() -> None:
    assert sorted(ALL) == sorted(checks.names())
    for name, cases in ALL.items():
        assert sorted(cases) == ["en", "ja"], name
        assert all(case.bad and case.codes and case.good for listed in cases.values() for case in listed), name


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", list(ALL))
def test_every_code_of_a_check_has_rows_that_give_it(name: str, language: str) -> None:
    known = {key.split(".")[3] for key in catalogue("en") if key.startswith(f"datasets.finding.{name}.")}
    assert {code for case in ALL[name][language] for code in case.codes} == known


@pytest.mark.parametrize(("name", "language", "case"), PAIRS)
def test_a_check_finds_its_rows_and_says_so(name: str, language: str, case: Case) -> None:
    findings = found(name, language, case, case.bad)
    assert {finding.code: finding.rows for finding in findings} == case.codes
    for finding in findings:
        for reader in ("en", "ja"):
            use_language(reader)
            stem = f"datasets.finding.{name}.{finding.code}"
            assert t(stem, **finding.params) and t(f"{stem}.why", **finding.params)


@pytest.mark.parametrize(("name", "language", "case"), PAIRS)
def test_a_check_leaves_other_rows_alone(name: str, language: str, case: Case) -> None:
    kept = replace(case, template="starter" if case.template == "none" else case.template)
    assert found(name, language, kept, case.good) == []
