"""Trying an address before anything depends on it: does it answer, what can it do, what is missing."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import KurabeError
from core.models import Capabilities, ChatRequest, Endpoint, ModelClient, Usage

from .library import is_address
from .spec import ModelChoice, check_key_name, check_key_present

ASKED = "Reply with one word: ready"
"""What a server is asked to see whether it answers."""

_WAIT = 60.0
"""Seconds that a first answer may take: a model may have to be loaded."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What a server at an address turned out to do."""

    capabilities: Capabilities
    text: str
    """What it replied; from outside, so to be shown as text only."""
    reasoning: str
    """What it thought before, told apart from the answer."""
    usage: Usage | None
    """Its own token counts; None when it sends none: answers can then not be priced."""
    seconds: float
    """Until the whole reply was there."""
    listed: bool | None
    """Whether its list of models names this one; None when it has no list."""

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "missing": list(self.capabilities.missing())}


def check_connection(model: ModelChoice) -> Connection:
    """Ask the model at an address one short question, then find out what its server can do; a dozen short calls.

    Raises:
        KurabeError: `approaches.endpoint_url`, `approaches.no_model`, `approaches.key_name`, `approaches.key_missing`;
            what the client raises: unreachable, refused key, unknown model, no answer in a known form.
    """
    if not is_address(model.url or ""):
        raise KurabeError("approaches.endpoint_url", url=model.url or "")
    if not model.ref.strip():
        raise KurabeError("approaches.no_model")
    check_key_name(model.key_name)
    client = ModelClient(Endpoint(url=model.url or "", key=check_key_present(model.key_name)))
    begun = time.monotonic()
    asked = [{"role": "user", "content": ASKED}]
    reply = client.complete(ChatRequest(model.ref, asked, max_tokens=64, timeout=_WAIT))
    seconds = time.monotonic() - begun
    found = client.capabilities(model.ref, probe=True)
    listed = model.ref in found.models if found.models else None
    return Connection(found, reply.text, reply.reasoning, reply.usage, seconds, listed)
