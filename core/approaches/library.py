"""The approaches of a project: made from presets, edited, versioned, and why some cannot answer yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from core.errors import ErrorRecord, KurabeError
from core.identity import now
from core.store import read, write
from core.store import tables as tb

from .parts import CONTEXTS, budget_for, context_tokens
from .presets import PRESETS, Need
from .sources import ProjectSources
from .spec import ApproachSpec, Decoding, ModelChoice, PromptChoice, check_key_name


def approaches(project_id: str, *, retired: bool = False) -> list[tb.Approach]:
    """A project's approaches in the order of the presets; `retired` adds replaced versions."""
    wanted = select(tb.Approach).where(tb.Approach.project_id == project_id)
    if not retired:
        wanted = wanted.where(tb.Approach.retired_at.is_(None))
    with read() as session:
        return list(session.scalars(wanted.order_by(tb.Approach.position, tb.Approach.id)))


def get_approach(approach_id: str) -> tb.Approach:
    """One approach, retired or not.

    Raises:
        KurabeError: `store.missing`.
    """
    with read() as session:
        found = session.get(tb.Approach, approach_id)
    if found is None:
        raise KurabeError("store.missing", kind="approach", id=approach_id)
    return found


_AT_ONCE = timedelta(seconds=5)
"""Longest time between the two moments that one change of an approach notes."""


def variants(project_id: str) -> dict[str, int]:
    """Return for every approach of a project, retired ones too, which of its kind it is, the oldest 0.

    All versions of an approach have the same number, under whatever name, and it never changes: figures tell
    approaches of one preset apart by it.
    """
    a = tb.Approach
    wanted = select(a.id, a.preset, a.name, a.version, a.created_at, a.retired_at).where(a.project_id == project_id)
    with read() as session:
        rows = session.execute(wanted.order_by(a.id)).all()
    first: dict[str, str] = {}  # by name, the oldest version of whichever approach is called so at that time
    oldest: dict[str, str] = {}
    numbers: dict[str, dict[str, int]] = {}
    found = {}
    for place, row in enumerate(rows):
        if row.name not in first:
            before = _renamed(row, rows[:place])
            first[row.name] = oldest[before.id] if before is not None else row.id
            if before is not None:
                first.pop(before.name, None)  # free for another approach
        oldest[row.id] = first[row.name]
        same = numbers.setdefault(row.preset, {})
        found[row.id] = same.setdefault(oldest[row.id], len(same))
    return found


def _renamed(row: Row[*tuple[Any, ...]], earlier: Sequence[Row[*tuple[Any, ...]]]) -> Row[*tuple[Any, ...]] | None:
    """Return the version of another name that the first one of a name took the place of; None for a new approach.

    Both are written at once, which tells it from an approach that was put away before.
    """
    replaced = (
        other
        for other in earlier
        if (other.preset, other.version) == (row.preset, row.version - 1)
        and other.name != row.name
        and other.retired_at is not None
        and timedelta(0) <= row.created_at - other.retired_at < _AT_ONCE
    )
    return max(replaced, key=lambda other: other.retired_at, default=None)


def variant_of(project_id: str, approach_id: str) -> int:
    """Return which of its kind one approach is; 0 for one that nobody knows."""
    return variants(project_id).get(approach_id, 0)


def spec_of_row(row: tb.Approach) -> ApproachSpec:
    """The specification that a stored approach holds."""
    return ApproachSpec.model_validate(row.spec)


def save_approach(project_id: str, spec: ApproachSpec) -> tb.Approach:
    """Store an approach; a changed one of the same name becomes its next version, an unchanged one stays.

    Raises:
        KurabeError: as `check_spec`.
    """
    check_spec(spec)
    with write() as session:
        return store_version(session, project_id, spec)


