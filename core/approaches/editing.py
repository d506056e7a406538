"""Approaches as people make and change them: every change a version of its own, nothing answered before is touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import ErrorRecord, KurabeError
from core.i18n import LANGUAGES, Language, language, t
from core.identity import match_key, now
from core.models import Endpoint, adapters
from core.prompting import Message
from core.store import read, write
from core.store import tables as tb

from .context import Gathered
from .library import approaches, check_spec, ensure_presets, get_approach, spec_of_row, store_version, unmet
from .parts import resolve
from .presets import PRESETS
from .rows import example_gold
from .sources import ProjectSources
from .spec import ApproachSpec, Decoding, ModelChoice, PromptChoice, check_key_present


def label_of(row: tb.Approach, code: Language | None = None) -> str:
    """How readers of a language know a stored approach: the preset's name, or what the team called it."""
    return called(row.name, row.preset, (row.spec or {}).get("names") or {}, code)


def called(
    name: str, preset: str | None = None, names: Mapping[str, str] | None = None, code: Language | None = None
) -> str:
    """How readers of a language know an approach of this name; a preset's own name is its key."""
    known = name == preset if preset is not None else name in PRESETS
    own = (names or {}).get(code or language())
    return own or (t(f"approaches.preset.{name}", code) if known else name)


def draft(project_id: str, preset: str) -> ApproachSpec:
    """A new approach of a kind with sound values and no name of its own yet; what must be chosen is empty."""
    sources, kind = ProjectSources(project_id), PRESETS[preset]
    base = sources.project.base_ref
    model = ModelChoice(ref=base, base_ref=base)
    if kind.model == "endpoint":
        model = ModelChoice(kind="endpoint", ref="")
    elif kind.model != "base":
        found = sources.adapter(kind.model)
        model = ModelChoice(kind="adapter", ref="", base_ref=base) if found is None else model_of_adapter(found)
    return spec_from(
        {
            "name": free_name(project_id, t(f"approaches.preset.{preset}")),
            "preset": preset,
            "model": model,
            "context": dict(kind.context),
            "prompt": PromptChoice(instructions=sources.project.instructions, house_rules=sources.project.house_rules),
            "decoding": Decoding(),
        }
    )


def model_of_adapter(adapter: tb.Adapter) -> ModelChoice:
    """The choice of weights that a training or a merge left."""
    kind = "merged" if adapter.kind == "merged" else "adapter"
    return ModelChoice.model_validate({"kind": kind, "ref": adapter.id, "base_ref": adapter.base_ref})


def free_name(project_id: str, wanted: str) -> str:
    """The wanted name, or the first of "name 2", "name 3" … that no approach has."""
    taken = {match_key(name) for row in approaches(project_id) for name in _names(row.name, row.preset, row.spec)}
    taken |= {match_key(name) for name in _reserved()}
    stem, number = wanted[:110], 2
    name = stem
    while match_key(name) in taken:
        name, number = f"{stem} {number}", number + 1
    return name


def spec_from(values: Mapping[str, Any]) -> ApproachSpec:
    """Read a specification from what somebody entered or a file holds.

    Raises:
        KurabeError: `approaches.bad_field` with the field, what was found and what was expected.
    """
    try:
        return ApproachSpec.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field, found = ".".join(map(str, first["loc"])), str(first["input"])[:80]
        raise KurabeError("approaches.bad_field", field=field, found=found, expected=first["msg"]) from error


def make_approach(project_id: str, spec: ApproachSpec) -> tb.Approach:
    """Store a new approach.

    Raises:
        KurabeError: as `check_spec`; `approaches.name_taken` when another one is already called so.
    """
    check_spec(spec)
    spec = spec.model_copy(update={"managed": False, "archived": False})
    with write() as session:
        _refuse_taken(_current(session, project_id), spec)
        return store_version(session, project_id, spec)


def change_approach(approach_id: str, spec: ApproachSpec) -> tb.Approach:
    """Store a changed approach as its next version; an unchanged one stays as it is, whoever keeps it.

    One that Kurabe keeps up to date belongs to the team from then on. Given another name it becomes an approach of
    its own, and the kept one stays.

    Raises:
        KurabeError: as `make_approach`; `store.missing`; `approaches.changed_meanwhile` when a newer version exists.
    """
    row = get_approach(approach_id)
    before = spec_of_row(row)
    if before.managed and spec.name != before.name:
        return make_approach(row.project_id, spec)
    check_spec(spec)
    wanted = spec.model_copy(update={"managed": False, "archived": False})
    with write() as session:
        current = session.get_one(tb.Approach, approach_id)
        if current.retired_at is not None:
            raise KurabeError("approaches.changed_meanwhile", name=label_of(row))
        if (wanted.name, wanted.names, wanted.hash, wanted.preset) == (
            before.name, before.names, before.hash, before.preset
        ):  # fmt: skip
            return current
        _refuse_taken((other for other in _current(session, row.project_id) if other.id != approach_id), wanted)
        return store_version(session, row.project_id, wanted, current)


