"""An index to find live comparisons; written by ``python -m core.store.revise``."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.create_index(
            "ix_answers_live",
            ["project_id", "compare_id"],
            unique=False,
            sqlite_where=sa.text("compare_id IS NOT NULL"),
            postgresql_where=sa.text("compare_id IS NOT NULL"),
        )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.drop_index("ix_answers_live")
