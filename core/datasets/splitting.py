"""Divide a dataset into train, validation and test: whole groups, by slice, the same wording never on both sides."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Literal

from core.datasets.rows import REJECTED, SPLITS, Row
from core.datasets.similarity import NEAR_LIMIT, wording_groups
from core.datasets.versions import VersionWriter, rows_of, version
from core.errors import KurabeError
from core.store import tables as tb

__all__ = ["SplitBy", "SplitConfig", "make_splits", "planned_splits"]

SplitBy = Literal["row", "document", "tag", "time"]

_DATE = re.compile(
    r"""(?P<year>\d{4})
    (?:(?P<between>[-/.])(?P<month>\d{1,2})(?P=between)(?P<day>\d{1,2})
      |年\s*(?P<month_ja>\d{1,2})月\s*(?P<day_ja>\d{1,2})日?
      |(?P<month_8>\d{2})(?P<day_8>\d{2}))(?!\d)
    (?:\s*\([^()]{1,9}\))?  # the day of the week
    (?:[T,\s]*(?P<before>AM|PM|午前|午後)?\s*(?P<hour>\d{1,2})
      (?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,]\d+)?)?
        |時(?:(?P<minute_ja>\d{1,2})分)?(?:(?P<second_ja>\d{1,2})秒)?)
      \s*(?P<after>AM|PM|A\.M\.|P\.M\.)?\s*(?:[A-Z]{1,4}|[-+]\d{2}(?::?\d{2})?)?)?""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """How rows are divided."""

    validation: float = 0.15
    """Share of the rows for validation."""
    test: float = 0.25
    """Share of the rows for the test."""
    by: SplitBy = "row"
    """What stays together: nothing but wordings, rows of one source document, rows of one value of a tag; or
    ``time``: the test is the newest rows, validation those before it."""
    tag: str = ""
    """Column whose values keep rows together, for ``by="tag"``; the one that holds the date, for ``by="time"``."""
    stratify: bool = True
    """Give every slice its share in each split; not for ``by="time"``, which has one border for all."""
    seed: int = 0
    """Another seed, another division; the same seed divides the same rows in the same way."""


def make_splits(
    version_id: str,
    config: SplitConfig | None = None,
    *,
    watch: Callable[[str, int], None] | None = None,
    job: str = "",
    newest: bool = False,
) -> tb.DatasetVersion:
    """Return a new version of the same rows with splits made.

    Args:
        version_id: Dataset version.
        config: How rows are divided.
        watch: Told the stage, ``counting_rows`` or ``storing_rows``, and how many rows it went through; what it raises
            ends the work, and nothing of it stays.
        job: The job that does it, kept with the version: whoever was interrupted finds by it what is stored already.
        newest: Refuse where another version of the dataset was shown meanwhile.

    Raises:
        KurabeError: ``datasets.bad_shares``, ``datasets.too_few_groups``, ``datasets.no_time``,
            ``datasets.unknown_column``, ``store.missing``; ``datasets.moved_on``, see `newest`.
    """
    config = config or SplitConfig()
    base = version(version_id)
    splits = planned_splits(list(_watched(version_id, "counting_rows", watch)), config)
    with VersionWriter(base.project_id, "", dataset_id=base.dataset_id) as writer:
        for row, split in zip(_watched(version_id, "storing_rows", watch), splits, strict=True):
            row.split = split
            writer.add(row)
        lineage: dict[str, Any] = {"operation": "split", "parent": version_id, "config": asdict(config)}
        lineage["near_wordings"] = writer.count <= NEAR_LIMIT
        if job:
            lineage["job"] = job
        return writer.finish(lineage, follows=version_id if newest else None)


def _watched(version_id: str, stage: str, watch: Callable[[str, int], None] | None) -> Iterator[Row]:
    for place, row in enumerate(rows_of(version_id), 1):
        if watch is not None:
            watch(stage, place)
        yield row


def planned_splits(rows: Sequence[Row], config: SplitConfig) -> list[str]:
    """Return the split of every row.

    Groups are taken in an order that only the seed and their words decide, and each goes to the split that is
    furthest below its share of the group's slice. By time, groups are taken by their newest row, and
    those of one moment stay together: a border lies where the moment changes.

    Raises:
        KurabeError: ``datasets.bad_shares``; ``datasets.too_few_groups`` if a split that should have rows gets none;
            ``datasets.no_time`` if rows have no date that can be read; ``datasets.unknown_column`` if no row has the
            tag that should keep rows together.
    """
    train = 1 - config.validation - config.test
    if min(config.validation, config.test) < 0 or train <= 0:
        raise KurabeError("datasets.bad_shares", validation=config.validation, test=config.test)
    if config.by == "tag" and not any(config.tag in row.tags for row in rows):
        columns = sorted({name for row in rows for name in row.tags} - {REJECTED})
        raise KurabeError("datasets.unknown_column", column=config.tag or "–", columns=", ".join(columns) or "–")
    shares = {"train": train, "validation": config.validation, "test": config.test}
    groups = _grouped(rows, config)
    splits = [""] * len(rows)
    if config.by == "time":
        groups = _of_one_moment(groups, _moments(rows, config.tag))
        _divide_by_time(groups, shares, splits)
    else:
        for members in _strata(rows, groups, config).values():
            _divide(members, shares, splits)
    wanted = [name for name in SPLITS if shares[name] > 0]
    if missing := [name for name in wanted if name not in splits]:
        raise KurabeError("datasets.too_few_groups", groups=len(groups), missing=", ".join(missing))
    return splits


