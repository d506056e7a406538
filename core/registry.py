"""Plug-ins: one file each, found by looking in a folder, with "did you mean" for unknown names."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import inspect
import pkgutil
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from core.errors import KurabeError

__all__ = ["Registry", "spec_of"]

T = TypeVar("T")


class Registry(Generic[T]):
    """The plug-ins of one seam: every public module of a package that defines one subclass of `base`.

    A plug-in's name is its file's name and its class's ``name``; its dataclass fields are its whole configuration.
    """

    def __init__(self, package: str, base: type[T]) -> None:
        """Remember where to look; nothing is imported before the first question."""
        self.package = package
        self.base = base

    @cached_property
    def _modules(self) -> tuple[str, ...]:
        folder = importlib.import_module(self.package).__path__
        return tuple(sorted(m.name for m in pkgutil.iter_modules(folder) if not m.name.startswith("_")))

    def names(self) -> tuple[str, ...]:
        """Return the names of all plug-ins, in alphabetical order."""
        return self._modules

    def get(self, name: str) -> type[T]:
        """Return the plug-in's class.

        Raises:
            KurabeError: ``registry.unknown`` with suggestions, if there is no such file.
        """
        if name not in self._modules:
            near = difflib.get_close_matches(name, self._modules, n=3)
            raise KurabeError(
                "registry.unknown",
                kind=self.package.rsplit(".", 1)[-1],
                name=name,
                suggestions=", ".join(near) or "-",
                known=", ".join(self._modules),
            )
        return self._class_in(name)

    def _class_in(self, name: str) -> type[T]:
        module = importlib.import_module(f"{self.package}.{name}")
        for value in vars(module).values():
            own = inspect.isclass(value) and value.__module__ == module.__name__ and issubclass(value, self.base)
            if own and getattr(value, "name", None) == name:
                return cast(type[T], value)
        raise TypeError(f"{module.__name__} defines no {self.base.__name__} named {name!r}")

    def all(self) -> dict[str, type[T]]:
        """Return every plug-in's class by name."""
        return {name: self.get(name) for name in self._modules}

    def build(self, spec: dict[str, Any]) -> T:
        """Rebuild a plug-in from what `spec_of` returned.

        Raises:
            KurabeError: ``registry.unknown`` or ``registry.bad_fields``.
        """
        fields = {key: value for key, value in spec.items() if key != "name"}
        plugin = self.get(str(spec["name"]))
        try:
            return plugin(**fields)
        except TypeError as error:
            raise KurabeError("registry.bad_fields", name=str(spec["name"]), detail=str(error)) from error


def spec_of(plugin: Any) -> dict[str, Any]:
    """Return a plug-in's name and those fields that differ from their defaults: enough to build it again."""
    spec: dict[str, Any] = {"name": type(plugin).name}
    for field in dataclasses.fields(plugin):
        value = getattr(plugin, field.name)
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if value != default:
            spec[field.name] = value
    return spec
