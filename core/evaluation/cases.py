"""An experiment question by question: pages of the case × approach table, one case in full, the export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, case, func, or_, select

from core.errors import KurabeError
from core.store import read
from core.store import tables as tb

Show = Literal["all", "different", "failures", "wrong"]
"""All questions · those on which approaches differ · with a failed answer · that every approach gets wrong."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One question with what each approach made of it."""

    example_id: str
    question: str
    reference: str
    slice: str
    coverage: str | None
    cells: dict[str, dict[str, Any]]
    """By approach id: `answer_id`, `status`, `text`, `value` (primary metric), `reason`, `error`."""


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of questions."""

    total: int
    """Questions that satisfy the filters."""
    rows: tuple[CaseRow, ...]


def cases(
    experiment_id: str,
    *,
    show: Show = "all",
    search: str = "",
    slice_name: str | None = None,
    offset: int = 0,
    limit: int = 50,
) -> CasePage:
    """A page of questions in the dataset's order, filtered in SQL.

    Raises:
        KurabeError: `store.missing`.
    """
    with read() as session:
        experiment = session.get(tb.Experiment, experiment_id)
        if experiment is None:
            raise KurabeError("store.missing", kind="experiment", id=experiment_id)
        primary = str(experiment.config["primary_metric"])
        chosen = _filtered(experiment_id, primary, show, search, slice_name)
        total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
        ids = list(session.scalars(chosen.offset(offset).limit(limit)))
        examples = {e.id: e for e in session.scalars(select(tb.Example).where(tb.Example.id.in_(ids)))}
        cells = _cells(session, experiment_id, primary, ids)
    rows = (
        CaseRow(i, e.question, e.answer, e.slice, e.coverage, cells.get(i, {}))
        for i in ids
        if (e := examples.get(i)) is not None
    )
    return CasePage(total, tuple(rows))


def _filtered(experiment_id: str, primary: str, show: Show, search: str, slice_name: str | None) -> Select[str]:
    """Ids of the wanted examples; one group per question, so that paging counts questions."""
    a, e, s = tb.Answer, tb.Example, tb.Score
    wanted = (
        select(e.id)
        .join(a, a.example_id == e.id)
        .outerjoin(s, (s.answer_id == a.id) & (s.metric == primary))
        .where(a.experiment_id == experiment_id, a.phase == "quality", a.repetition == 0)
        .group_by(e.id, e.position)
        .order_by(e.position)
    )
    if slice_name is not None:
        wanted = wanted.where(e.slice == slice_name)
    if search:
        pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        wanted = wanted.where(or_(e.question.ilike(pattern, escape="\\"), e.answer.ilike(pattern, escape="\\")))
    value = func.coalesce(s.value, 0.0)
    if show == "different":
        wanted = wanted.having(func.min(value) != func.max(value))
    elif show == "wrong":
        wanted = wanted.having(func.max(value) < 0.5)
    elif show == "failures":
        wanted = wanted.having(func.max(case((a.status == "failed", 1), else_=0)) > 0)
    return wanted


def _cells(session: Any, experiment_id: str, primary: str, ids: list[str]) -> dict[str, dict[str, dict[str, Any]]]:
    a, s = tb.Answer, tb.Score
    wanted = (
        select(a.example_id, a.approach_id, a.id, a.status, a.text, s.value, s.reason, a.error)
        .outerjoin(s, (s.answer_id == a.id) & (s.metric == primary))
        .where(a.experiment_id == experiment_id, a.phase == "quality", a.repetition == 0, a.example_id.in_(ids))
    )
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for example_id, approach_id, answer_id, status, text, value, reason, error in session.execute(wanted):
        found.setdefault(example_id, {})[approach_id] = {
            "answer_id": answer_id,
            "status": status,
            "text": text,
            "value": value,
            "reason": reason,
            "error": error,
        }
    return found


def answer_scores(answer_id: str) -> list[tb.Score]:
    """All stored scores of one answer, by metric name."""
    with read() as session:
        return list(session.scalars(select(tb.Score).where(tb.Score.answer_id == answer_id).order_by(tb.Score.metric)))


def export_rows(experiment_id: str, *, batch: int = 1000) -> Iterator[dict[str, Any]]:
    """Every stored answer with its scores as one flat row, in the order of asking; for CSV, Parquet, JSON.

    Scores are columns `score:<metric>`; messages are left out, everything measured is in.
    """
    columns = [
        c for c in tb.Answer.__table__.columns.keys() if c not in ("messages", "owner", "created_by", "reasoning")
    ]
    after = ""
    while True:
        wanted = select(tb.Answer).where(tb.Answer.experiment_id == experiment_id, tb.Answer.id > after)
        with read() as session:
            rows = list(session.scalars(wanted.order_by(tb.Answer.id).limit(batch)))
            ids = [row.id for row in rows]
            scores: dict[str, dict[str, float | None]] = {}
            for score in session.scalars(select(tb.Score).where(tb.Score.answer_id.in_(ids))):
                scores.setdefault(score.answer_id, {})[f"score:{score.metric}"] = score.value
        if not rows:
            return
        for row in rows:
            yield {**{c: getattr(row, c) for c in columns}, **scores.get(row.id, {})}
        after = rows[-1].id
