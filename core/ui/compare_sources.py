"""What an answer was given to read, with what it used of it highlighted: passages, whole documents, examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import KurabeError
from core.i18n import format_number, t
from core.knowledge import default_kb, documents, get_chunks
from core.measures import Language, PassageUse, passages_used
from core.projects import get_project
from core.prompting import examples_in, passages_in
from core.store import tables as tb
from core.ui.marked import highlighted_text
from core.ui.parts import plain

__all__ = ["Source", "draw_sources", "sources_of"]

_NAMED = 30
"""Most unused sources whose names are listed."""


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that stood in a prompt beside the question."""

    title: str
    text: str
    """Empty if it was removed since."""
    use: PassageUse
    facts: tuple[str, ...] = ()
    """How search ranked it, in words."""


def draw_sources(row: tb.Answer) -> None:
    """Draw what an answer read, folded, with how much of it the answer used."""
    for kind, found in sources_of(row).items():
        used = sum(source.use.used for source in found)
        title = t(f"ui.compare.sources.{kind}", n=format_number(len(found)), used=format_number(used))
        with st.expander(title, icon=":material/menu_book:"):
            if used:
                st.caption(t("ui.compare.sources.how"))
            # searched passages are few; of whole documents and examples the unused ones would bury the used ones
            shown = found if kind == "passages" else [source for source in found if source.use.used]
            for source in shown:
                _draw_source(source)
            if len(shown) < len(found):
                _name_rest([source.title for source in found if not source.use.used])


def _draw_source(source: Source) -> None:
    st.markdown(f"**{plain(source.title)}** {_badges(source.use)}")
    if source.facts:
        st.caption(" · ".join(source.facts))
    if not source.text:
        st.caption(t("ui.compare.source_removed"))
    elif source.use.spans:
        st.markdown(highlighted_text(source.text, source.use.spans))
    else:
        st.text(source.text)


def _badges(use: PassageUse) -> str:
    words = []
    if use.cited:
        words.append(f":green-badge[:material/format_quote: {t('ui.compare.sources.cited')}]")
    if use.spans:
        words.append(f":blue-badge[:material/ink_highlighter: {t('ui.compare.sources.repeated')}]")
    return " ".join(words)


def _name_rest(titles: Sequence[str]) -> None:
    more = len(titles) - _NAMED
    names = plain(" · ".join(titles[:_NAMED]))
    key = "ui.compare.sources.unused.more" if more > 0 else "ui.compare.sources.unused"
    st.caption(t(key, names=names, n=format_number(more)))


def sources_of(row: tb.Answer) -> dict[str, list[Source]]:
    """Return what an answer read by kind (``passages``, ``documents``, ``examples``), with what it used.

    Kinds that it did not read are left out. Texts of documents that were deleted since are not given.
    """
    language: Language = "ja" if get_project(row.project_id).language == "ja" else "en"
    found: dict[str, list[Source]] = {}
    searched = any(chunk.get("chunk_id") for chunk in row.chunks)
    if row.chunks:
        texts = _passages(row) if searched else _whole_documents(row)
        uses = passages_used(row.text, texts, language, question=row.question)
        parts = zip(row.chunks, texts, uses, strict=True)
        found["passages" if searched else "documents"] = [
            Source(_title(chunk), text, use, _facts(chunk)) for chunk, text, use in parts
        ]
    if examples := examples_in(row.messages):
        answers = [answer for _, answer in examples]
        uses = passages_used(row.text, answers, language, question=row.question, numbered=False)
        found["examples"] = [Source(asked, answer, use) for (asked, answer), use in zip(examples, uses, strict=True)]
    return found


def _title(chunk: dict[str, Any]) -> str:
    return f"[{chunk['number']}] {chunk.get('document') or chunk.get('title') or ''}"


def _facts(chunk: dict[str, Any]) -> tuple[str, ...]:
    facts = []
    if chunk.get("score") is not None:
        facts.append(t("ui.search.score", score=format_number(float(chunk["score"]), digits=3)))
    for way in ("vector", "text"):
        if chunk.get(f"{way}_rank") is not None:
            fact = t(f"ui.compare.sources.{way}_rank", rank=format_number(chunk[f"{way}_rank"]))
            score = chunk.get(f"{way}_score")  # not kept with answers of earlier versions
            facts.append(fact if score is None else f"{fact} ({format_number(float(score), digits=2)})")
    if chunk.get("heading"):
        facts.append(plain(str(chunk["heading"])))
    if chunk.get("page"):
        facts.append(t("ui.search.page", page=chunk["page"]))
    return tuple(facts)


def _passages(row: tb.Answer) -> list[str]:
    """Return the texts of an answer's passages as their index holds them; empty where it was deleted."""
    try:
        hits = get_chunks(str(row.index_version_id), [chunk["chunk_id"] for chunk in row.chunks])
    except KurabeError:
        hits = []
    texts = {hit.chunk_id: hit.text for hit in hits}
    return [texts.get(chunk["chunk_id"], "") for chunk in row.chunks]


def _whole_documents(row: tb.Answer) -> list[str]:
    """Return the texts of whole documents as the prompt held them; empty where the document was deleted since."""
    titles = [str(chunk.get("title") or "") for chunk in row.chunks]
    there = {found.title or found.name for found in documents(default_kb(row.project_id).id)}
    texts = passages_in(row.messages, titles, row.question)
    return [text if title in there else "" for title, text in zip(titles, texts, strict=True)]
