"""The price book: what Kurabe ships, with the corrections that people made; every version is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select

from core.errors import KurabeError
from core.identity import canonical_json, content_hash, now
from core.settings import settings
from core.store import read, write
from core.store import tables as tb

__all__ = [
    "PriceBookInfo",
    "PriceEntry",
    "edit_prices",
    "enter_token_price",
    "price_book",
    "price_versions",
    "remember_prices",
]

Unit = Literal["per_usd", "core_hour", "hour", "million_tokens"]

_SHIPPED = Path(__file__).with_name("prices.json")


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """One price."""

    key: str
    """``device/…``, ``tokens/…``, ``training/…`` or ``exchange/…``."""
    unit: Unit
    """What one amount buys; for an exchange rate, how much of the currency one US dollar buys."""
    amounts: Mapping[str, Decimal]
    """``amount``; for tokens ``input``, ``cached`` and ``output``; for exchange ``rate``. US dollars otherwise."""
    as_of: str
    """Day, month or year on which the price held."""
    source: str
    edited: bool = False
    """Whether somebody put it in place of a shipped price, or added it."""

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values; amounts as text, so that nothing rounds them."""
        return {
            "key": self.key,
            "unit": self.unit,
            "amounts": {name: str(value) for name, value in self.amounts.items()},
            "as_of": self.as_of,
            "source": self.source,
            "edited": self.edited,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PriceEntry:
        """Rebuild an entry.

        Raises:
            KurabeError: ``prices.bad_amount``.
        """
        amounts = {name: _amount(values["key"], value) for name, value in values["amounts"].items()}
        edited = bool(values.get("edited", False))
        return cls(values["key"], values["unit"], amounts, str(values["as_of"]), str(values["source"]), edited)


def _amount(key: str, value: Any) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise KurabeError("prices.bad_amount", key=key, found=str(value)[:40]) from error
    if not amount.is_finite() or amount < 0:
        raise KurabeError("prices.bad_amount", key=key, found=str(value)[:40])
    return amount


@dataclass(frozen=True, slots=True)
class PriceBookInfo:
    """The prices in use."""

    version: str
    """Hash of all entries and of the version of the ``genai-prices`` list."""
    currency: str
    """Currency of all amounts."""
    as_of: str
    """Day on which the shipped prices were gathered, or the last correction made."""
    entries: Mapping[str, PriceEntry] = field(default_factory=dict)
    list_version: str = ""
    """Version of ``genai-prices``, which knows the list prices of hosted models."""

    def get(self, key: str) -> PriceEntry:
        """Return one entry.

        Raises:
            KurabeError: ``prices.no_entry``.
        """
        if key not in self.entries:
            raise KurabeError("prices.no_entry", key=key)
        return self.entries[key]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "version": self.version,
            "currency": self.currency,
            "as_of": self.as_of,
            "list_version": self.list_version,
            "entries": [entry.as_dict() for entry in self.entries.values()],
        }


@lru_cache(maxsize=1)
def _shipped() -> tuple[str, str, tuple[PriceEntry, ...]]:
    content = json.loads(_SHIPPED.read_text(encoding="utf-8"))
    return content["currency"], content["as_of"], tuple(PriceEntry.from_dict(row) for row in content["entries"])


def price_book(version: str | None = None) -> PriceBookInfo:
    """Return the prices in use, or those of an earlier version.

    Raises:
        KurabeError: ``prices.no_version`` for one that was never stored.
    """
    if version is None:
        return _book(_corrections())
    if (row := _row(version)) is not None:
        return _from_stored(row.entries)
    current = price_book()
    if current.version != version:
        raise KurabeError("prices.no_version", version=version)
    return current


def _book(corrections: Mapping[str, Any]) -> PriceBookInfo:
    return _made(canonical_json(corrections))


@lru_cache(maxsize=4)
def _made(corrections_json: str) -> PriceBookInfo:
    """Put corrections over the shipped prices; made once, since every answer of a run asks for it."""
    corrections: dict[str, Any] = json.loads(corrections_json)
    currency, as_of, shipped = _shipped()
    entries = {entry.key: entry for entry in shipped}
    for key, values in corrections.items():
        entries[key] = replace(PriceEntry.from_dict(values), edited=True)
    listed = package_version("genai-prices")
    digest = content_hash({"entries": [entry.as_dict() for entry in entries.values()], "list": listed})
    latest = max([as_of, *(str(values["as_of"]) for values in corrections.values())])
    return PriceBookInfo(digest, currency, latest, entries, listed)


