"""An experiment question by question: pages of the case × approach table, and one case in full."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from core.errors import KurabeError
from core.store import read
from core.store import tables as tb

from .kept import is_kept, keep_results

Show = Literal["all", "different", "wrong", "failures", "regressions", "improvements", "equal", "disagreements"]
"""All questions · those on which approaches differ · that every approach gets wrong · with a failed answer · on which
an approach does worse, better, or just as well as the baseline · whose score a person's rating contradicts."""

Sort = Literal["position", "hardest", "spread"]
"""As in the dataset · fewest right answers first · greatest difference between approaches first."""

SHOWN: tuple[Show, ...] = get_args(Show)
SORTED: tuple[Sort, ...] = get_args(Sort)


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which questions of an experiment are wanted, and in which order."""

    show: Show = "all"
    search: str = ""
    """Part of the question or of the reference answer."""
    slice_name: str | None = None
    approach_id: str | None = None
    """Whose answers `show` and `cause` are about; None: any approach's."""
    sort: Sort = "position"
    cause: str | None = None
    """Why an answer is wrong, a field of `Attribution`; None: also right ones."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One question with what each approach made of it."""

    example_id: str
    question: str
    reference: str
    slice: str
    coverage: str | None
    cells: dict[str, dict[str, Any]]
    """By approach id: `answer_id`, `status`, `text`, `value` (primary metric), `reason`, `error`, `taken_from`."""
    causes: dict[str, str] = field(default_factory=dict)
    """By approach id, why it is wrong, a field of `Attribution`; an approach that is right is not in it."""


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of questions."""

    total: int
    """Questions that satisfy the filters."""
    rows: tuple[CaseRow, ...]


def cases(
    experiment_id: str, wanted: CaseFilter | None = None, *, offset: int = 0, limit: int = 50, **filters: Any
) -> CasePage:
    """A page of questions, filtered, sorted and cut in SQL.

    Args:
        experiment_id: whose questions.
        wanted: which questions; by default all.
        offset: questions left out at the beginning.
        limit: questions at most.
        filters: fields of `CaseFilter` in place of `wanted`.

    Raises:
        KurabeError: `store.missing`; what computing results raises.
    """
    wanted = wanted or CaseFilter(**filters)
    frozen = _frozen(experiment_id)
    chosen = _chosen(experiment_id, wanted, frozen)
    with read() as session:
        total = session.scalar(select(func.count()).select_from(chosen.order_by(None).subquery())) or 0
        shown = session.execute(chosen.add_columns(tb.ExperimentCase.causes).offset(offset).limit(limit))
        causes: dict[str, dict[str, str]] = {example_id: why or {} for example_id, why in shown}
        ids = list(causes)
        examples = {e.id: e for e in session.scalars(select(tb.Example).where(tb.Example.id.in_(ids)))}
        cells = _cells(session, experiment_id, frozen, ids)
    rows = (
        CaseRow(i, e.question, e.answer, e.slice, e.coverage, cells.get(i, {}), causes[i])
        for i in ids
        if (e := examples.get(i)) is not None
    )
    return CasePage(total, tuple(rows))


def case(experiment_id: str, example_id: str) -> CaseRow | None:
    """One question of an experiment; None if it has no such question.

    Raises:
        KurabeError: as `cases`.
    """
    frozen = _frozen(experiment_id)
    c = tb.ExperimentCase
    mine = select(c.id, c.causes).where(c.experiment_id == experiment_id, c.example_id == example_id)
    with read() as session:
        asked = session.execute(mine).first()
        e = session.get(tb.Example, example_id) if asked is not None else None
        if asked is None or e is None:
            return None
        cells = _cells(session, experiment_id, frozen, [example_id])
    return CaseRow(e.id, e.question, e.answer, e.slice, e.coverage, cells.get(e.id, {}), asked.causes or {})


def case_answers(experiment_id: str, example_id: str) -> list[tb.Answer]:
    """Every stored answer to one question with its full record: by phase, approach and repetition."""
    a = tb.Answer
    mine = (a.experiment_id == experiment_id, a.example_id == example_id, a.phase.in_(("quality", "latency")))
    with read() as session:
        return list(session.scalars(select(a).where(*mine).order_by(a.phase, a.approach_id, a.repetition)))


def count_cases(experiment_id: str, wanted: CaseFilter) -> int:
    """Questions that satisfy the filter.

    Raises:
        KurabeError: as `cases`.
    """
    chosen = _chosen(experiment_id, wanted, _frozen(experiment_id)).order_by(None)
    with read() as session:
        return session.scalar(select(func.count()).select_from(chosen.subquery())) or 0


@dataclass(frozen=True, slots=True)
class _Frozen:
    """What the experiment's configuration says about its cases."""

    primary: str
    baseline_id: str
    approach_ids: list[str]