def archive_approach(approach_id: str) -> tb.Approach:
    """Put an approach away: it is offered no more, and what it answered stays.

    Raises:
        KurabeError: `store.missing`; `approaches.changed_meanwhile` when a newer version exists.
    """
    with write() as session:
        row = session.get(tb.Approach, approach_id)
        if row is None:
            raise KurabeError("store.missing", kind="approach", id=approach_id)
        if row.retired_at is not None:
            raise KurabeError("approaches.changed_meanwhile", name=label_of(row))
        row.retired_at = now()
        row.spec = {**row.spec, "archived": True}
    return row


def restore_approach(approach_id: str) -> tb.Approach:
    """Bring an approach back that was put away.

    Raises:
        KurabeError: `store.missing`; `approaches.name_taken` when another one is called so by now.
    """
    with write() as session:
        row = session.get(tb.Approach, approach_id)
        if row is None:
            raise KurabeError("store.missing", kind="approach", id=approach_id)
        if row.retired_at is None:
            return row
        spec = spec_of_row(row).model_copy(update={"archived": False})
        _refuse_taken(_current(session, row.project_id), spec)
        row.retired_at, row.spec = None, spec.model_dump(mode="json")
    return row


def versions(row: tb.Approach) -> list[tb.Approach]:
    """Every stored version of an approach's name, newest first."""
    wanted = select(tb.Approach).where(tb.Approach.project_id == row.project_id, tb.Approach.name == row.name)
    with read() as session:
        return list(session.scalars(wanted.order_by(tb.Approach.version.desc())))


def find_approaches(
    project_id: str, wanted: Iterable[str] | None, *, presets_may_lack: bool = False
) -> list[tb.Approach]:
    """The approaches that somebody named: by id, name, preset, or name in either language; None names all.

    A preset names every approach of that kind; with `presets_may_lack` there may be none of it yet.

    Raises:
        KurabeError: `registry.unknown` for a name that none has.
    """
    known = ensure_presets(project_id)
    if wanted is None:
        return known
    found: dict[str, tb.Approach] = {}
    for name in wanted:
        named = [row for row in known if name in (row.id, row.preset, *_names(row.name, row.preset, row.spec))]
        if not named and not (presets_may_lack and name in PRESETS):
            names = ", ".join(row.name for row in known)
            raise KurabeError("registry.unknown", kind="approach", name=name, suggestions="-", known=names)
        found |= {row.id: row for row in named}
    return [row for row in known if row.id in found]


def _current(session: Session, project_id: str) -> list[tb.Approach]:
    wanted = select(tb.Approach).where(tb.Approach.project_id == project_id, tb.Approach.retired_at.is_(None))
    return list(session.scalars(wanted))


def _names(name: str, preset: str, spec: dict[str, Any] | None) -> set[str]:
    """Everything that an approach is called."""
    names = (spec or {}).get("names") or {}
    return {name, *(called(name, preset, names, code) for code in LANGUAGES)}


def _reserved() -> set[str]:
    """What the presets are called: a name that two approaches share would make their figures one."""
    return {name for preset in PRESETS for name in _names(preset, preset, None)}


def _refuse_taken(others: Iterable[tb.Approach], spec: ApproachSpec) -> None:
    own = _names(spec.name, spec.preset, spec.model_dump(mode="json"))
    taken = {match_key(name): name for row in others for name in _names(row.name, row.preset, row.spec)}
    reserved = set() if spec.name == spec.preset else _reserved()
    taken |= {match_key(name): name for name in reserved}
    for name in own:
        if match_key(name) in taken:
            raise KurabeError("approaches.name_taken", name=name)


def trouble(spec: ApproachSpec, sources: ProjectSources) -> ErrorRecord | None:
    """Why an approach could not answer as things stand: its weights, its key, what it reads; None when it could.

    Nothing is asked of a server.
    """
    model = spec.model
    if model.kind in ("adapter", "merged") and model.ref not in {row.id for row in adapters(sources.project_id)}:
        return KurabeError("approaches.adapter_gone", id=model.ref).as_record()
    try:
        check_key_present(model.key_name)
    except KurabeError as error:
        return error.as_record()
    return unmet(spec.context.get("name"), sources)


@dataclass(frozen=True, slots=True)
class Preview:
    """What one question would be sent with."""

    messages: tuple[Message, ...]
    """Exactly what the server gets."""
    gathered: Gathered
    """What stands beside the question, and how it came about."""
    tokens: int | None
    """Of the prompt, counted with the model's own tokenizer; None when nobody here has it."""


def preview(project_id: str, spec: ApproachSpec, question: str, example_id: str | None = None) -> Preview:
    """Build the prompt for one question as answering does, and ask nobody for the answer.

    A search by meaning asks the embedder for the question's vector, as the Documents page does.

    Raises:
        KurabeError: what gathering raises: no index, documents that do not fit, an unknown place of the answer.
    """
    # an address that nobody calls: the server that would answer is neither needed nor started
    parts = resolve(spec, ProjectSources(project_id), endpoint=Endpoint(url="http://unused.invalid/v1"))
    gold = partial(example_gold, example_id) if example_id else None
    gathered = parts.context.gather(parts.gather_input(question, gold))
    messages = parts.messages(question, gathered)
    tokens = parts.template.count(messages) if parts.template is not None else None
    return Preview(tuple(messages), gathered, tokens)
