"""Secrets by name: whether one is there, and keeping its value out of payloads and logs."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from core.settings import ROOT

_SECRET_NAME: Final = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)", re.IGNORECASE)
_SHORTEST: Final = 8  # shorter values ("1", "true") would blank out ordinary text
_OWN_MARKS: Final = "_KURABE_"  # names processes to each other; no secrets


def _streamlit_secrets() -> dict[str, str]:
    for folder in (ROOT, Path.home()):
        path = folder / ".streamlit" / "secrets.toml"
        if path.is_file():
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            return {name: value for name, value in data.items() if isinstance(value, str)}
    return {}


def find_secret(name: str) -> str | None:
    """The value of a secret from the environment or Streamlit's secrets file; None without one."""
    return os.environ.get(name) or _streamlit_secrets().get(name)


def missing_secrets(names: Iterable[str]) -> list[str]:
    """Those of the names that have no value here."""
    return [name for name in names if not find_secret(name)]


def secret_values() -> list[str]:
    """Values that must never be shown, longest first."""
    named = {**_streamlit_secrets(), **{k: v for k, v in os.environ.items() if _SECRET_NAME.search(k)}}
    values = {v for k, v in named.items() if not k.startswith(_OWN_MARKS) and len(v) >= _SHORTEST}
    return sorted(values, key=len, reverse=True)


def redact(text: str, values: Iterable[str] | None = None) -> str:
    """Replace each secret value in a text by a mark."""
    for value in secret_values() if values is None else values:
        text = text.replace(value, "[secret]")
    return text


def redacted(value: Any, values: Sequence[str]) -> Any:
    """The JSON value with secrets replaced in all its texts."""
    if isinstance(value, str):
        return redact(value, values)
    if isinstance(value, dict):
        return {key: redacted(item, values) for key, item in value.items()}
    return [redacted(item, values) for item in value] if isinstance(value, list) else value


class RedactingStream:
    """A text stream that blanks secrets out before they reach the file behind it."""

    def __init__(self, stream: TextIO, values: Iterable[str]) -> None:
        """Wrap `stream`; `values` are the secrets as they are now."""
        self._stream = stream
        self._values = list(values)

    def write(self, text: str) -> int:
        """Write the text without secrets; returns the length of what was given."""
        self._stream.write(redact(text, self._values))
        return len(text)

    def __getattr__(self, name: str) -> object:
        """Everything else is the wrapped stream's."""
        return getattr(self._stream, name)