_KEPT_SECONDS = 3.0
"""How long corrections are taken as read: thousands of answers are priced in a row."""

_kept: dict[str, tuple[float, dict[str, Any]]] = {}


def _corrections() -> dict[str, Any]:
    """Return the corrections in force, at most `_KEPT_SECONDS` old where another process makes them."""
    place = settings().database()
    at, corrections = _kept.get(place, (float("-inf"), {}))
    if time.monotonic() - at > _KEPT_SECONDS:
        corrections = _read_corrections()
        _kept[place] = (time.monotonic(), corrections)
    return dict(corrections)


def _read_corrections() -> dict[str, Any]:
    with read() as session:
        row = session.scalar(select(tb.PriceBook).order_by(tb.PriceBook.id.desc()).limit(1))
    return dict(row.entries.get("corrections", {})) if row is not None else {}


def _row(version: str) -> tb.PriceBook | None:
    with read() as session:
        return session.scalar(select(tb.PriceBook).where(tb.PriceBook.version == version))


def _from_stored(stored: Mapping[str, Any]) -> PriceBookInfo:
    entries = {row["key"]: PriceEntry.from_dict(row) for row in stored["entries"]}
    head = {name: str(stored[name]) for name in ("version", "currency", "as_of", "list_version")}
    return PriceBookInfo(**head, entries=entries)


def edit_prices(changes: Mapping[str, PriceEntry | None]) -> PriceBookInfo:
    """Correct or add prices (None takes a correction back) and return the new version; earlier ones are kept.

    Raises:
        KurabeError: ``prices.bad_key`` or ``prices.bad_amount``.
    """
    corrections = _corrections()
    for key, entry in changes.items():
        if entry is None:
            corrections.pop(key, None)
            continue
        if entry.key != key or key.partition("/")[0] not in ("device", "tokens", "training", "exchange"):
            raise KurabeError("prices.bad_key", key=key)
        corrections[key] = replace(PriceEntry.from_dict(entry.as_dict()), edited=True).as_dict()
    book = _book(corrections)
    _store(book, corrections)
    return book


def enter_token_price(model_ref: str, read: Any, written: Any, source: str = "") -> PriceBookInfo:
    """Enter what a million tokens of a model cost, as the contract with whoever serves it says; today's price.

    Args:
        model_ref: the model's name at its server.
        read: of the prompt, in the price book's currency.
        written: of the answer.
        source: where it was read.

    Raises:
        KurabeError: ``prices.bad_amount``.
    """
    key = f"tokens/{model_ref}"
    values = {"key": key, "unit": "million_tokens", "amounts": {"input": read, "output": written}}
    entry = PriceEntry.from_dict({**values, "as_of": now().date().isoformat(), "source": source})
    return edit_prices({key: entry})


def remember_prices() -> PriceBookInfo:
    """Store the version in use, so that it can be read again whatever later versions say; twice changes nothing."""
    corrections = _corrections()
    book = _book(corrections)
    if _row(book.version) is None:
        _store(book, corrections)
    return book


def _store(book: PriceBookInfo, corrections: Mapping[str, Any]) -> None:
    _kept.clear()
    content = {**book.as_dict(), "corrections": dict(corrections), "stored_at": now().isoformat()}
    with write() as session:
        # Going back to an earlier state makes it the newest again.
        if (old := session.scalar(select(tb.PriceBook).where(tb.PriceBook.version == book.version))) is not None:
            session.delete(old)
            session.flush()
        session.add(tb.PriceBook(version=book.version, entries=content))


def price_versions() -> list[PriceBookInfo]:
    """Return all stored versions, newest first."""
    with read() as session:
        rows = list(session.scalars(select(tb.PriceBook).order_by(tb.PriceBook.id.desc())))
    return [_from_stored(row.entries) for row in rows]
