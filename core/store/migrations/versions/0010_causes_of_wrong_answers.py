"""Why each answer is wrong; written by ``python -m core.store.revise``."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("experiment_cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("causes", JSON, nullable=True))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("experiment_cases", schema=None) as batch_op:
        batch_op.drop_column("causes")
