"""The one error that people see: a code and its parameters, worded later in the reader's language."""

from __future__ import annotations

import logging
import re
import uuid
from typing import Any, TypedDict

__all__ = ["ErrorRecord", "KurabeError", "as_kurabe_error", "storable"]

logger = logging.getLogger(__name__)

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What no text column holds: the null character, and halves of characters."""


def storable(value: Any) -> Any:
    """Return a JSON value whose texts every store can keep and every file can be written with."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value


class ErrorRecord(TypedDict):
    """What the store and the event files keep of an error."""

    code: str
    """Dotted name, for example ``dataset.unreadable``; its sentences are ``error.<code>`` in the catalogues."""
    params: dict[str, Any]
    """JSON values that the sentences name in braces."""


class KurabeError(Exception):
    """A problem that a person can act on.

    The sentence (what happened, and where) and the hint (what to do next) live in the catalogues as
    ``error.<code>`` and ``error.<code>.hint``, so that a stored error reads in whichever language is asked for.
    """

    def __init__(self, code: str, **params: Any) -> None:
        """Keep the code and JSON-able parameters; nothing is worded here.

        Parameters often quote what a server or a file said, so what cannot be stored is replaced.
        """
        self.code = code
        self.params: dict[str, Any] = storable(params)
        details = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        super().__init__(f"{code}({details})")

    def as_record(self) -> ErrorRecord:
        """Return the form that is stored."""
        return {"code": self.code, "params": dict(self.params)}

    @classmethod
    def from_record(cls, record: ErrorRecord) -> KurabeError:
        """Rebuild an error from its stored form."""
        return cls(record["code"], **record["params"])


def as_kurabe_error(error: BaseException) -> KurabeError:
    """Return `error` itself if a person can act on it, else an ``internal`` error whose id leads to the log."""
    if isinstance(error, KurabeError):
        return error
    reference = uuid.uuid4().hex[:8]
    logger.error("unexpected error %s", reference, exc_info=error)
    return KurabeError("internal", reference=reference, kind=type(error).__name__, detail=str(error)[:500])
