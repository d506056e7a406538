"""Training methods: one file each, fields only; what they mean to peft is plain data that the trainer passes on."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from core.errors import KurabeError
from core.registry import Registry, spec_of

__all__ = ["METHODS", "Method", "build_method", "option", "spec_of"]


def option(
    default: Any,
    key: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[Any] = (),
) -> Any:
    """Return a dataclass field with what a form needs.

    Args:
        default: a sound value where nothing better is known.
        key: catalogue key of its label; its sentence of help is ``<key>.help``.
        minimum: least value allowed.
        maximum: greatest value allowed.
        choices: the only values allowed.
    """
    metadata = {"label": key, "help": f"{key}.help", "minimum": minimum, "maximum": maximum, "choices": tuple(choices)}
    return dataclasses.field(default=default, metadata=metadata)


def check_fields(plugin: Any) -> None:
    """Refuse values outside a dataclass's declared bounds.

    Raises:
        KurabeError: ``training.bad_field`` with the field, what was found and what was expected.
    """
    for field in dataclasses.fields(plugin):
        value = getattr(plugin, field.name)
        choices, low, high = (field.metadata.get(name) for name in ("choices", "minimum", "maximum"))
        if choices and value not in choices:
            raise KurabeError(
                "training.bad_field", field=field.name, found=str(value), expected=", ".join(map(str, choices))
            )
        number = isinstance(value, int | float) and not isinstance(value, bool)
        # not a number is neither below nor above anything
        inside = (low is None or value >= low) and (high is None or value <= high) if number else True
        if not inside:
            expected = f"{'' if low is None else low} – {'' if high is None else high}"
            raise KurabeError("training.bad_field", field=field.name, found=str(value), expected=expected)


@dataclass(frozen=True)
class Method(ABC):
    """One way to train; its fields are its whole configuration and make its form."""

    name: ClassVar[str]
    """The file's name; key of its label ``training.method.<name>``."""
    mixable: ClassVar[bool] = False
    """Whether rows of this adapter may share a batch with rows of others: proven for plain LoRA layers only."""
    quantised: ClassVar[bool] = False
    """Whether the base is loaded in 4 bit."""
    whole: ClassVar[bool] = False
    """Whether it changes all weights and so leaves a model of its own instead of an adapter."""
    rate_factor: ClassVar[float] = 1.0
    """Its learning rate, as a multiple of what LoRA would take."""

    def __post_init__(self) -> None:
        """Refuse values out of bounds.

        Raises:
            KurabeError: ``training.bad_field``.
        """
        check_fields(self)

    @abstractmethod
    def peft(self) -> dict[str, Any] | None:
        """Return what ``peft.get_peft_config`` takes; None trains the base's own weights."""

    def quantisation(self) -> dict[str, Any] | None:
        """Return what ``transformers.BitsAndBytesConfig`` takes, the compute type left out; None keeps full weights."""
        return None

    @classmethod
    def sized(cls, parameters: int) -> dict[str, Any]:
        """Return the fields that suit a base of this many parameters better than the defaults."""
        return {}


METHODS: Registry[Method] = Registry("core.training.methods", Method)  # type: ignore[type-abstract]  # only looked up
"""All methods by name."""


def build_method(spec: dict[str, Any]) -> Method:
    """Rebuild a method from its stored form.

    Raises:
        KurabeError: ``registry.unknown``, ``registry.bad_fields``, ``training.bad_field``.
    """
    return METHODS.build(spec)
