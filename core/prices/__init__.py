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
    ListPrice,
    convert,
    list_price,
    price_answer,
    price_device,
    price_hosted_training,
    price_training,
)
from core.prices.device import Device, local_device

__all__ = [
    "Cost",
    "Device",
    "ListPrice",
    "PriceBookInfo",
    "PriceEntry",
    "convert",
    "edit_prices",
    "enter_token_price",
    "list_price",
    "local_device",
    "price_answer",
    "price_book",
    "price_device",
    "price_hosted_training",
    "price_training",
    "price_versions",
    "remember_prices",
]
