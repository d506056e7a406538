"""Prices: dated and sourced, per token, per trained token and per device-hour; editable, every version kept."""

from core.prices.book import (
    PriceBookInfo,
    PriceEntry,
    edit_prices,
    price_book,
    price_versions,
    remember_prices,
)
from core.prices.costing import (
    Cost,
    CostPart,
    TokenRates,
    convert,
    price_answer,
    price_device,
    price_hosted_training,
    price_parts,
    price_training,
    token_rates,
)
from core.prices.device import Device, local_device

__all__ = [
    "Cost",
    "CostPart",
    "Device",
    "PriceBookInfo",
    "PriceEntry",
    "TokenRates",
    "convert",
    "edit_prices",
    "local_device",
    "price_answer",
    "price_book",
    "price_device",
    "price_hosted_training",
    "price_parts",
    "price_training",
    "price_versions",
    "remember_prices",
    "token_rates",
]
