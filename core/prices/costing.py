"""What an answer or a training costs, from the price book, with its basis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal, Protocol

from core.errors import KurabeError
from core.prices.book import PriceBookInfo, PriceEntry, price_book
from core.prices.device import Device, local_device

__all__ = [
    "Cost",
    "CostPart",
    "ListPrice",
    "TokenRates",
    "convert",
    "list_price",
    "part_shares",
    "price_answer",
    "price_device",
    "price_hosted_training",
    "price_parts",
    "price_training",
    "token_rates",
]

Basis = Literal["billed", "list", "device"]

_MILLION = Decimal(1_000_000)
_SMALLEST = Decimal("1e-12")
"""Costs are kept to a millionth of a millionth: one answer of a small model costs that little."""


class TokenCounts(Protocol):
    """The part of a usage record that has a price."""

    @property
    def prompt_tokens(self) -> int:
        """All tokens of the prompt."""

    @property
    def completion_tokens(self) -> int:
        """All tokens written, thinking included."""

    @property
    def cached_tokens(self) -> int | None:
        """Tokens of the prompt that the server had read before."""


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount of money and what it rests on."""

    amount: Decimal
    currency: str
    basis: Basis
    """``billed`` by a server, ``list`` price times tokens, or ``device`` time times its rate."""
    price_version: str
    """Version of the price book."""


@dataclass(frozen=True, slots=True)
class TokenRates:
    """List prices of a model per million tokens, in the price book's currency."""

    read: float
    cached: float
    """Of prompt tokens that the server had read before."""
    written: float


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Tokens of an answer or of a part of one."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int | None = None


_STEP = 1_000
"""Tokens that a price is asked for: so few that the surcharge for long prompts does not enter it."""


def token_rates(model_ref: str, version: str | None = None) -> TokenRates | None:
    """Return a model's list prices per million tokens; None where it has none, or the version is not known.

    Args:
        model_ref: the model as servers know it.
        version: of the price book; the one in use by default.
    """
    kinds = (_Tokens(_STEP), _Tokens(_STEP, cached_tokens=_STEP), _Tokens(completion_tokens=_STEP))
    try:
        own = _own_token_price(price_book(version), model_ref)
        amounts = [_tokens_cost(own, usage) if own else _listed(model_ref, usage) for usage in kinds]
    except KurabeError:
        return None
    return TokenRates(*(float(amount * _MILLION / _STEP) for amount in amounts))


def price_answer(
    model_ref: str, usage: TokenCounts, device_seconds: float | None, *, device: str | None = None
) -> Cost:
    """Return what one answer cost, in the price book's currency.

    With `device_seconds` (its share of computing time at the local host) it is time × rate; otherwise tokens × list
    price, from the own table first and then from ``genai-prices``.

    Raises:
        KurabeError: ``prices.unknown_model`` or ``prices.unknown_device``: an unknown price is not zero.
    """
    book = price_book()
    if device_seconds is not None:
        return price_device(device_seconds, device)
    if (own := _own_token_price(book, model_ref)) is not None:
        amount = _tokens_cost(own, usage)
    else:
        amount = _listed(model_ref, usage)
    return Cost(amount.quantize(_SMALLEST), book.currency, "list", book.version)


CostPart = Literal["prompt", "context", "completion", "device"]
"""What an answer's money goes to: instructions and question, passages and examples, the answer, or device time."""


def part_shares(
    model_ref: str, prompt: float, cached: float, context: float, completion: float, version: str | None = None
) -> dict[CostPart, float] | None:
    """Return which share of the money for some tokens goes to each part; None where nobody knows.

    Tokens are weighed by their list prices, those of short prompts. Reading, the discount for cached tokens taken off,
    is shared between prompt and context by their tokens.

    Args:
        model_ref: as for `token_rates`.
        prompt: tokens read, of one answer or summed over many, as the other counts.
        cached: of them, those that the server had read before.
        context: of them, those of passages and examples; 0 where nobody counted them apart.
        completion: tokens written.
        version: of the price book; the one in use by default.
    """
    rates = token_rates(model_ref, version)
    if rates is None:
        return None
    reading = (prompt - cached) * rates.read + cached * rates.cached
    writing = completion * rates.written
    if reading + writing <= 0:
        return None
    shown = min(1.0, context / prompt) if prompt else 0.0
    money: dict[CostPart, float] = {"prompt": reading * (1 - shown), "context": reading * shown, "completion": writing}
    return {part: amount / (reading + writing) for part, amount in money.items()}


def price_parts(
    model_ref: str,
    usage: TokenCounts,
    context_tokens: int | None,
    device_seconds: float | None,
    currency: str,
    *,
    device: str | None = None,
) -> tuple[Cost, Mapping[CostPart, Decimal]]:
    """Return what such an answer costs at the prices in force now, and its parts (`part_shares`), which sum to it.

    Device time is one part: the same seconds read and write. Where nobody knows the parts, all of it is prompt.

    Args:
        model_ref: as for `price_answer`.
        usage: tokens as counted when the answer was given.
        context_tokens: of the prompt, those of passages and examples; None if nobody counted them.
        device_seconds: its share of computing time at the local host; None for a hosted model.
        currency: of the result.
        device: name of a device instead of this machine's.

    Raises:
        KurabeError: as `price_answer` and `convert`.
    """
    whole = convert(price_answer(model_ref, usage, device_seconds, device=device), currency)
    if device_seconds is not None:
        return whole, {"device": whole.amount}
    tokens = (usage.prompt_tokens, usage.cached_tokens or 0, context_tokens or 0, usage.completion_tokens)
    shares = part_shares(model_ref, *tokens) or {}
    context, completion = (
        (whole.amount * Decimal(str(shares.get(part, 0.0)))).quantize(_SMALLEST) for part in _BESIDE_THE_PROMPT
    )
    return whole, {"prompt": whole.amount - context - completion, "context": context, "completion": completion}


