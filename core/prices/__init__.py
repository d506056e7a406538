"""Prices: dated and sourced, per token, per trained token and per device-hour; editable, every version kept."""

from core.prices.book import (
    PriceBookInfo,
    PriceEntry,
    edit_prices,
    enter_token_price,
    price_book,
    price_versions,
    remember_prices,
)
from core.prices.costing import (
    Cost,
    CostPart,
    ListPrice,
    TokenRates,
    convert,
    list_price,
    part_shares,
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
    "ListPrice",
    "PriceBookInfo",
    "PriceEntry",
    "TokenRates",
    "convert",
    "edit_prices",
    "enter_token_price",
    "list_price",
    "local_device",
    "price_answer",
    "price_book",
    "price_device",
    "price_hosted_training",
    "part_shares",
    "price_parts",
    "price_training",
    "price_versions",
    "remember_prices",
    "token_rates",
]
