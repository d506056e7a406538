"""Tables with a header row: find it below title rows, check widths, and keep the spreadsheet's row numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from typing import Any

from core.datasets.cells import shown
from core.datasets.columns import header_score
from core.datasets.readers._base import Source
from core.datasets.rows import Problem, RawRow
from core.errors import KurabeError

__all__ = ["Merge", "Record", "UnsavedFormula", "table_source"]

Record = tuple[int, Sequence[Any]]
"""Row number as a spreadsheet shows it, and the cells."""

Merge = tuple[int, int, int]
"""First and last row of cells that were merged, and the place of their first column in the record, from 0."""

_PEEK = 50
_ERROR_CELLS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})


class UnsavedFormula(str):
    """The text of a formula whose value no program has saved."""


def table_source(
    records: Callable[[], Iterator[Record]],
    name: str,
    encoding: str | None = None,
    alternatives: tuple[str, ...] = (),
    merges: Sequence[Merge] = (),
) -> Source:
    """Return the source of a table; a cell merged over rows below the header counts for each of them.

    Raises:
        KurabeError: ``datasets.no_rows``; ``datasets.duplicate_header`` with the doubled names and their row.
    """
    head = [record for record in islice(records(), _PEEK) if _filled(record[1])]
    if not head:
        raise KurabeError("datasets.no_rows", name=name)
    header_row, cells = _header(head)
    columns = _columns(cells, header_row, name)
    notes: list[dict[str, Any]] = []
    skipped = [[str(cell) for cell in row if cell not in (None, "")] for number, row in head if number < header_row]
    if skipped:
        notes.append({"code": "title_rows", "params": {"rows": len(skipped), "text": " / ".join(skipped[0])[:120]}})
    if header_score([str(cell or "") for cell in cells]) == 0:
        notes.append({"code": "header_unsure", "params": {"row": header_row, "columns": ", ".join(columns)[:200]}})
    below = [merge for merge in merges if merge[0] > header_row]
    if below:
        notes.append({"code": "merged_cells", "params": {"count": len(below)}})

    def rows() -> Iterator[RawRow]:
        body = ((number, row) for number, row in records() if number > header_row and _is_filled(row))
        for number, row in _unmerged(body, below) if below else body:
            yield _raw(number, row, columns)

    return Source([column for column in columns if column], rows, encoding, alternatives, notes)


def _unmerged(records: Iterator[Record], merges: Sequence[Merge]) -> Iterator[Record]:
    """Repeat the value of merged cells in the rows that they cover."""
    waiting = sorted(merges, reverse=True)
    covering: dict[int, tuple[int, Any]] = {}
    for number, row in records:
        while waiting and waiting[-1][0] <= number:
            first, last, place = waiting.pop()
            if first == number and place < len(row):
                covering[place] = (last, row[place])
        filled = list(row)
        for place, (last, value) in covering.items():
            if number <= last and place < len(filled) and filled[place] is None:
                filled[place] = value
        yield number, filled


def _is_filled(row: Sequence[Any]) -> bool:
    return any(cell is not None and str(cell).strip() for cell in row)


def _filled(row: Sequence[Any]) -> int:
    return sum(1 for cell in row if cell is not None and str(cell).strip())


def _header(head: Sequence[Record]) -> Record:
    """Take the first row with two or more known names, else the first one as wide as most rows."""
    for number, row in head[:15]:
        if header_score([str(cell or "") for cell in row]) >= 2:
            return number, row
    width = Counter(_filled(row) for _, row in head).most_common(1)[0][0]
    return next((record for record in head if _filled(record[1]) >= width), head[0])


def _columns(cells: Sequence[Any], row: int, name: str) -> list[str]:
    columns = [" ".join(str(cell).replace("\ufeff", "").split()) if cell is not None else "" for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    twice = [column for column, times in Counter(columns).items() if column and times > 1]
    if twice:
        raise KurabeError("datasets.duplicate_header", name=name, row=row, columns=", ".join(twice))
    taken = set(columns)
    return [column or _substitute(index, taken) for index, column in enumerate(columns, 1)]


def _substitute(index: int, taken: set[str]) -> str:
    """Name a column that has no name, as no other is named."""
    plain = f"column {index}"
    return plain if plain not in taken else next(n for k in count(2) if (n := f"{plain} ({k})") not in taken)


def _raw(number: int, row: Sequence[Any], columns: Sequence[str]) -> RawRow:
    extra = [cell for cell in row[len(columns) :] if cell not in (None, "")]
    if extra:
        found = shown(f"{len(row)} > {len(columns)}: {extra[0]}")
        return RawRow(number, {}, Problem(number, "", "extra_cells", found, "header_width"))
    values = {column: row[index] if index < len(row) else None for index, column in enumerate(columns)}
    for column, value in values.items():
        if isinstance(value, UnsavedFormula):
            return RawRow(number, values, Problem(number, column, "formula_unsaved", value[:80], "text"))
        if isinstance(value, str) and value in _ERROR_CELLS:
            return RawRow(number, values, Problem(number, column, "formula_error", value, "text"))
    return RawRow(number, values)