_BESIDE_THE_PROMPT: tuple[CostPart, CostPart] = ("context", "completion")
"""Parts that are rounded; the prompt's is what is left, so that they sum to the whole."""


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What a million tokens of a hosted model cost."""

    input: Decimal
    output: Decimal
    currency: str
    source: str
    """Where the price was read; empty for the ``genai-prices`` list."""
    as_of: str
    """Day, month or year on which it held; for the list its version."""


def list_price(model_ref: str) -> ListPrice | None:
    """Return the list price that answers of a model are priced with; None where nobody has entered or listed one."""
    book = price_book()
    if (own := _own_token_price(book, model_ref)) is not None:
        return ListPrice(own.amounts["input"], own.amounts["output"], book.currency, own.source, own.as_of)
    try:
        # a thousand at a time: prices that rise with the length of a prompt are those of a short one
        read, written = _calculated(model_ref, 1000, 0, 0), _calculated(model_ref, 0, 1000, 0)
    except KurabeError:
        return None
    return ListPrice(read * 1000, written * 1000, book.currency, "", book.list_version)


def price_device(seconds: float, device: str | None = None) -> Cost:
    """Return the cost of computing time on this machine's device, or on a named one.

    Raises:
        KurabeError: ``prices.unknown_device``.
    """
    book = price_book()
    used = local_device(device)
    amount = Decimal(str(seconds)) / 3600 * _hourly(book, used)
    return Cost(amount.quantize(_SMALLEST), book.currency, "device", book.version)


def price_training(seconds: float, tokens: int, device: str | None = None) -> Cost:
    """Return what a local training cost: time × rate; `tokens` has no price of its own here.

    Raises:
        KurabeError: ``prices.unknown_device``.
    """
    return price_device(seconds, device)


def price_hosted_training(model: str, tokens: int, seconds: float = 0.0) -> Cost:
    """Return the list price of a training elsewhere; `tokens` are those billed: epochs × training tokens.

    Raises:
        KurabeError: ``prices.no_entry``.
    """
    book = price_book()
    entry = book.get(f"training/{model}")
    units = Decimal(tokens) / _MILLION if entry.unit == "million_tokens" else Decimal(str(seconds)) / 3600
    return Cost((units * entry.amounts["amount"]).quantize(_SMALLEST), book.currency, "list", book.version)


def convert(cost: Cost, currency: str) -> Cost:
    """Return the same cost in another currency, at the price book's dated rate.

    Raises:
        KurabeError: ``prices.no_entry`` without a rate.
    """
    if cost.currency == currency:
        return cost
    book = price_book()
    dollars = cost.amount if cost.currency == "USD" else cost.amount / _rate(book, cost.currency)
    amount = dollars if currency == "USD" else dollars * _rate(book, currency)
    return Cost(amount.quantize(_SMALLEST), currency, cost.basis, cost.price_version)


def _rate(book: PriceBookInfo, currency: str) -> Decimal:
    return book.get(f"exchange/{currency}").amounts["rate"]


def _hourly(book: PriceBookInfo, device: Device) -> Decimal:
    entry = book.entries.get(f"device/{device.name}")
    if entry is None:
        raise KurabeError("prices.unknown_device", device=device.label or device.name)
    return entry.amounts["amount"] * device.units


def _own_token_price(book: PriceBookInfo, model_ref: str) -> PriceEntry | None:
    """Find the own price: by the exact name, or for tuned models by the longest beginning."""
    names = [model_ref, *(model_ref[:end] for end in range(len(model_ref) - 1, 3, -1) if model_ref[end] in ":-")]
    if not model_ref.startswith("ft:"):
        names = [model_ref]
    return next((book.entries[key] for name in names if (key := f"tokens/{name}") in book.entries), None)


def _tokens_cost(entry: PriceEntry, usage: TokenCounts) -> Decimal:
    prices = entry.amounts
    cached = usage.cached_tokens or 0
    fresh = usage.prompt_tokens - cached
    read = fresh * prices["input"] + cached * prices.get("cached", prices["input"])
    return (read + usage.completion_tokens * prices["output"]) / _MILLION


def _listed(model_ref: str, usage: TokenCounts) -> Decimal:
    """Return the list price of a hosted model.

    Raises:
        KurabeError: ``prices.unknown_model``.
    """
    return _calculated(model_ref, usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens or 0)


@lru_cache(maxsize=4096)
def _calculated(model_ref: str, read: int, written: int, cached: int) -> Decimal:
    # Imported here: it loads two thousand prices, which a local comparison does not need.
    from genai_prices import Usage, calc_price

    counts = Usage(input_tokens=read, output_tokens=written, cache_read_tokens=cached)
    provider, _, name = model_ref.partition("/")
    for ref, owner in ((model_ref, None), (name, provider)):
        try:
            if ref:
                return calc_price(counts, model_ref=ref, provider_id=owner).total_price
        except LookupError:
            continue
    raise KurabeError("prices.unknown_model", model=model_ref)
