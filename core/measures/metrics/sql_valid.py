"""SQL validity: the answer parses as SQL of the expected dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ..case import Case, Measured, Metric, yes_no
from ..text import without_fence


@dataclass(frozen=True)
class SqlValid(Metric):
    """1 when the whole answer is SQL statements that parse; nothing is run, and no table is looked for.

    Expected where a row's `expects` has `sql`: true, or the name of a dialect (`postgres`, `mysql`, `sqlite`, …).
    """

    name: ClassVar[str] = "sql_valid"

    allow_fence: bool = field(default=True, metadata={"help": "measures.field.sql_valid.allow_fence.help"})
    """Accept SQL inside one Markdown code fence."""

    def score(self, case: Case) -> Measured:
        """Parse, and look whether every statement is one."""
        wanted = case.expects.get("sql")
        if not wanted:
            return Measured(None, "not_applicable_sql")
        text = without_fence(case.answer_text) if self.allow_fence else case.answer_text
        if not text.strip():
            return yes_no(False, "empty_answer")
        return _parsed(text, wanted if isinstance(wanted, str) else None)


def _parsed(text: str, dialect: str | None) -> Measured:
    # Imported here: few projects ask for SQL, and its grammars take a while to load.
    import sqlglot
    from sqlglot import exp

    try:
        statements = [found for found in sqlglot.parse(text, dialect=dialect) if found is not None]
    except sqlglot.errors.SqlglotError as error:
        return yes_no(False, "sql_broken", detail=str(error).splitlines()[0])
    except ValueError as error:  # a dialect that does not exist
        return Measured(None, "sql_dialect", {"detail": str(error).splitlines()[0]})
    # words in a row parse as a column with an alias, and what the grammar does not know as a command
    sound = [found for found in statements if isinstance(found, exp.Query | exp.DML | exp.DDL | exp.Drop | exp.Alter)]
    if not statements or len(sound) < len(statements):
        return yes_no(False, "sql_no_statement")
    return yes_no(True, "sql_ok")