def _grouped(rows: Sequence[Row], config: SplitConfig) -> list[list[int]]:
    """Return lists of rows that must stay together, in the seed's order."""
    wording = wording_groups([row.question for row in rows])
    links: dict[str, int] = {}
    parent = list(range(len(rows)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for index, row in enumerate(rows):
        parent[root(index)] = root(wording[index])
        for name in _kept_together(row, config):
            parent[root(index)] = root(links.setdefault(name, index))
    members: dict[int, list[int]] = defaultdict(list)
    for index in range(len(rows)):
        members[root(index)].append(index)
    return sorted(members.values(), key=lambda group: _order(rows[group[0]], config.seed))


def _kept_together(row: Row, config: SplitConfig) -> list[str]:
    if config.by == "document":
        return [place["document"] for place in row.gold if place.get("document")]
    if config.by == "tag" and row.tags.get(config.tag) is not None:
        return [str(row.tags[config.tag])]
    return []


def _order(row: Row, seed: int) -> str:
    return hashlib.sha256(f"{seed}\n{row.question}\n{row.answer}".encode()).hexdigest()


def _strata(rows: Sequence[Row], groups: list[list[int]], config: SplitConfig) -> dict[str, list[list[int]]]:
    strata: dict[str, list[list[int]]] = defaultdict(list)
    for group in groups:
        strata[rows[group[0]].slice if config.stratify else ""].append(group)
    return strata


def _divide(groups: list[list[int]], shares: dict[str, float], splits: list[str]) -> None:
    total = sum(len(group) for group in groups)
    counts = dict.fromkeys(shares, 0)
    for group in groups:
        name = max(shares, key=lambda split: (shares[split] * total - counts[split], shares[split]))
        counts[name] += len(group)
        for index in group:
            splits[index] = name


def _of_one_moment(groups: list[list[int]], moments: Sequence[datetime]) -> list[list[int]]:
    """Return the groups from the oldest to the newest by their newest row, those of one moment as one."""

    def newest(members: list[int]) -> datetime:
        return max(moments[index] for index in members)

    same = groupby(sorted(groups, key=newest), key=newest)
    return [[index for members in found for index in members] for _, found in same]


def _divide_by_time(groups: list[list[int]], shares: dict[str, float], splits: list[str]) -> None:
    """Fill the oldest split first: each group goes where its middle falls among the shares."""
    total, before = sum(len(group) for group in groups), 0
    borders = {"train": shares["train"], "validation": 1 - shares["test"], "test": 1.0}
    for group in groups:
        place = (before + len(group) / 2) / total
        name = next(name for name in SPLITS if shares[name] > 0 and (place <= borders[name] or name == "test"))
        before += len(group)
        for index in group:
            splits[index] = name


def _moments(rows: Sequence[Row], column: str) -> list[datetime]:
    found = [_moment(row.tags.get(column)) for row in rows]
    if missing := [position for position, moment in enumerate(found) if moment is None]:
        raise KurabeError("datasets.no_time", column=column, n=len(missing), row=missing[0] + 1)
    return [moment for moment in found if moment is not None]


def _moment(value: object) -> datetime | None:
    """Read 2026-03-01, 2026/3/1 9:05 PM, 2026年3月1日午後9時5分, 20260301; time zones are not told apart.

    What is no date of the calendar is None rather than something near it: a wrong border is seen by nobody.
    """
    match = _DATE.fullmatch(unicodedata.normalize("NFKC", str(value)).strip())
    if match is None:
        return None
    part = match.groupdict()
    month, day = (part[name] or part[f"{name}_ja"] or part[f"{name}_8"] for name in ("month", "day"))
    minute, second = (int(part[name] or part[f"{name}_ja"] or 0) for name in ("minute", "second"))
    hour, half = int(part["hour"] or 0), (part["before"] or part["after"] or "").upper().replace(".", "")
    if half:
        if hour > 12:
            return None
        hour = hour % 12 + (12 if half in ("PM", "午後") else 0)
    try:
        return datetime(int(part["year"]), int(month), int(day), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
