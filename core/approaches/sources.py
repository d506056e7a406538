"""What a project offers its approaches: base, adapters, examples, documents, index, gold passages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from sqlalchemy import case, or_, select

from core.errors import KurabeError
from core.knowledge import Hit, chunks_for_quote, default_kb, documents, latest_index
from core.models import BaseModelInfo, resolve_base
from core.prompting import ChatTemplate, Passage
from core.settings import settings
from core.store import read
from core.store import tables as tb

from .context import Demonstration


class ProjectSources:
    """Reads one project's parts once each; index and dataset version stay pinned for its lifetime.

    Not shared between experiments: make a new one to see newer documents or adapters.
    """

    def __init__(
        self,
        project_id: str,
        *,
        index_version_id: str | None = None,
        dataset_version_id: str | None = None,
        document_ids: Sequence[str] | None = None,
    ) -> None:
        """Pin the versions that are given; the others are the newest when first asked for."""
        self.project_id = project_id
        self._index_id = index_version_id
        self._dataset_id = dataset_version_id
        self._document_ids = document_ids
        self._texts: dict[str, str | None] = {}
        self._gold: dict[tuple[str, str], tuple[Hit, ...]] = {}

    @cached_property
    def project(self) -> tb.Project:
        """The project.

        Raises:
            KurabeError: `store.missing`.
        """
        with read() as session:
            found = session.get(tb.Project, self.project_id)
        if found is None:
            raise KurabeError("store.missing", kind="project", id=self.project_id)
        return found

    @cached_property
    def base(self) -> BaseModelInfo:
        """The base model that the project's approaches share."""
        return resolve_base(self.project.base_ref)

    def template(self, base_ref: str) -> ChatTemplate | None:
        """Chat template and tokenizer of a base; None when only a server knows them."""
        folder = resolve_base(base_ref).folder
        return ChatTemplate.load(folder) if folder is not None else None

    @cached_property
    def knowledge_base_id(self) -> str:
        """The project's knowledge base."""
        return str(default_kb(self.project_id).id)

    @cached_property
    def index(self) -> tb.IndexVersion | None:
        """The pinned index version, else the newest; None before the first build."""
        if self._index_id is None:
            return latest_index(self.knowledge_base_id)
        with read() as session:
            return session.get(tb.IndexVersion, self._index_id)

    @cached_property
    def documents(self) -> tuple[Passage, ...]:
        """Every document in full: the pinned versions in their order, else the current ones by name.

        Raises:
            KurabeError: `approaches.source_removed` when the text of a pinned one was deleted.
        """
        if self._document_ids is None:
            found = documents(self.knowledge_base_id)
        else:
            kept = self._versions(self._document_ids)
            if gone := [i for i in self._document_ids if i not in kept]:
                raise KurabeError("approaches.source_removed", removed=len(gone), total=len(self._document_ids))
            found = [kept[i] for i in self._document_ids]
        return tuple(Passage(title=d.title or d.name, text=d.text, document_id=d.id) for d in found)

    def document_text(self, document_id: str) -> str | None:
        """Text of one version of a document, read once; None when it was deleted."""
        if document_id not in self._texts:
            kept = self._versions([document_id])
            self._texts[document_id] = kept[document_id].text if document_id in kept else None
        return self._texts[document_id]

    def _versions(self, ids: Sequence[str]) -> dict[str, tb.Document]:
        """Versions of documents whose text was not deleted, by id."""
        kept: dict[str, tb.Document] = {}
        with read() as session:
            for start in range(0, len(ids), 400):
                wanted = select(tb.Document).where(tb.Document.id.in_(ids[start : start + 400]))
                kept |= {d.id: d for d in session.scalars(wanted.where(tb.Document.deleted_at.is_(None)))}
        return kept

    @cached_property
    def dataset_version_id(self) -> str | None:
        """The pinned dataset version, else the project's newest."""
        if self._dataset_id is not None:
            return self._dataset_id
        newest = (
            select(tb.DatasetVersion.id)
            .where(tb.DatasetVersion.project_id == self.project_id, tb.DatasetVersion.ready)
            .order_by(tb.DatasetVersion.created_at.desc(), tb.DatasetVersion.id.desc())
        )
        with read() as session:
            return session.scalars(newest.limit(1)).first()

    @cached_property
    def demonstrations(self) -> tuple[Demonstration, ...]:
        """Training examples with an answer, in the order of the dataset."""
        wanted = (
            select(tb.Example.question, tb.Example.answer, tb.Example.slice)
            .where(tb.Example.version_id == self.dataset_version_id, tb.Example.split == "train")
            .order_by(tb.Example.position)
        )
        with read() as session:
            return tuple(Demonstration(q, a, s) for q, a, s in session.execute(wanted) if q.strip() and a.strip())

    def gold(self, places: Sequence[dict[str, str]]) -> tuple[Hit, ...]:
        """Chunks of the index that hold the quotes, each once, in the order of the quotes.

        Raises:
            KurabeError: `approaches.no_index`.
        """
        if self.index is None:
            raise KurabeError("approaches.no_index")
        found: dict[str, Hit] = {}
        for place in places:
            key = (str(place.get("document") or ""), str(place.get("quote") or ""))
            if key not in self._gold:
                self._gold[key] = tuple(chunks_for_quote(self.index.id, *key)) if key[1] else ()
            found.update({hit.chunk_id: hit for hit in self._gold[key]})
        return tuple(found.values())

    def adapter(self, row_style: str) -> tb.Adapter | None:
        """The adapter of this base trained on such rows: the promoted run's, else the newest that is not archived.

        Archived ones come last; only a promoted run may have left weights of their own.
        """
        run = tb.TrainingRun
        promoted = run.promoted_for.is_not(None) & (run.adapter_id == tb.Adapter.id)
        wanted = (
            select(tb.Adapter)
            .outerjoin(run, run.id == tb.Adapter.training_run_id)
            .where(
                tb.Adapter.project_id == self.project_id,
                tb.Adapter.row_style == row_style,
                tb.Adapter.base_ref == self.project.base_ref,
                or_(tb.Adapter.kind != "merged", promoted),
                tb.Adapter.deleted_at.is_(None),
            )
            .order_by(case((promoted, 0), (run.archived_at.is_(None), 1), else_=2), tb.Adapter.id.desc())
        )
        with read() as session:
            return session.scalars(wanted.limit(1)).first()

    def has_gold(self) -> bool:
        """Whether any test question of the dataset says where its answer stands."""
        wanted = select(tb.Example.gold).where(
            tb.Example.version_id == self.dataset_version_id, tb.Example.split != "train"
        )
        with read() as session:
            return any(session.scalars(wanted))

    @cached_property
    def context_length(self) -> int | None:
        """Most tokens of prompt and answer together: the model's, or the host's limit where that is lower."""
        limits = [self.base.context_length] if self.base.context_length else []
        if not settings().model_url:
            limits.append(settings().host_prompt_limit)
        return min(limits) if limits else None
