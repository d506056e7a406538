"""Which rows the base knows; written by ``python -m core.store.revise``."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LARGE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "known_runs",
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("config", JSON, nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("available", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_known_runs_project_id_projects"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["dataset_versions.id"],
            name=op.f("fk_known_runs_version_id_dataset_versions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_runs")),
    )
    with op.batch_alter_table("known_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_known_runs_job_id"), ["job_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_known_runs_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_known_runs_version_id"), ["version_id"], unique=False)

    op.create_table(
        "known_calls",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("example_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=True),
        sa.Column("reason", JSON, nullable=False),
        sa.Column("messages", JSON, nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("reasoning", sa.String(), nullable=False),
        sa.Column("finish_reason", sa.String(length=30), nullable=True),
        sa.Column("error", JSON, nullable=True),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("cost", sa.String(length=40), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("cost_basis", sa.String(length=10), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["example_id"], ["examples.id"], name=op.f("fk_known_calls_example_id_examples"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_known_calls_project_id_projects"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["known_runs.id"], name=op.f("fk_known_calls_run_id_known_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_calls")),
        sa.UniqueConstraint("run_id", "position", name=op.f("uq_known_calls_run_id_position")),
    )
    with op.batch_alter_table("known_calls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_known_calls_example_id"), ["example_id"], unique=False)
        batch_op.create_index("ix_known_calls_outcome", ["run_id", "known"], unique=False)
        batch_op.create_index(batch_op.f("ix_known_calls_project_id"), ["project_id"], unique=False)

    with op.batch_alter_table("dataset_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("training_text", JSON, nullable=True))

    with op.batch_alter_table("examples", schema=None) as batch_op:
        batch_op.add_column(sa.Column("training_indexed", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("examples", schema=None) as batch_op:
        batch_op.drop_column("training_indexed")

    with op.batch_alter_table("dataset_versions", schema=None) as batch_op:
        batch_op.drop_column("training_text")

    with op.batch_alter_table("known_calls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_known_calls_project_id"))
        batch_op.drop_index("ix_known_calls_outcome")
        batch_op.drop_index(batch_op.f("ix_known_calls_example_id"))

    op.drop_table("known_calls")
    with op.batch_alter_table("known_runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_known_runs_version_id"))
        batch_op.drop_index(batch_op.f("ix_known_runs_project_id"))
        batch_op.drop_index(batch_op.f("ix_known_runs_job_id"))

    op.drop_table("known_runs")
