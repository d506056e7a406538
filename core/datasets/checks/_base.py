"""What every check is: rows in, findings out; it changes nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from core.datasets.editing import edit_rows
from core.datasets.rows import Row
from core.datasets.versions import rows_of, version
from core.errors import KurabeError
from core.identity import now
from core.models import resolve_base
from core.prompting import ChatTemplate
from core.registry import Registry, spec_of
from core.store import read, write
from core.store import tables as tb

__all__ = ["Check", "CheckInput", "Finding", "check_input", "checks", "repair", "run_checks", "shortened"]

Severity = Literal["error", "warning", "info"]
_ORDER = {"error": 0, "warning": 1, "info": 2}
_KEPT_ROWS = 200
_IN_MEMORY = 50_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found."""

    check: str
    """Name of the check."""
    code: str
    """Sentences ``datasets.finding.<check>.<code>`` (what) and ``….why`` (why it matters, what to do)."""
    severity: Severity
    """``error``: the comparison would be wrong; ``warning``: it would suffer; ``info``: good to know."""
    params: dict[str, Any] = field(default_factory=dict)
    """What the sentences name in braces."""
    rows: list[int] = field(default_factory=list)
    """Positions of the rows, at most 200."""
    count: int = 0
    """How many rows in all."""
    repair: dict[str, Any] | None = None
    """Arguments for `edit_rows` that would repair it: ``{"drop": [positions]}`` or ``{"changes": {position: {…}}}``."""

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values; a repair, which may name every row, becomes only whether there is one."""
        values = asdict(self) | {"repairable": self.repair is not None}
        del values["repair"]
        return values


@dataclass(slots=True)
class CheckInput:
    """What checks may look at."""

    rows: Callable[[], Iterator[tuple[int, Row]]]
    """Starts a pass over (position, row)."""
    row_count: int
    """How many rows there are."""
    language: str = "en"
    """Language of the project."""
    template: ChatTemplate | None = None
    """Chat template and tokenizer of the project's base model; None where its files are not here."""
    context_length: int | None = None
    """Tokens that the base model can read."""


class Check(ABC):
    """Looks for one kind of trouble; its dataclass fields are its whole configuration."""

    name: ClassVar[str]

    @abstractmethod
    def run(self, data: CheckInput) -> list[Finding]:
        """Return what was found; an empty list is the good case."""

    def finding(
        self, code: str, severity: Severity, rows: Sequence[int], repair: dict[str, Any] | None = None, **params: Any
    ) -> Finding:
        """Return a finding of this check; ``count`` is always among its parameters."""
        listed = {"count": len(rows)} | params
        return Finding(self.name, code, severity, listed, list(rows[:_KEPT_ROWS]), len(rows), repair)


checks: Registry[Check] = Registry("core.datasets.checks", Check)  # type: ignore[type-abstract]  # only subclasses are built


def run_checks(version_id: str, only: Sequence[Check] | None = None) -> list[Finding]:
    """Run all checks (or some, with their configuration) on a version and keep the findings with it.

    Returns:
        Findings, the worst first.

    Raises:
        KurabeError: ``store.missing``.
    """
    data = check_input(version_id)
    chosen = list(only) if only is not None else [kind() for kind in checks.all().values()]
    findings = [finding for check in chosen for finding in check.run(data)]
    findings.sort(key=lambda finding: (_ORDER[finding.severity], -finding.count, finding.check))
    kept = {
        "at": now().isoformat(),
        "checks": [spec_of(check) for check in chosen],
        "findings": [finding.as_dict() for finding in findings],
    }
    with write() as session:
        session.get_one(tb.DatasetVersion, version_id).checks = kept
    return findings


def repair(version_id: str, check: str, code: str) -> tb.DatasetVersion:
    """Return a new version without what a check found, by the repair that it suggests.

    Raises:
        KurabeError: ``datasets.no_repair`` if the check finds no such thing or knows no repair; ``registry.unknown``.
    """
    found = [finding for finding in checks.get(check)().run(check_input(version_id)) if finding.code == code]
    suggested = next((finding.repair for finding in found if finding.repair), None)
    if suggested is None:
        raise KurabeError("datasets.no_repair", check=check, finding=code)
    return edit_rows(version_id, suggested.get("changes"), drop=suggested.get("drop", ()), reason=f"{check}.{code}")


def check_input(version_id: str) -> CheckInput:
    """Return a version's rows with the base model's tokenizer, as checks want them.

    Raises:
        KurabeError: ``store.missing``.
    """
    found = version(version_id)
    with read() as session:
        project = session.get_one(tb.Project, found.project_id)
    template, context_length = _tokenizer(project.base_ref)
    if found.row_count <= _IN_MEMORY:
        rows = list(enumerate(rows_of(version_id)))
        return CheckInput(lambda: iter(rows), len(rows), project.language, template, context_length)
    return CheckInput(
        lambda: enumerate(rows_of(version_id)), found.row_count, project.language, template, context_length
    )


def _tokenizer(base_ref: str) -> tuple[ChatTemplate | None, int | None]:
    """Return the base model's chat template and context length, or nothing where it is not here: checks go on."""
    try:
        info = resolve_base(base_ref)
    except KurabeError:
        return None, None
    if info.folder is None or not (info.folder / "tokenizer.json").is_file():
        return None, info.context_length
    return ChatTemplate.load(info.folder), info.context_length


def shortened(text: str, limit: int = 60) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
