"""What an answer's money goes to, at the prices in force when somebody looks."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import KurabeError
from core.evaluation.cost_shares import Spent, cost_parts
from core.models import Usage
from core.prices import PriceEntry, edit_prices, price_answer, price_parts


def own_price(read: str, written: str) -> None:
    amounts = {"input": Decimal(read), "output": Decimal(written), "cached": Decimal("0.1")}
    edit_prices({"tokens/house": PriceEntry("tokens/house", "million_tokens", amounts, "2026-01-01", "own contract")})


def test_the_parts_of_a_hosted_answer_sum_to_its_cost() -> None:
    own_price("1", "4")
    whole, parts = price_parts("house", Usage(1000, 50), 800, None, "USD")
    assert parts == {"prompt": Decimal("0.0002"), "context": Decimal("0.0008"), "completion": Decimal("0.0002")}
    assert sum(parts.values()) == whole.amount == price_answer("house", Usage(1000, 50), None).amount


@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_the_parts_of_a_listed_model_sum_to_its_cost_in_either_currency(currency: str) -> None:
    whole, parts = price_parts("gpt-4o", Usage(1234, 77, cached_tokens=1024), 900, None, currency)
    assert sum(parts.values()) == whole.amount and whole.currency == currency and all(v > 0 for v in parts.values())


def test_an_old_answer_is_priced_anew_when_prices_change() -> None:
    own_price("1", "4")
    before, _ = price_parts("house", Usage(1000, 50), 0, None, "USD")
    own_price("2", "8")
    after, _ = price_parts("house", Usage(1000, 50), 0, None, "USD")
    assert after.amount == 2 * before.amount and after.price_version != before.price_version


def test_device_time_is_one_part() -> None:
    whole, parts = price_parts("starter", Usage(1000, 50), 800, 2.0, "USD", device="cpu")
    assert parts == {"device": whole.amount} and whole.basis == "device"


def test_a_context_that_nobody_counted_is_part_of_the_prompt() -> None:
    own_price("1", "4")
    _, parts = price_parts("house", Usage(1000, 0), None, None, "USD")
    assert parts["prompt"] == Decimal("0.001") and parts["context"] == 0


def test_an_unknown_price_is_no_zero() -> None:
    with pytest.raises(KurabeError) as refused:
        price_parts("nobody-sells-this", Usage(10, 10), 0, None, "USD")
    assert refused.value.code == "prices.unknown_model"


@pytest.mark.parametrize("model", ["house", "gpt-4o"])
@pytest.mark.parametrize("cached", [0, 700])
def test_an_answer_and_a_run_share_their_cost_out_alike(model: str, cached: int) -> None:
    own_price("1", "4")
    usage = Usage(1000, 50, cached_tokens=cached)
    whole, parts = price_parts(model, usage, 800, None, "USD")
    spent = Spent()
    for _ in range(3):
        spent.add(float(whole.amount), 1000, cached, 800, 50)
    of_run = cost_parts({("list", whole.price_version): spent}, model, 3)
    named = {"prompt": "question", "context": "context", "completion": "answer"}
    assert {named[part]: pytest.approx(1000 * float(amount)) for part, amount in parts.items()} == of_run
