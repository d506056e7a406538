"""Promoted and archived runs, kept probes; written by ``python -m core.store.revise``."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LARGE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "training_probes",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("config", JSON, nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("result", JSON, nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_training_probes_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_probes")),
    )
    with op.batch_alter_table("training_probes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_training_probes_key"), ["key"], unique=False)
        batch_op.create_index(batch_op.f("ix_training_probes_project_id"), ["project_id"], unique=False)

    with op.batch_alter_table("training_runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("note", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("promoted_for", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("uq_training_runs_promoted", ["project_id", "promoted_for"], unique=True)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("training_runs", schema=None) as batch_op:
        batch_op.drop_index("uq_training_runs_promoted")
        batch_op.drop_column("archived_at")
        batch_op.drop_column("promoted_for")
        batch_op.drop_column("note")

    with op.batch_alter_table("training_probes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_training_probes_project_id"))
        batch_op.drop_index(batch_op.f("ix_training_probes_key"))

    op.drop_table("training_probes")