def _frozen(experiment_id: str) -> _Frozen:
    """Read the few fields that are needed: the configuration also holds the id of every question."""
    if not is_kept(experiment_id):
        keep_results(experiment_id)
    config = tb.Experiment.config
    wanted = select(config["primary_metric"].as_string(), config["baseline_id"].as_string(), config["approach_ids"])
    with read() as session:
        found = session.execute(wanted.where(tb.Experiment.id == experiment_id)).one_or_none()
    if found is None:
        raise KurabeError("store.missing", kind="experiment", id=experiment_id)
    return _Frozen(*found)


def _chosen(experiment_id: str, wanted: CaseFilter, frozen: _Frozen) -> Select[str]:
    """Ids of the wanted examples in their order."""
    c, e = tb.ExperimentCase, tb.Example
    chosen = select(c.example_id).where(c.experiment_id == experiment_id)
    if wanted.slice_name is not None:
        chosen = chosen.where(c.slice == wanted.slice_name)
    if wanted.search:
        pattern = "%" + wanted.search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        found = or_(e.question.ilike(pattern, escape="\\"), e.answer.ilike(pattern, escape="\\"))
        chosen = chosen.join(e, e.id == c.example_id).where(found)
    if wanted.show != "all":
        chosen = chosen.where(_shown(experiment_id, wanted, frozen))
    if wanted.cause is not None:
        whose = frozen.approach_ids if wanted.approach_id is None else [wanted.approach_id]
        chosen = chosen.where(or_(*(c.causes[name].as_string() == wanted.cause for name in whose)))
    order: dict[Sort, list[Any]] = {
        "position": [],
        "hardest": [c.mean.is_(None), c.mean],
        "spread": [c.mean.is_(None), c.low - c.high],
    }
    return chosen.order_by(*order[wanted.sort], c.position)


def _shown(experiment_id: str, wanted: CaseFilter, frozen: _Frozen) -> ColumnElement[bool]:
    """Condition of a way to show cases, for any approach or for one."""
    c, one = tb.ExperimentCase, wanted.approach_id
    if wanted.show == "disagreements":
        return c.example_id.in_(_contradicted(experiment_id, frozen.primary, one))
    conditions: dict[str, ColumnElement[bool]]
    if one is None:
        conditions = {
            "different": c.low != c.high,
            "wrong": c.high < 0.5,
            "failures": c.failed > 0,
            "regressions": c.regressed > 0,
            "improvements": c.improved > 0,
            "equal": c.low == c.high,
        }
        return conditions[wanted.show]
    if wanted.show == "failures":
        return c.example_id.in_(_failed(experiment_id, one))
    mine, base = c.by_approach[one].as_float(), c.by_approach[frozen.baseline_id].as_float()
    conditions = {
        "different": mine != base,
        "wrong": mine < 0.5,
        "regressions": mine < base,
        "improvements": mine > base,
        "equal": mine == base,
    }
    return conditions[wanted.show]


def _failed(experiment_id: str, approach_id: str) -> Select[str | None]:
    a = tb.Answer
    return select(a.example_id).where(
        a.experiment_id == experiment_id, a.phase == "quality", a.status == "failed", a.approach_id == approach_id
    )


def _contradicted(experiment_id: str, primary: str, approach_id: str | None) -> Select[str | None]:
    """Questions with an answer that a person finds fit to send though its score is wrong, or the other way round."""
    a, s, v = tb.Answer, tb.Score, tb.Vote
    # an expression, which no index serves: people cast few votes, so that these are where to begin, not the answers
    belongs = func.coalesce(a.experiment_id, "") == experiment_id
    wanted = (
        select(a.example_id)
        .join(v, v.left_answer_id == a.id)
        .join(s, and_(s.answer_id == a.id, s.metric == primary))
        .where(belongs, v.kind == "rating")
        .where(or_(and_(v.value == "as_is", s.value < 0.5), and_(v.value == "unusable", s.value >= 0.5)))
    )
    return wanted if approach_id is None else wanted.where(a.approach_id == approach_id)


def _cells(
    session: Session, experiment_id: str, frozen: _Frozen, ids: list[str]
) -> dict[str, dict[str, dict[str, Any]]]:
    """First answers by question and approach; naming every column of the unique key finds each without a search."""
    a, s = tb.Answer, tb.Score
    wanted = (
        select(a.example_id, a.approach_id, a.id, a.status, a.text, s.value, s.reason, a.error, a.taken_from)
        .outerjoin(s, (s.answer_id == a.id) & (s.metric == frozen.primary))
        .where(a.experiment_id == experiment_id, a.phase == "quality", a.repetition == 0)
        .where(a.approach_id.in_(frozen.approach_ids), a.example_id.in_(ids))
    )
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for example_id, approach_id, answer_id, status, text, value, reason, error, origin in session.execute(wanted):
        found.setdefault(str(example_id), {})[approach_id] = {
            "answer_id": answer_id,
            "status": status,
            "text": text,
            "value": value,
            "reason": reason,
            "error": error,
            "taken_from": origin,
        }
    return found


def answer_scores(answer_id: str) -> list[tb.Score]:
    """All stored scores of one answer, by metric name."""
    with read() as session:
        return list(session.scalars(select(tb.Score).where(tb.Score.answer_id == answer_id).order_by(tb.Score.metric)))
