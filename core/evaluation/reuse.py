"""Answers that a finished experiment already has: taken over instead of asked again, each marked with its origin.

An answer stands in for a new one only if everything that can change it is the same: question, dataset version, split
and seed, approach (model, context, prompt), weights, wording of prompts and template, decoding, index version,
software, machine and servers. One prompt of each experiment is written again and compared to the letter: documents
that were edited since change it. Failed and stopped answers are never taken over, and nothing is for the latency phase.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect, select

from core.approaches import Decoding, Parts, Prompter, weights_hash
from core.errors import KurabeError
from core.identity import actor, new_id, now
from core.store import read
from core.store import tables as tb

from .provenance import surroundings

_CHUNK = 400
"""Ids per SQL statement: SQLite allows a limited number of parameters."""

Place = tuple[str, int]
"""A question and a repetition."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all answers of an experiment share."""

    project_id: str
    dataset_version_id: str
    split: str
    seed: int
    decoding: Decoding
    index_version_id: str | None
    """None when no approach of it searches."""

    @classmethod
    def of(cls, experiment: tb.Experiment) -> Conditions:
        """Those of a frozen experiment."""
        frozen = experiment.config
        return cls(
            project_id=experiment.project_id,
            dataset_version_id=experiment.dataset_version_id,
            split=experiment.split,
            seed=int(frozen["seed"]),
            decoding=Decoding.model_validate(frozen["decoding"]),
            index_version_id=frozen["index_version_id"],
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A finished experiment under the same conditions."""

    id: str
    index_version_id: str | None
    approach_hashes: Mapping[str, str]
    """By approach id."""


def sources_for(conditions: Conditions) -> list[Source]:
    """Finished experiments whose answers may be taken over, newest first."""
    e = tb.Experiment
    fields = ("decoding", "approach_hashes", "seed", "index_version_id")
    wanted = select(e.id, e.provenance, *(e.config[name] for name in fields)).where(
        e.project_id == conditions.project_id,
        e.dataset_version_id == conditions.dataset_version_id,
        e.split == conditions.split,
        e.completed_at.is_not(None),
    )
    with read() as session:
        found = session.execute(wanted.order_by(e.id.desc())).all()
    if not found:
        return []
    today = surroundings()
    return [
        Source(experiment_id, index_id, hashes)
        for experiment_id, facts, decoding, hashes, seed, index_id in found
        if hashes
        and seed == conditions.seed
        and Decoding.model_validate(decoding) == conditions.decoding
        and all(facts.get(name) == fact for name, fact in today.items())
    ]


def reusable(
    sources: Sequence[Source],
    conditions: Conditions,
    prompter: Prompter,
    approach_hash: str,
    places: Sequence[Place],
) -> dict[Place, str]:
    """Ids of the answers that can be taken over for one approach, by question and repetition; newest first.

    Args:
        sources: from `sources_for`.
        conditions: of the new experiment.
        prompter: what writes the approach's prompts now; one without a server checks no prompt that takes a search.
        approach_hash: of the approach.
        places: questions and repetitions that are wanted.
    """
    wanted, found = set(places), dict[Place, str]()
    try:
        weights = weights_hash(prompter.spec.model)
    except KurabeError:
        return {}  # its weights are gone: asking will say so
    for source in sources:
        if prompter.spec.retrieves and source.index_version_id != conditions.index_version_id:
            continue
        owners = [i for i, known in source.approach_hashes.items() if known == approach_hash]
        known = {
            place: i for place, i in _finished(source.id, owners, weights, prompter) if place in wanted - found.keys()
        }
        if known and _asked_alike(prompter, next(iter(known.values()))):
            found |= known
    return found


def _finished(
    experiment_id: str, approach_ids: Sequence[str], weights: str, prompter: Prompter
) -> Iterator[tuple[Place, str]]:
    a = tb.Answer
    wanted = select(a.example_id, a.repetition, a.id).where(
        a.experiment_id == experiment_id,
        a.phase == "quality",
        a.approach_id.in_(approach_ids),
        a.status == "finished",
        a.model_hash == weights,
        a.template_hash == prompter.template_hash[:80],
    )
    with read() as session:
        rows = session.execute(wanted).all() if approach_ids else []
    return (((str(example_id), repetition), answer_id) for example_id, repetition, answer_id in rows)


def _asked_alike(prompter: Prompter, answer_id: str) -> bool:
    """Whether the question would be sent with the very same words today."""
    if prompter.spec.retrieves and not isinstance(prompter, Parts):
        return True  # index versions never change; the run itself looks again
    with read() as session:
        row = session.get(tb.Answer, answer_id)
        example = session.get(tb.Example, row.example_id) if row else None
    if row is None or example is None:
        return False
    try:
        gathered = prompter.context.gather(prompter.gather_input(row.question, lambda: example.gold or ()))
    except KurabeError:
        return False
    return list(prompter.messages(row.question, gathered)) == row.messages


def copies(taken: Mapping[Place, str], experiment_id: str, approach_id: str) -> dict[Place, tb.Answer]:
    """New rows of an experiment, with everything that the stored answers hold and where they come from."""
    columns = [c.key for c in inspect(tb.Answer).column_attrs]
    ids = list(taken.values())
    rows: dict[str, tb.Answer] = {}
    for start in range(0, len(ids), _CHUNK):
        wanted = select(tb.Answer).where(tb.Answer.id.in_(ids[start : start + _CHUNK]), tb.Answer.status == "finished")
        with read() as session:
            rows.update({row.id: row for row in session.scalars(wanted)})
    mine = {"experiment_id": experiment_id, "approach_id": approach_id}
    return {
        place: tb.Answer(**{**{c: getattr(rows[i], c) for c in columns}, **mine, **_origin(rows[i])})
        for place, i in taken.items()
        if i in rows  # its experiment may have been deleted at this moment
    }


def _origin(row: tb.Answer) -> dict[str, Any]:
    """Columns that a copy does not share with its original."""
    first = row.notes.get("taken_over") or {"answer_id": row.id, "experiment_id": row.experiment_id}
    return {
        "id": new_id(),
        "created_at": now(),
        "created_by": actor(),
        "owner": {},
        "taken_from": row.taken_from or row.experiment_id,
        "notes": {**row.notes, "taken_over": first},
    }
