"""Before a drafting: choose its sources, say what it will take; then freeze it and queue its job."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from sqlalchemy import select

from core.approaches import check_key_name
from core.datasets import Row, latest_version, rows_of
from core.errors import KurabeError
from core.identity import content_hash
from core.jobs import submit
from core.knowledge import chunk_document, default_kb, documents
from core.knowledge.tokens import TokenCounter, estimate_tokens
from core.prices import remember_prices
from core.prompting import Message, drafting_hash, questions_prompt, rewordings_prompt
from core.store import read, write
from core.store import tables as tb

from ..asking import cost_of, prompt_tokens, token_counter
from .config import DraftingConfig, DraftingPlan

_LEAST = 10
"""Estimated tokens of a passage that says enough to ask about: a short sentence, in any script. Letters would measure
Japanese, which says in 20 what English says in 40, by a stricter rule."""


@dataclass(frozen=True, slots=True)
class Source:
    """What one call is about."""

    key: str
    """Passage id, or the trained question."""
    group: str
    """Document; sources of several documents take turns."""
    document_id: str | None
    facts: dict[str, Any]
    """See `tb.DraftCall.source`."""

    def messages(self, language: str, each: int) -> list[Message]:
        """The chat that asks for drafts."""
        if self.document_id is None:
            return rewordings_prompt(language, self.facts["question"], each)
        return questions_prompt(language, self.facts["title"], self.facts["text"], each)


def plan_drafting(config: DraftingConfig) -> DraftingPlan:
    """What a drafting would take, without asking anything.

    Raises:
        KurabeError: as `start_drafting`.
    """
    project, available = _project(config), _sources(config)
    chosen = _drawn(config, available)
    counter = token_counter(config.model)
    read_tokens = prompt_tokens((one.messages(project.language, config.each) for one in chosen), counter)
    written = len(chosen) * config.max_tokens
    return DraftingPlan(
        calls=len(chosen),
        available=len(available),
        drafts=len(chosen) * config.each,
        prompt_tokens=read_tokens,
        completion_tokens=written,
        cost=cost_of(config.model, read_tokens, written, project.currency),
        currency=project.currency,
        counted_by=counter.name,
    )


def start_drafting(config: DraftingConfig, *, launch: bool = True) -> tb.Drafting:
    """Freeze a drafting and queue its job; `launch=False` only stores it.

    Raises:
        KurabeError: `store.missing`, `drafting.no_documents` or `drafting.no_training` when there is nothing to draft
            from, `approaches.endpoint_url` for an endpoint without an address, `approaches.key_name` for a key in the
            place of its variable's name.
    """
    check_key_name(config.model.key_name)
    if config.model.kind == "endpoint" and not (config.model.url or "").startswith(("http://", "https://")):
        raise KurabeError("approaches.endpoint_url", url=config.model.url or "")
    project, chosen = _project(config), _drawn(config, _sources(config))
    frozen: dict[str, Any] = {**config.model_dump(mode="json"), "words": drafting_hash()}
    keys = [one.key for one in chosen]
    drafting = tb.Drafting(project_id=project.id, config=frozen, hash=content_hash({"config": frozen, "sources": keys}))
    remember_prices()
    with write() as session:
        session.add(drafting)
        session.flush()
        session.add_all(_row(drafting, place, one, project.language) for place, one in enumerate(chosen))
    return _launched(drafting, config) if launch else drafting


def _project(config: DraftingConfig) -> tb.Project:
    with read() as session:
        found = session.get(tb.Project, config.project_id)
    if found is None:
        raise KurabeError("store.missing", kind="project", id=config.project_id)
    return found


def _row(drafting: tb.Drafting, place: int, one: Source, language: str) -> tb.DraftCall:
    return tb.DraftCall(
        project_id=drafting.project_id,
        drafting_id=drafting.id,
        position=place,
        document_id=one.document_id,
        source=one.facts,
        messages=one.messages(language, int(drafting.config["each"])),
    )


def _launched(drafting: tb.Drafting, config: DraftingConfig) -> tb.Drafting:
    key = config.model.key_name
    job_id = submit(
        "draft", {"drafting_id": drafting.id}, project_id=drafting.project_id, needs_secret=[key] if key else None
    )
    with write() as session:
        stored = session.get(tb.Drafting, drafting.id)
        if stored is not None:
            stored.job_id = job_id
    drafting.job_id = job_id
    return drafting


def _sources(config: DraftingConfig) -> list[Source]:
    """Everything that could be drafted from."""
    found = _passages(config) if config.source == "documents" else _trained(config)
    if not found:
        raise KurabeError("drafting.no_documents" if config.source == "documents" else "drafting.no_training")
    return found


def _passages(config: DraftingConfig) -> list[Source]:
    """Passages of the documents as they are now; no index is needed."""
    counter = TokenCounter("estimate", estimate_tokens)
    made: list[Source] = []
    for each in documents(default_kb(config.project_id).id):
        if config.documents and each.name not in config.documents:
            continue
        for chunk in chunk_document(each.id, each.title, each.text, counter):
            if counter.count(chunk.text) >= _LEAST:
                facts = {
                    "document": each.name,
                    "passage_id": chunk.id,
                    "title": chunk.full_title,
                    "text": chunk.text,
                }
                made.append(Source(chunk.id, each.name, each.id, facts))
    return made


def _trained(config: DraftingConfig) -> list[Source]:
    """Single questions of the training part; a chat of several turns cannot be asked in other words."""
    version = latest_version(config.project_id)
    rows = rows_of(version.id, "train") if version else iter(())
    return [
        Source(row.question, row.slice, None, _facts(row))
        for row in rows
        if row.question.strip() and sum(message.get("role") == "user" for message in row.messages) <= 1
    ]


def _facts(row: Row) -> dict[str, Any]:
    names = ("question", "answer", "slice", "value", "expects", "gold", "tags", "key")
    return {name: getattr(row, name) for name in names}


def _drawn(config: DraftingConfig, available: Sequence[Source]) -> list[Source]:
    """Draw sources at random, documents (or slices) in turn; those that were drafted from before come last."""
    dice, before = random.Random(config.seed), _used(config.project_id)
    groups: dict[str, list[Source]] = defaultdict(list)
    for one in dice.sample(list(available), len(available)):
        groups[one.group].append(one)
    turns = [one for one in chain.from_iterable(zip_longest(*groups.values())) if one is not None]
    return sorted(turns, key=lambda one: one.key in before)[: config.sources]


def _used(project_id: str) -> set[str]:
    """Sources that were asked about, or will be: who presses twice pays for other passages, not for the same again."""
    wanted = select(tb.DraftCall.source).where(tb.DraftCall.project_id == project_id, tb.DraftCall.status != "failed")
    with read() as session:
        return {str(one.get("passage_id") or one.get("question")) for one in session.scalars(wanted)}


def draftings(project_id: str) -> list[tb.Drafting]:
    """A project's draftings, newest first."""
    wanted = select(tb.Drafting).where(tb.Drafting.project_id == project_id).order_by(tb.Drafting.id.desc())
    with read() as session:
        return list(session.scalars(wanted))