def check_spec(spec: ApproachSpec) -> None:
    """Refuse what could not answer, or would be drawn and counted as something that it is not.

    Raises:
        KurabeError: `registry.unknown`, `registry.bad_fields` or `approaches.bad_field` for a bad context,
            `approaches.endpoint_url` for an endpoint without an address, `approaches.no_model` without a model's
            name, `approaches.key_name` for a key in the place of its variable's name, `approaches.kind_model` and
            `approaches.kind_context` for what is no case of its kind, `approaches.name_taken` for another kind's name.
    """
    kind, model = PRESETS[spec.preset], spec.model
    check_key_name(model.key_name)
    CONTEXTS.build({"name": "", **spec.context})
    if model.kind == "endpoint" and not is_address(model.url or ""):
        raise KurabeError("approaches.endpoint_url", url=model.url or "")
    if not model.ref.strip():
        raise KurabeError("approaches.no_model")
    if model.kind not in kind.models:
        raise KurabeError("approaches.kind_model", kind=spec.preset, found=model.kind, expected=", ".join(kind.models))
    if kind.contexts and spec.context["name"] not in kind.contexts:
        expected = ", ".join(kind.contexts)
        raise KurabeError("approaches.kind_context", kind=spec.preset, found=spec.context["name"], expected=expected)
    if spec.name in PRESETS and spec.name != spec.preset:
        raise KurabeError("approaches.name_taken", name=spec.name)


