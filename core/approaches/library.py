"""The approaches of a project: made from presets, edited, versioned, and why some cannot answer yet."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import select
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


def spec_of_row(row: tb.Approach) -> ApproachSpec:
    """The specification that a stored approach holds."""
    return ApproachSpec.model_validate(row.spec)


def save_approach(project_id: str, spec: ApproachSpec) -> tb.Approach:
    """Store an approach; a changed one of the same name becomes its next version, an unchanged one stays.

    Raises:
        KurabeError: `registry.unknown` or `registry.bad_fields` for a bad context,
            `approaches.endpoint_url` for an endpoint without an address, `approaches.key_name` for a key in the
            place of its variable's name.
    """
    check_key_name(spec.model.key_name)
    CONTEXTS.build(spec.context)
    if spec.model.kind == "endpoint" and not (spec.model.url or "").startswith(("http://", "https://")):
        raise KurabeError("approaches.endpoint_url", url=spec.model.url or "")
    with write() as session:
        return _store(session, project_id, spec)


def _store(session: Session, project_id: str, spec: ApproachSpec) -> tb.Approach:
    wanted = select(tb.Approach).where(
        tb.Approach.project_id == project_id, tb.Approach.name == spec.name, tb.Approach.retired_at.is_(None)
    )
    current = session.scalars(wanted).first()
    stored = spec.model_dump(mode="json")
    if current is not None and current.hash == spec.hash and current.preset == spec.preset:
        current.spec = stored
        return current
    version = 1
    if current is not None:
        version, current.retired_at = current.version + 1, now()
    row = tb.Approach(
        project_id=project_id,
        name=spec.name,
        preset=spec.preset,
        version=version,
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
    existing = {a.preset: spec_of_row(a) for a in approaches(project_id) if spec_of_row(a).managed}
    edited = {a.preset for a in approaches(project_id)} - existing.keys()
    specs = [_spec(name, sources) for name in PRESETS if name not in blocked and name not in edited]
    with write() as session:
        for spec in specs:
            _store(session, project_id, spec)
        for name in existing.keys() & blocked.keys():
            _retire(session, project_id, existing[name].name)
    return approaches(project_id)


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
        # an address belongs to one service: it is given when somebody saves the approach
        present[need] = False
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
