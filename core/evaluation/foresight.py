"""Tokens of a call before anything was asked: counted on a few questions with the model's own tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from core.approaches import CONTEXTS, ApproachSpec, GatherInput, ProjectSources, budget_for, context_tokens
from core.errors import KurabeError
from core.knowledge import SearchResult, chunks_of
from core.prompting import ChatTemplate, Passage, PromptInput, build_messages
from core.store import tables as tb

SAMPLE = 8
"""Questions whose prompts are counted."""


def foreseen_tokens(
    spec: ApproachSpec, sources: ProjectSources, questions: Sequence[tb.Example]
) -> tuple[float, float] | None:
    """Mean tokens of prompt and answer; None when nobody here can count.

    Answers are taken to be as long as the references. For a searching approach the mean length of the
    index's chunks stands for the passages: no model is called, so nothing is searched.
    """
    template = sources.template(spec.model.base_ref or spec.model.ref) if spec.model.kind != "endpoint" else None
    if template is None:
        return None
    sample = questions[:: max(1, len(questions) // SAMPLE)][:SAMPLE]
    try:
        prompts = [_prompt(spec, sources, template, example) for example in sample]
    except KurabeError:
        # the context cannot be filled as things stand; the run will say why
        return None
    return fmean(prompts), fmean(template.count_text(example.answer) for example in sample)


def _prompt(spec: ApproachSpec, sources: ProjectSources, template: ChatTemplate, example: tb.Example) -> float:
    bare = PromptInput(
        language=sources.project.language,
        question=example.question,
        **spec.prompt.model_dump(),
    )
    beside = _chunks(spec, sources) if spec.retrieves else _gathered(spec, sources, template, example)
    return template.count(build_messages(bare)) + beside


def _chunks(spec: ApproachSpec, sources: ProjectSources) -> float:
    """Tokens of k average chunks."""
    if sources.index is None:
        raise KurabeError("approaches.no_index")
    lengths = [hit.tokens for hit in chunks_of(sources.index.id)]
    context: Any = CONTEXTS.build(spec.context)
    return context.k * fmean(lengths) if lengths else 0.0


def _gathered(spec: ApproachSpec, sources: ProjectSources, template: ChatTemplate, example: tb.Example) -> float:
    """Tokens of examples or documents, gathered as for a real answer."""
    language = sources.project.language

    def cost(examples: Sequence[tuple[str, str]], passages: Sequence[Passage]) -> int:
        return context_tokens(template, language, tuple(examples), tuple(passages))

    def no_search(query: str, *, k: int, mode: str, rerank: bool) -> SearchResult:
        raise KurabeError("approaches.no_index")

    given = GatherInput(
        question=example.question,
        budget=budget_for(spec, sources, template, example.question),
        cost=cost,
        demonstrations=lambda: sources.demonstrations,
        search=no_search,
        documents=lambda: sources.documents,
        gold=lambda: None,
    )
    gathered = CONTEXTS.build(spec.context).gather(given)
    return float(sum(cost((pair,), ()) for pair in gathered.examples) + sum(cost((), (p,)) for p in gathered.passages))