def is_address(url: str) -> bool:
    """Tell whether a text is the address of a web service: a scheme and a host, and no key inside it."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading it checks it
    except ValueError:
        return False
    clean = not any(sign.isspace() for sign in url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None and clean


def store_version(
    session: Session, project_id: str, spec: ApproachSpec, replaced: tb.Approach | None = None
) -> tb.Approach:
    """Store a specification within a transaction of the caller's, as the next version of its name or of `replaced`.

    Whatever was stored before stays as it was, so that what it answered keeps its record.
    """
    named = select(tb.Approach).where(tb.Approach.project_id == project_id, tb.Approach.name == spec.name)
    earlier = list(session.scalars(named))
    current = replaced or next((row for row in earlier if row.retired_at is None), None)
    stored, same = spec.model_dump(mode="json"), (spec.name, spec.hash, spec.preset)
    if current is not None and (current.name, current.hash, current.preset) == same:
        current.spec = stored
        return current
    if current is not None:
        earlier.append(current)
        current.retired_at = now()
    row = tb.Approach(
        project_id=project_id,
        name=spec.name,
        preset=spec.preset,
        version=max((row.version for row in earlier), default=0) + 1,
        hash=spec.hash,
        spec=stored,
        position=list(PRESETS).index(spec.preset),
    )
    session.add(row)
    return row


def ensure_presets(project_id: str) -> list[tb.Approach]:
    """Make or renew every preset whose parts exist, and return all approaches of the project.

    A preset that somebody edited is left alone; one that Kurabe manages follows the promoted or newest adapter
    and the project's prompt, each change a new version. Presets that cannot answer any more are retired.
    """
    sources = ProjectSources(project_id)
    blocked = why_unavailable(project_id, sources)
    present = {row.name: spec_of_row(row) for row in approaches(project_id)}
    managed = {name for name, spec in present.items() if spec.managed}
    left_alone = (present.keys() - managed) | _archived(project_id)
    wanted = [name for name, kind in PRESETS.items() if kind.model != "endpoint" and name not in blocked]
    specs = [_spec(name, sources) for name in wanted if name not in left_alone]
    with write() as session:
        for spec in specs:
            store_version(session, project_id, spec)
        for name in managed & blocked.keys():
            _retire(session, project_id, name)
    return approaches(project_id)


def _archived(project_id: str) -> set[str]:
    """Names that a person put away and nobody brought back."""
    return {row.name for row in archived_approaches(project_id)}


def archived_approaches(project_id: str) -> list[tb.Approach]:
    """The newest version of every approach that was put away, in the order of the presets."""
    newest: dict[str, tb.Approach] = {}
    for row in approaches(project_id, retired=True):
        if row.name not in newest or row.version > newest[row.name].version:
            newest[row.name] = row
    return [row for row in newest.values() if row.retired_at is not None and spec_of_row(row).archived]


def _retire(session: Session, project_id: str, name: str) -> None:
    wanted = select(tb.Approach).where(
        tb.Approach.project_id == project_id, tb.Approach.name == name, tb.Approach.retired_at.is_(None)
    )
    for row in session.scalars(wanted):
        row.retired_at = now()


def _spec(name: str, sources: ProjectSources) -> ApproachSpec:
    preset, project = PRESETS[name], sources.project
    model = ModelChoice(ref=project.base_ref, base_ref=project.base_ref)
    if preset.model in ("plain", "raft"):
        adapter = sources.adapter(preset.model)
        assert adapter is not None, "why_unavailable has looked"
        kind: Literal["adapter", "merged"] = "merged" if adapter.kind == "merged" else "adapter"
        model = ModelChoice(kind=kind, ref=adapter.id, base_ref=project.base_ref)
    return ApproachSpec.model_validate(
        {
            "name": name,
            "preset": name,
            "model": model,
            "context": dict(preset.context),
            "prompt": PromptChoice(instructions=project.instructions, house_rules=project.house_rules),
            "decoding": Decoding(),
            "managed": True,
        }
    )


def unavailable(project_id: str) -> dict[str, str]:
    """Presets that cannot answer yet, each with the code of its reason (`error.<code>` has the sentence)."""
    return {name: record["code"] for name, record in why_unavailable(project_id).items()}


def why_unavailable(project_id: str, sources: ProjectSources | None = None) -> dict[str, ErrorRecord]:
    """Presets that cannot answer yet, each with the first reason in full: code and parameters."""
    sources = sources or ProjectSources(project_id)
    reasons: dict[Need, ErrorRecord | None] = {}
    blocked: dict[str, ErrorRecord] = {}
    for name, preset in PRESETS.items():
        for need in preset.needs:
            if need not in reasons:
                reasons[need] = _missing(need, sources)
            reason = reasons[need]
            if reason is not None:
                blocked[name] = reason
                break
    return blocked


_CONTEXT_NEEDS: dict[str, tuple[Need, ...]] = {
    "few_examples": ("examples",),
    "many_examples": ("examples",),
    "retrieved": ("documents", "index"),
    "gold_passage": ("documents", "index"),
    "whole_documents": ("documents",),
}


def unmet(context: str | None, sources: ProjectSources) -> ErrorRecord | None:
    """Why a context could not be filled as things stand; None when it could."""
    reasons = (_missing(need, sources) for need in _CONTEXT_NEEDS.get(context or "none", ()))
    return next((reason for reason in reasons if reason is not None), None)


def _missing(need: Need, sources: ProjectSources) -> ErrorRecord | None:
    """Why a need is not met; None when it is."""
    if need == "fits":
        return _too_long(sources)
    present: dict[Need, bool] = {}
    if need == "examples":
        present[need] = bool(sources.demonstrations)
    elif need == "documents":
        present[need] = bool(sources.documents)
    elif need == "index":
        present[need] = sources.index is not None
    elif need == "gold":
        present[need] = sources.has_gold()
    elif need == "endpoint":
        # an address belongs to one service: it is given when somebody makes the approach
        present[need] = any(row.preset == "endpoint" for row in approaches(sources.project_id))
    else:
        present[need] = sources.adapter("plain" if need == "plain_adapter" else "raft") is not None
    return None if present[need] else KurabeError(f"approaches.no_{need}").as_record()


def _too_long(sources: ProjectSources) -> ErrorRecord | None:
    """By how much the documents do not fit; None when they do, or when nobody here can count."""
    spec = _spec("whole_context", sources)
    template = sources.template(sources.project.base_ref)
    if template is None:
        return None
    needed = sum(context_tokens(template, sources.project.language, (), (p,)) for p in sources.documents)
    budget = budget_for(spec, sources, template, question="")
    if budget is None or needed <= budget:
        return None
    return KurabeError("approaches.too_long", needed=needed, budget=budget, over=needed - budget).as_record()
