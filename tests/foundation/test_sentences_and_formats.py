"""Sentences never stop a page; numbers, money and time look as each reader expects them."""

from __future__ import annotations

import contextvars
import logging
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.errors import KurabeError, as_kurabe_error
from core.i18n import (
    catalogue,
    describe,
    format_bytes,
    format_datetime,
    format_duration,
    format_money,
    format_number,
    format_percent,
    language,
    t,
    use_language,
)
from core.settings import reset_settings


def test_a_sentence_that_does_not_exist_shows_its_key_marked(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert t("no.such.key", "en") == "⟦no.such.key⟧"
    assert "no.such.key" in caplog.text


def test_parameters_stand_in_the_braces_and_are_never_read_as_a_pattern() -> None:
    assert "{known} {0}" in t("error.project.unknown", "en", name="{known} {0}")


def test_a_missing_parameter_leaves_the_sentence_as_it_is_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert t("error.project.unknown", "en", wrong=1) == catalogue("en")["error.project.unknown"]
    assert "error.project.unknown" in caplog.text


@pytest.mark.parametrize("one", [1, "1", "+1", "−1"])
def test_words_agree_with_one_whether_it_is_a_number_or_worded_already(one: object) -> None:
    assert t("ui.import.done", "en", n=one) == f"{one} row is in the new version."
    assert t("decision.points", "en", value=one, low="0", high="2") == f"{one} point (0 to 2)"


@pytest.mark.parametrize("many", [0, 2, 11, 21, 1.0, "0", "2", "1,001", "1.0", "–"])
def test_every_other_number_takes_the_second_form(many: object) -> None:
    assert t("ui.import.done", "en", n=many) == f"{many} rows are in the new version."


def test_words_agree_in_stored_errors_and_what_people_wrote_never_chooses_a_form() -> None:
    hostile = "{pages} a|b"
    one, two = (KurabeError("knowledge.scanned_pdf", name=hostile, pages=pages) for pages in (1, 2))
    assert describe(one, "en")[0] == f"The only page of {hostile} holds no text: it seems to be a scan."
    assert describe(two, "en")[0] == f"None of the 2 pages of {hostile} holds text: it seems to be a scan."
    assert describe(one, "ja")[0] == f"{hostile} の 1 ページのどこにも文字がありません。スキャン画像のようです。"


def test_a_sentence_with_a_third_form_is_shown_as_it_is_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(catalogue("en"), "odd", "{n} {n:row|rows|rowses}")
    with caplog.at_level(logging.WARNING):
        assert t("odd", "en", n=1) == "{n} {n:row|rows|rowses}"
    assert "odd" in caplog.text


def test_the_same_stored_error_reads_in_either_language() -> None:
    stored = KurabeError("project.name", length=0).as_record()
    english, japanese = (describe(KurabeError.from_record(stored), code) for code in ("en", "ja"))
    assert "this one has 0" in english[0] and "0" in japanese[0]
    assert english[1] and japanese[1] and english != japanese


def test_an_unexpected_error_gets_a_reference_that_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        wrapped = as_kurabe_error(ZeroDivisionError("division by zero"))
    message, hint = describe(wrapped, "en")
    assert "ZeroDivisionError" in message and wrapped.params["reference"] in hint
    assert wrapped.params["reference"] in caplog.text


def test_words_of_ours_among_the_parameters_are_translated_too() -> None:
    missing = KurabeError("store.missing", kind="project", id="x1")
    assert describe(missing, "en")[0] == "There is no project with the id x1."
    assert "プロジェクト" in describe(missing, "ja")[0] and "project" not in describe(missing, "ja")[0]


def test_the_language_is_the_readers_then_the_settings_then_the_locales(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen() -> tuple[str, str]:
        before = language()
        use_language("en")
        return before, language()

    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    assert contextvars.copy_context().run(chosen) == ("ja", "en")
    monkeypatch.setenv("KURABE_LANGUAGE", "en")
    reset_settings()
    assert contextvars.copy_context().run(language) == "en"


@pytest.mark.parametrize(
    ("amount", "currency", "english", "japanese"),
    [
        ("1234.5", "USD", "$1,234.50", "$1,234.50"),
        ("1234.5", "JPY", "¥1,234", "￥1,234"),
        ("0", "USD", "$0.00", "$0.00"),
        ("0.000123", "USD", "$0.00012", "$0.00012"),
        ("-0.004", "USD", "-$0.0040", "-$0.0040"),
        ("0.25", "JPY", "¥0.25", "￥0.25"),
    ],
)
def test_money_keeps_its_currency_and_a_small_amount_does_not_become_nothing(
    amount: str, currency: str, english: str, japanese: str
) -> None:
    assert format_money(Decimal(amount), currency, "en") == english
    assert format_money(Decimal(amount), currency, "ja") == japanese


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [
        (0.3404, "340 ms", "340 ミリ秒"),
        (0.9999, "1.0 s", "1.0 秒"),
        (4.24, "4.2 s", "4.2 秒"),
        (59.99, "1 min 0 s", "1 分 0 秒"),
        (200, "3 min 20 s", "3 分 20 秒"),
        (3599.8, "1 h 0 min", "1 時間 0 分"),
        (7530, "2 h 5 min", "2 時間 5 分"),
    ],
)
def test_a_duration_has_the_two_units_that_matter(seconds: float, english: str, japanese: str) -> None:
    assert format_duration(seconds, "en") == english
    assert format_duration(seconds, "ja").replace(" ", "") == japanese.replace(" ", "")


def test_numbers_shares_and_sizes() -> None:
    assert format_number(1234567.891, "en", 2) == format_number(1234567.891, "ja", 2) == "1,234,567.89"
    assert format_percent(0.8449, "en", 1) == "84.5%"
    assert [format_bytes(size, "en") for size in (512, 2048, 3 << 40)] == ["512 B", "2.0 KiB", "3,072.0 GiB"]


def test_a_time_without_a_known_zone_says_that_it_is_utc() -> None:
    moment = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    assert format_datetime(moment, "en").endswith(" UTC")
    assert "2026/03/02 0:30:00" in format_datetime(moment, "ja", "Asia/Tokyo")
