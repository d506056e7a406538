"""``python -m core.store.revise MESSAGE``: write the next migration, as operations that one can read.

It is made from what the tables say and the migrations so far leave out.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import DowngradeOps, MigrationScript, UpgradeOps
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, BigInteger, Connection, create_engine

from core.identity import atomic_write
from core.settings import ROOT
from core.store import tables
from core.store.migration import alembic_config
from core.store.tables._base import Amount, UtcTime

__all__ = ["next_migration"]

_VERSIONS = Path(__file__).with_name("migrations") / "versions"

_FRAME = '''"""{title}; written by ``python -m core.store.revise``."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "{revision}"
down_revision = {before!r}
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LARGE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    {upgrade}


def downgrade() -> None:
    """Undo."""
    {downgrade}
'''


def next_migration(message: str) -> tuple[str, str]:
    """Return name and source of a migration from what the migrations so far make to what the tables now say."""
    config = alembic_config()
    head = ScriptDirectory.from_config(config).get_current_head() or "0000"
    revision = f"{int(head) + 1:04d}"
    slug = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:40]
    with create_engine("sqlite://").connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return f"{revision}_{slug}.py", _source(connection, message, revision, head)


def _source(connection: Connection, title: str, revision: str, before: str) -> str:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found = produce_migrations(context, tables.Base.metadata)
    upgrade, downgrade = (_code(operations, context) for operations in _both(found))
    if upgrade == "pass":
        raise SystemExit("The migrations already make what the tables say.")
    text = _FRAME.format(title=title, revision=revision, before=before, upgrade=upgrade, downgrade=downgrade)
    return _formatted(text)


def _both(found: MigrationScript) -> tuple[UpgradeOps, DowngradeOps]:
    assert found.upgrade_ops is not None and found.downgrade_ops is not None
    return found.upgrade_ops, found.downgrade_ops


def _code(operations: UpgradeOps | DowngradeOps, context: MigrationContext) -> str:
    lines = render_python_code(operations, render_as_batch=True, render_item=_type, migration_context=context)
    return "\n".join(line for line in lines.splitlines() if not line.strip().startswith("#")).strip()


def _type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Name our column types by what they are in a database, so that an old migration needs no code of today."""
    if kind != "type":
        return False
    if isinstance(item, UtcTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Amount):
        return "sa.String(length=40)"
    if isinstance(item, JSON):
        return "JSON"
    return "LARGE" if isinstance(item, BigInteger) else False


def _formatted(text: str) -> str:
    """Lay the source out as the rest of the code is, and leave out what it does not use."""
    common = ["--quiet", "--stdin-filename", str(_VERSIONS / "migration.py"), "-"]
    for arguments in (["check", "--select", "F401,I001", "--fix"], ["format"]):
        program = [sys.executable, "-m", "ruff", *arguments, *common]
        text = subprocess.run(program, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


def main(arguments: list[str]) -> None:
    """Write the next migration with the given message."""
    if not arguments:
        raise SystemExit("Say what changes: python -m core.store.revise MESSAGE")
    name, text = next_migration(" ".join(arguments))
    atomic_write(_VERSIONS / name, text)
    sys.stdout.write(f"{_VERSIONS / name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
