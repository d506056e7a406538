"""Results are kept; written by ``python -m core.store.revise``."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LARGE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "experiment_cases",
        sa.Column("experiment_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("example_id", sa.String(length=36), nullable=False),
        sa.Column("slice", sa.String(length=60), nullable=False),
        sa.Column("mean", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("improved", sa.Integer(), nullable=False),
        sa.Column("regressed", sa.Integer(), nullable=False),
        sa.Column("by_approach", JSON, nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_experiment_cases_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_experiment_cases_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_cases")),
        sa.UniqueConstraint("experiment_id", "position", name=op.f("uq_experiment_cases_experiment_id_position")),
    )
    with op.batch_alter_table("experiment_cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_experiment_cases_project_id"), ["project_id"], unique=False)

    op.create_table(
        "experiment_results",
        sa.Column("experiment_id", sa.String(length=36), nullable=False),
        sa.Column("fingerprint", sa.String(length=80), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_experiment_results_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_experiment_results_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_results")),
        sa.UniqueConstraint("experiment_id", name=op.f("uq_experiment_results_experiment_id")),
    )
    with op.batch_alter_table("experiment_results", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_experiment_results_project_id"), ["project_id"], unique=False)

    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_answers_experiment"))
        batch_op.create_index("ix_answers_status", ["experiment_id", "phase", "status"], unique=False)

    with op.batch_alter_table("dataset_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("experiments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("question_count", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True))
    length = {
        "sqlite": "json_array_length(config, '$.example_ids')",
        "postgresql": "jsonb_array_length(config -> 'example_ids')",
    }[op.get_context().dialect.name]
    op.execute(f"UPDATE experiments SET question_count = {length} WHERE {length} IS NOT NULL")


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("experiments", schema=None) as batch_op:
        batch_op.drop_column("measured_at")
        batch_op.drop_column("question_count")

    with op.batch_alter_table("dataset_versions", schema=None) as batch_op:
        batch_op.drop_column("judged_at")

    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.drop_index("ix_answers_status")
        batch_op.create_index(
            batch_op.f("ix_answers_experiment"), ["experiment_id", "phase", "approach_id"], unique=False
        )

    with op.batch_alter_table("experiment_results", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_experiment_results_project_id"))

    op.drop_table("experiment_results")
    with op.batch_alter_table("experiment_cases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_experiment_cases_project_id"))

    op.drop_table("experiment_cases")
