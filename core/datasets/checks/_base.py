"""What every check is: rows in, findings out; it changes nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Literal

from core.datasets.editing import edit_rows
from core.datasets.passages import Passage
from core.datasets.rows import Row
from core.datasets.versions import rows_of, version
from core.errors import KurabeError
from core.identity import now
from core.models import resolve_base
from core.prompting import ChatTemplate
from core.registry import Registry, spec_of
from core.store import read, write
from core.store import tables as tb

__all__ = [
    "Check",
    "CheckInput",
    "Documents",
    "Finding",
    "Rewrite",
    "Severity",
    "check_input",
    "checks",
    "left_out",
    "repair",
    "rewritten",
    "run_checks",
    "shortened",
    "texts_of",
]

Severity = Literal["error", "warning", "info"]
_ORDER = {"error": 0, "warning": 1, "info": 2}
_KEPT_ROWS = 200
_IN_MEMORY = 50_000
_EXAMPLES = 3
_WATCHED = 1000
_SHOWN = 200

Rewrite = Callable[[Row], dict[str, Any]]

Documents = Callable[[], Iterable[Passage]]
"""Gives the passages of the project's documents to a check that looks into them."""


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
    """Arguments for `edit_rows` that would repair it: ``{"drop": [positions]}``, ``{"changes": {position: {…}}}`` or
    ``{"rewrite": function of a row}``, which no limit on kept positions cuts short."""
    examples: list[dict[str, Any]] = field(default_factory=list)
    """The first rows found: ``{"position", "question", "answer"}``, shortened; filled in by `run_checks`."""

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values; of a repair, which may name every row, whether there is one and how many it drops."""
        dropped = len((self.repair or {}).get("drop", ()))
        values = asdict(replace(self, repair=None)) | {"repairable": self.repair is not None, "drops": dropped}
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
    max_length: int | None = None
    """Tokens that training will keep of a row, where somebody chose them."""
    passages: Documents = tuple
    """Passages of the documents, those of a document side by side; without any, none were given."""
    watch: Callable[[], None] = lambda: None
    """To be called now and then in work between the passes over the rows; what it raises ends the checking."""


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


def left_out(rows: Sequence[int]) -> dict[str, Any] | None:
    """Return the repair that leaves rows out; None where there are none."""
    return {"drop": list(rows)} if rows else None


checks: Registry[Check] = Registry("core.datasets.checks", Check)  # type: ignore[type-abstract]  # only subclasses are built


def run_checks(
    version_id: str,
    only: Sequence[Check] | None = None,
    *,
    max_length: int | None = None,
    watch: Callable[[float, int], None] | None = None,
    passages: Documents = tuple,
) -> list[Finding]:
    """Run all checks (or some, with their configuration) on a version and keep the findings with it.

    Args:
        version_id: Dataset version.
        only: Checks to run; all of them if not given.
        max_length: Tokens that training will keep of a row; what is longer counts as cut off.
        watch: Told how many of how many checks are done, parts of one included; what it raises ends the checking.
        passages: Gives the passages of the documents that answers may rest on; `core.knowledge.check_dataset` does.

    Returns:
        Findings, the worst first.

    Raises:
        KurabeError: ``store.missing``.
    """
    data = check_input(version_id, max_length, passages)
    chosen = list(only) if only is not None else [kind() for kind in checks.all().values()]
    findings: list[Finding] = []
    for done, check in enumerate(chosen):
        findings += check.run(data if watch is None else _watched(data, done, len(chosen), watch))
    findings.sort(key=lambda finding: (_ORDER[finding.severity], -finding.count, finding.check))
    findings = _with_examples(findings, data)
    kept = {
        "at": now().isoformat(),
        "max_length": max_length,
        "checks": [spec_of(check) for check in chosen],
        "findings": [finding.as_dict() for finding in findings],
    }
    with write() as session:
        checked = session.get(tb.DatasetVersion, version_id)
        if checked is None:  # deleted while it was checked
            raise KurabeError("store.missing", kind="dataset version", id=version_id)
        checked.checks = kept
    return findings


def _watched(data: CheckInput, done: int, total: int, watch: Callable[[float, int], None]) -> CheckInput:
    """Return the input of one check, whose passes over rows and passages say how far they are, and may be ended."""
    share = 0.0

    def again() -> None:
        watch(done + share, total)

    def rows() -> Iterator[tuple[int, Row]]:
        nonlocal share
        for seen, pair in enumerate(data.rows()):
            if seen % _WATCHED == 0:
                share = min(1.0, seen / max(1, data.row_count))
                again()
            yield pair

    def passages() -> Iterator[Passage]:
        for seen, passage in enumerate(data.passages()):
            if seen % _WATCHED == 0:
                again()
            yield passage

    return replace(data, rows=rows, passages=passages, watch=again)


def _with_examples(findings: list[Finding], data: CheckInput) -> list[Finding]:
    """Return findings with the text of their first rows: a number alone sends people to look each row up."""
    wanted = {position for finding in findings for position in finding.rows[:_EXAMPLES]}
    texts: dict[int, dict[str, Any]] = {}
    for position, row in data.rows() if wanted else ():
        if position in wanted:
            shown = {"question": shortened(row.question, _SHOWN), "answer": shortened(row.answer, _SHOWN)}
            texts[position] = {"position": position} | shown
            if len(texts) == len(wanted):
                break
    return [
        replace(finding, examples=[texts[position] for position in finding.rows[:_EXAMPLES]]) for finding in findings
    ]


def repair(
    version_id: str,
    check: str,
    code: str,
    *,
    passages: Documents = tuple,
    max_length: int | None = None,
    watch: Callable[[str, int], None] | None = None,
    job: str = "",
    newest: bool = False,
) -> tb.DatasetVersion:
    """Return a new version without what a check found, by the repair that it suggests.

    Rows are judged as they were when the checks last ran, by the same length if one was chosen then, and beside the
    documents as they are now. The version says which check it was, what it found, and that its repair made it.

    Args:
        version_id: Dataset version.
        check: Name of the check.
        code: What it found.
        passages: As `run_checks` takes them.
        max_length: Tokens that training will keep of a row; that of the version's last checks if not given.
        watch: Told the stage, ``checking`` or ``storing_rows``, and how many rows it went through; what it raises ends
            the work, and nothing of it stays.
        job: The job that does it, kept with the version: whoever was interrupted finds by it what is stored already.
        newest: Refuse where another version of the dataset was shown meanwhile.

    Raises:
        KurabeError: ``datasets.no_repair`` if the check finds no such thing or knows no repair; ``registry.unknown``;
            ``datasets.moved_on``, see `newest`.
    """
    length = max_length or (version(version_id).checks or {}).get("max_length")
    data = check_input(version_id, length, passages)
    if watch is not None:
        rows, told = data.row_count, watch
        data = _watched(data, 0, 1, lambda done, _: told("checking", round(done * rows)))
    found = [each for each in checks.get(check)().run(data) if each.code == code and each.repair]
    if not found:
        raise KurabeError("datasets.no_repair", check=check, finding=code)
    repairs = [each.repair for each in found if each.repair]
    return edit_rows(
        version_id,
        {position: fields for each in repairs for position, fields in each.get("changes", {}).items()},
        drop={position for each in repairs for position in each.get("drop", ())},
        rewrite=_one_after_another([each["rewrite"] for each in repairs if "rewrite" in each]),
        reason=f"{check}.{code}",
        made_by=_made_by(found, job),
        newest=newest,
        watch=partial(watch, "storing_rows") if watch is not None else None,
    )


def _made_by(found: Sequence[Finding], job: str) -> dict[str, Any]:
    """Return what the lineage of a repaired version says of it: findings as code and parameters, and the job."""
    repaired = {"check": found[0].check, "code": found[0].code, "found": [each.params for each in found]}
    return {"repair": repaired} | ({"job": job} if job else {})


def _one_after_another(rewrites: Sequence[Rewrite]) -> Rewrite | None:
    return (lambda row: {k: v for rewrite in rewrites for k, v in rewrite(row).items()}) if rewrites else None


def rewritten(row: Row, change: Callable[[str], str], *, everywhere: bool = False) -> dict[str, Any]:
    """Return the fields of a row that a change of its texts changes, all turns of its conversation included.

    Args:
        row: The row.
        change: Returns a text as it should be.
        everywhere: Also tags, expectations and quoted passages; without it, a quotation stays as its document says it.
    """
    names = ("question", "answer", "value", "messages")
    fields = {name: getattr(row, name) for name in (*names, "expects", "gold", "tags")[: None if everywhere else 4]}
    kept = _NAMES if everywhere else _NOT_SAID
    changed = {name: _each_text(value, change, kept) for name, value in fields.items()}
    return {name: value for name, value in changed.items() if value != fields[name]}


def texts_of(row: Row) -> Iterator[str]:
    """Yield every text that a row holds, but for quotations: those are the documents' own words."""
    yield from (row.question, row.answer)
    for value in (row.value, row.messages, row.expects, row.tags):
        yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


_NAMES = frozenset(("role", "type"))
"""What a message is, not what it says."""
_NOT_SAID = _NAMES | {"name", "tool_calls", "tool_call_id", "function_call", "id"}
"""What a program reads: another spelling of an argument would break the call."""


def _each_text(value: Any, change: Callable[[str], str], kept: frozenset[str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change, kept) for item in value]
    if isinstance(value, dict):
        return {name: item if name in kept else _each_text(item, change, kept) for name, item in value.items()}
    return value


def check_input(version_id: str, max_length: int | None = None, passages: Documents = tuple) -> CheckInput:
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
        return CheckInput(
            lambda: iter(rows), len(rows), project.language, template, context_length, max_length, passages
        )
    return CheckInput(
        lambda: enumerate(rows_of(version_id)),
        found.row_count,
        project.language,
        template,
        context_length,
        max_length,
        passages,
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
