"""Prices of answers and trainings, and the versions of the price book."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import KurabeError
from core.models import Usage
from core.prices import (
    Cost,
    PriceEntry,
    convert,
    edit_prices,
    local_device,
    price_answer,
    price_book,
    price_hosted_training,
    price_training,
    price_versions,
    remember_prices,
    token_rates,
)


def test_every_shipped_price_has_a_date_a_source_and_an_amount() -> None:
    for entry in price_book().entries.values():
        assert entry.as_of >= "2025", entry.key
        assert len(entry.source) > 5, entry.key
        assert all(amount > 0 for amount in entry.amounts.values()), entry.key


def test_a_local_answer_costs_its_device_time() -> None:
    cost = price_answer("starter", Usage(800, 40), 3600.0, device="cpu")
    rate = price_book().get("device/cpu").amounts["amount"]
    assert cost.basis == "device"
    assert cost.amount == rate * local_device("cpu").units


def test_a_hosted_answer_costs_its_tokens_and_cached_tokens_are_cheaper() -> None:
    fresh = price_answer("gpt-4o-mini", Usage(1_000_000, 0, cached_tokens=0), None)
    cached = price_answer("gpt-4o-mini", Usage(1_000_000, 0, cached_tokens=1_000_000), None)
    assert (fresh.basis, fresh.currency) == ("list", "USD")
    assert fresh.amount == Decimal("0.15")
    assert cached.amount == Decimal("0.075")


def test_a_provider_before_the_name_is_understood() -> None:
    plain = price_answer("gpt-4o-mini", Usage(1000, 1000), None)
    assert price_answer("openai/gpt-4o-mini", Usage(1000, 1000), None).amount == plain.amount


def test_a_tuned_hosted_model_is_found_by_the_beginning_of_its_name() -> None:
    cost = price_answer("ft:gpt-4.1-mini-2025-04-14:team::abc", Usage(1_000_000, 1_000_000), None)
    assert cost.amount == Decimal("4.00")


def test_an_unknown_price_is_an_error_and_not_zero() -> None:
    with pytest.raises(KurabeError) as caught:
        price_answer("house/own-model", Usage(10, 10), None)
    assert caught.value.code == "prices.unknown_model"
    with pytest.raises(KurabeError) as caught:
        price_training(60, 1000, "abacus")
    assert caught.value.code == "prices.unknown_device"


def test_training_costs_time_here_and_tokens_elsewhere() -> None:
    assert price_training(7200, 10_000, "L4").amount == Decimal("0.8048") * 2
    assert price_hosted_training("gpt-4o-mini", 3_000_000).amount == Decimal("9")


def test_a_cost_in_yen_uses_the_dated_rate() -> None:
    dollars = Cost(Decimal("2"), "USD", "list", "v")
    yen = convert(dollars, "JPY")
    assert yen.amount == 2 * price_book().get("exchange/JPY").amounts["rate"]
    assert convert(yen, "USD").amount == dollars.amount


def test_a_correction_makes_a_new_version_and_the_old_one_stays_readable() -> None:
    before = remember_prices()
    entry = PriceEntry("device/L4", "hour", {"amount": Decimal("0.70")}, "2026-11-01", "our contract")
    after = edit_prices({"device/L4": entry})
    assert after.version != before.version
    assert price_training(3600, 0, "L4").amount == Decimal("0.70")
    assert price_training(3600, 0, "L4").price_version == after.version
    assert price_book(before.version).get("device/L4").amounts["amount"] == Decimal("0.8048")
    assert [book.version for book in price_versions()] == [after.version, before.version]
    assert edit_prices({"device/L4": None}).version == before.version


def test_a_price_for_a_new_device_can_be_added() -> None:
    entry = PriceEntry("device/abacus", "hour", {"amount": Decimal("1")}, "2026-11", "the shop")
    edit_prices({"device/abacus": entry})
    assert price_training(1800, 0, "abacus").amount == Decimal("0.5")


@pytest.mark.parametrize("wrong", ["-1", "NaN", "Infinity"])
def test_a_price_below_zero_or_no_number_is_refused(wrong: str) -> None:
    entry = PriceEntry("device/L4", "hour", {"amount": Decimal(wrong)}, "2026-11", "typo")
    with pytest.raises(KurabeError) as caught:
        edit_prices({"device/L4": entry})
    assert caught.value.code == "prices.bad_amount"


def test_list_prices_of_a_model_are_known_by_kind_of_token_and_unknown_ones_are_none() -> None:
    own = token_rates("ft:gpt-4.1-mini:team::1")
    assert own is not None and (own.read, own.cached, own.written) == (0.80, 0.20, 3.20)
    listed = token_rates("openai/gpt-4o-mini")
    assert listed is not None and 0 < listed.cached < listed.read < listed.written
    assert token_rates("nobody/knows-this-one") is None
    assert token_rates("ft:gpt-4.1-mini", version="never stored") is None
