"""What a server can do, as a record that pages show plainly."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.models.endpoint import Endpoint

if TYPE_CHECKING:
    from openai import OpenAI

__all__ = ["Capabilities", "detect"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Each ability is True, False, or None where nobody has found out yet."""

    engine: str = ""
    """Who serves: ``kurabe``, what the server calls itself, or empty."""
    models: tuple[str, ...] = ()
    """Names that it lists."""
    chat: bool | None = None
    usage_in_stream: bool | None = None
    """Token counts while streaming; without them Kurabe counts, and says so."""
    seed: bool | None = None
    """Whether it accepts a seed (not whether it keeps to it)."""
    stop: bool | None = None
    adapters: bool | None = None
    """Whether adapters trained here can be asked by name."""
    embeddings: bool | None = None
    log_probabilities: bool | None = None
    thinking_switch: bool | None = None
    """Whether thinking can be switched per request."""
    timings: bool | None = None
    """Whether it reports queue, prefill and decode time of each answer."""
    probed: bool = False
    """Whether calls were made to find out."""

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    def missing(self) -> tuple[str, ...]:
        """Return the names of abilities that the server certainly lacks."""
        return tuple(name for name, value in asdict(self).items() if value is False and name != "probed")


def detect(client: OpenAI, endpoint: Endpoint, model: str | None, *, probe: bool) -> Capabilities:
    """Find out what a server can do; without `probe` only from its list of models.

    Each probe writes one token, so that asking costs next to nothing. A service that has no list of models is asked
    for the named one all the same.
    """
    listed = _listed(client)
    names = tuple(entry.id for entry in listed)
    owner = str(getattr(listed[0], "owned_by", "") or "") if listed else ""
    if owner == "kurabe":
        return Capabilities(
            engine=owner,
            models=names,
            chat=True,
            usage_in_stream=True,
            seed=True,
            stop=True,
            adapters=endpoint.is_local_host,
            embeddings=True,
            log_probabilities=False,
            thinking_switch=True,
            timings=True,
        )
    chosen = model or next(iter(names), None)
    if not probe or chosen is None:
        return Capabilities(engine=owner, models=names, adapters=False, timings=False)
    return Capabilities(
        engine=owner,
        models=names,
        chat=_chat(client, chosen),
        usage_in_stream=_usage_in_stream(client, chosen),
        seed=_chat(client, chosen, seed=1),
        stop=_chat(client, chosen, stop=["\n\n\n"]),
        adapters=False,
        embeddings=_embeddings(client, names),
        log_probabilities=_chat(client, chosen, logprobs=True),
        thinking_switch=_chat(client, chosen, extra_body={"chat_template_kwargs": {"enable_thinking": False}}),
        timings=False,
        probed=True,
    )


def _listed(client: OpenAI) -> list[Any]:
    """Return the server's list of models; empty where it has none, as a team's own service often does."""
    from openai import APIStatusError

    try:
        return list(client.models.list())
    except APIStatusError as error:
        if error.status_code in (404, 405, 501):
            return []
        raise


_HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


def _chat(client: OpenAI, model: str, **extra: Any) -> bool:
    from openai import APIStatusError

    try:
        answer = client.chat.completions.create(model=model, messages=_HELLO, max_tokens=1, timeout=60, **extra)
    except APIStatusError:
        return False
    if extra.get("logprobs"):
        return bool(answer.choices and answer.choices[0].logprobs)
    return bool(answer.choices)


def _usage_in_stream(client: OpenAI, model: str) -> bool:
    from openai import APIStatusError

    try:
        stream = client.chat.completions.create(
            model=model, messages=_HELLO, max_tokens=1, timeout=60, stream=True, stream_options={"include_usage": True}
        )
        return any(event.usage is not None for event in stream)
    except APIStatusError:
        return False


def _embeddings(client: OpenAI, names: tuple[str, ...]) -> bool | None:
    """Ask a model whose name says that it embeds; None if no name does."""
    from openai import APIStatusError

    chosen = next((name for name in names if "embed" in name.lower() or "e5" in name.lower()), None)
    if chosen is None:
        return None
    try:
        return bool(client.embeddings.create(model=chosen, input=["hello"], timeout=60).data)
    except APIStatusError:
        return False
