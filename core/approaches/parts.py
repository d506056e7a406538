"""Everything one approach needs to answer, loaded once: client, template, context, index, prompt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from core.errors import KurabeError
from core.knowledge import Embedded, Hit, Mode, SearchResult, embed_questions, search
from core.models import Endpoint, ModelClient, ensure_host, resolve_base
from core.prompting import ChatTemplate, Message, Passage, PromptInput, build_messages, template_hash
from core.registry import Registry
from core.store import read
from core.store import tables as tb

from .context import Context, Gathered, GatherInput
from .sources import ProjectSources
from .spec import ApproachSpec, Decoding, ModelChoice, check_key_present

CONTEXTS: Registry[Context] = Registry("core.approaches.contexts", Context)  # type: ignore[type-abstract]  # looked up
"""All contexts by name."""

_MARGIN = 8
"""Tokens kept free: a template may add a few where a passage or an example joins the prompt."""


class Server:
    """The client of one approach; finds the local host again after it was restarted elsewhere."""

    def __init__(self, spec: ApproachSpec, endpoint: Endpoint | None = None) -> None:
        """Connect; with `endpoint` nobody is looked for or started.

        Raises:
            KurabeError: as `load_parts`.
        """
        self._spec = spec
        self._lock = threading.Lock()
        self.quiet_until = 0.0
        """Monotonic moment before which the server wants no further question."""
        self.client = ModelClient(endpoint or endpoint_of(spec))

    def renew(self) -> None:
        """Start or find the host again if it moved; a failure shows at the next call."""
        if not self.client.endpoint.is_local_host:
            return
        with self._lock, suppress(KurabeError):
            endpoint = endpoint_of(self._spec)
            if endpoint != self.client.endpoint:
                self.client = ModelClient(endpoint)


@dataclass(frozen=True)
class Prompter:
    """One approach as far as its prompts go: no server is needed to write them."""

    spec: ApproachSpec
    sources: ProjectSources
    context: Context
    template: ChatTemplate | None
    """None for an endpoint whose tokenizer is unknown: then only the server counts."""

    @property
    def template_hash(self) -> str:
        """Hash of the wording of prompts and of the chat template."""
        return template_hash() + (f"+{self.template.hash}" if self.template else "")

    def messages(self, question: str, gathered: Gathered) -> list[Message]:
        """The chat that is sent."""
        prompt = PromptInput(
            language=self.sources.project.language,
            question=question,
            **self.spec.prompt.model_dump(),
            examples=gathered.examples,
            passages=gathered.passages,
        )
        return build_messages(prompt)

    def gather_input(self, question: str, gold: Callable[[], Sequence[dict[str, Any]]] | None) -> GatherInput:
        """What the context may use for this question; `gold` is None for a free question.

        Without a server search goes by words alone: no vector is asked for.
        """
        template, language = self.template, self.sources.project.language
        budget = budget_for(self.spec, self.sources, template, question) if template else None

        def cost(examples: Sequence[tuple[str, str]], passages: Sequence[Passage]) -> int:
            return context_tokens(template, language, tuple(examples), tuple(passages)) if template else 0

        def gold_hits() -> Sequence[Hit] | None:
            return None if gold is None else self.sources.gold(gold())

        return GatherInput(
            question=question,
            budget=budget,
            cost=cost,
            demonstrations=lambda: self.sources.demonstrations,
            search=self._search,
            documents=lambda: self.sources.documents,
            gold=gold_hits,
        )

    def _search(self, query: str, *, k: int, mode: Mode, rerank: bool) -> SearchResult:
        return search(self._index_id(), query, k=k, mode="text")

    def _index_id(self) -> str:
        if self.sources.index is None:
            raise KurabeError("approaches.no_index")
        return str(self.sources.index.id)


@dataclass(frozen=True)
class Parts(Prompter):
    """One approach, ready to answer."""

    approach_id: str
    server: Server
    """Where it is asked."""
    model_hash: str
    """Hash of the weights that answer; empty for an endpoint."""
    thinking: bool | None
    """Thinking mode to ask for; None where the model has no switch."""
    embedded: dict[str, Embedded] = field(default_factory=dict, compare=False)
    """Vectors of questions that `expect` has made and nobody has used yet."""

    @property
    def client(self) -> ModelClient:
        """The client of the server as it is now."""
        return self.server.client

    def expect(self, questions: Sequence[str]) -> None:
        """Embed the questions that come next in one go; each vector serves one answer.

        A server that does not answer now is asked again for each question, where its failure is recorded.
        """
        # other contexts search seldom or never, and full text needs no vector
        by_vector = self.context.name == "retrieved" and self.spec.context.get("mode") != "text"
        if by_vector and self.sources.index is not None:
            with suppress(KurabeError):
                made = embed_questions(self.sources.index.id, questions)
                self.embedded.update(zip(questions, made, strict=True))

    def _search(self, query: str, *, k: int, mode: Mode, rerank: bool) -> SearchResult:
        known = self.embedded.pop(query, None)
        return search(self._index_id(), query, k=k, mode=mode, rerank=rerank, embedded=known)


def prompter(spec: ApproachSpec, sources: ProjectSources) -> Prompter:
    """What writes the prompts of an approach, without its server.

    Raises:
        KurabeError: whatever the base model or the registry raise.
    """
    base_ref = "" if spec.model.kind == "endpoint" else spec.model.base_ref or spec.model.ref
    template = sources.template(base_ref) if base_ref else None
    return Prompter(spec=spec, sources=sources, context=CONTEXTS.build(spec.context), template=template)


def weights_hash(model: ModelChoice) -> str:
    """Hash of the weights that answer; empty for an endpoint.

    Raises:
        KurabeError: what the base model raises; `approaches.adapter_gone`.
    """
    if model.kind == "endpoint":
        return ""
    return resolve_base(model.base_ref or model.ref).hash if model.kind == "base" else _adapter_hash(model.ref)


def load_parts(approach: tb.Approach, sources: ProjectSources, decoding: Decoding | None = None) -> Parts:
    """Resolve an approach: start or find its server, load its tokenizer.

    Args:
        approach: which.
        sources: its project's.
        decoding: pinned for all approaches in place of its own, thinking mode included.

    Raises:
        KurabeError: whatever the host, the base model or the registry raise; `approaches.adapter_gone`;
            `approaches.key_missing` when the environment lacks the endpoint's key.
    """
    spec = ApproachSpec.model_validate(approach.spec)
    if decoding is not None:
        spec = spec.model_copy(update={"decoding": decoding})
    return resolve(spec, sources, approach_id=approach.id)


def resolve(
    spec: ApproachSpec, sources: ProjectSources, *, approach_id: str = "", endpoint: Endpoint | None = None
) -> Parts:
    """Resolve a specification, stored or not; with `endpoint` no server is looked for or started.

    Raises:
        KurabeError: as `load_parts`.
    """
    model = spec.model
    if model.kind == "endpoint":
        # an unknown service may refuse a switch that it does not know: it is sent only when wanted
        thinking = True if spec.decoding.thinking else None
    else:
        info = resolve_base(model.base_ref or model.ref)
        thinking = spec.decoding.thinking if info.thinking == "optional" else None
    written = prompter(spec, sources)
    return Parts(
        approach_id=approach_id,
        spec=spec,
        sources=sources,
        context=written.context,
        template=written.template,
        model_hash=weights_hash(model),
        server=Server(spec, endpoint),
        thinking=thinking,
    )


def endpoint_of(spec: ApproachSpec) -> Endpoint:
    """Where an approach is asked: the address that it names, else this home's host, started if need be.

    Raises:
        KurabeError: `approaches.key_missing`; what the host raises.
    """
    model = spec.model
    if model.kind != "endpoint":
        return ensure_host()
    return Endpoint(url=model.url or "", key=check_key_present(model.key_name), label=spec.name)


def _adapter_hash(adapter_id: str) -> str:
    with read() as session:
        adapter = session.get(tb.Adapter, adapter_id)
    if adapter is None or adapter.deleted_at is not None:
        raise KurabeError("approaches.adapter_gone", id=adapter_id)
    return adapter.hash


def budget_for(spec: ApproachSpec, sources: ProjectSources, template: ChatTemplate, question: str) -> int | None:
    """Tokens left for context: the limit less instructions, question and the longest answer; never negative.

    None when neither the model nor the approach names a limit.
    """
    limits = [spec.context_budget_tokens] if spec.context_budget_tokens else []
    if sources.context_length is not None:
        limits.append(sources.context_length - spec.decoding.max_tokens)
    if not limits:
        return None
    limit = min(limits)
    bare = PromptInput(
        language=sources.project.language,
        question=question or "?",
        **spec.prompt.model_dump(),
    )
    return max(0, limit - template.count(build_messages(bare)) - _MARGIN)


@lru_cache(maxsize=4096)
def context_tokens(
    template: ChatTemplate, language: str, examples: tuple[tuple[str, str], ...], passages: tuple[Passage, ...]
) -> int:
    """Tokens that examples and passages add to a prompt, the words that frame them included."""
    bare = PromptInput(language=language, question="?")
    full = PromptInput(language=language, question="?", examples=examples, passages=passages)
    return template.count(build_messages(full)) - template.count(build_messages(bare))
