"""Where a model is served, and with which key."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Endpoint"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server."""

    url: str
    """Base URL up to and with ``/v1``."""
    key: str | None = field(default=None, repr=False)
    """Sent as a bearer token; never shown or stored."""
    label: str = ""
    """What people call it."""
    is_local_host: bool = False
    """Whether it is this home's own host, whose answers cost device time rather than a list price."""
