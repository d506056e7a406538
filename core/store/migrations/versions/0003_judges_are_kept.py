"""judges are kept; written by ``python -m core.store.revise``."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LARGE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "judgings",
        sa.Column("experiment_id", sa.String(length=36), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("config", JSON, nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_judgings_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_judgings_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgings")),
    )
    with op.batch_alter_table("judgings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_judgings_experiment_id"), ["experiment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_judgings_job_id"), ["job_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_judgings_project_id"), ["project_id"], unique=False)

    op.create_table(
        "judgements",
        sa.Column("judging_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("example_id", sa.String(length=36), nullable=False),
        sa.Column("answer_id", sa.String(length=36), nullable=False),
        sa.Column("other_answer_id", sa.String(length=36), nullable=False),
        sa.Column("swapped", sa.Boolean(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
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
            ["answer_id"], ["answers.id"], name=op.f("fk_judgements_answer_id_answers"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["judging_id"], ["judgings.id"], name=op.f("fk_judgements_judging_id_judgings"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_judgements_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgements")),
        sa.UniqueConstraint(
            "judging_id", "kind", "answer_id", "other_answer_id", "swapped", "part", name="uq_judgements_call"
        ),
    )
    with op.batch_alter_table("judgements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_judgements_answer_id"), ["answer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_judgements_project_id"), ["project_id"], unique=False)
        batch_op.create_index("ix_judgements_status", ["judging_id", "status"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("judgements", schema=None) as batch_op:
        batch_op.drop_index("ix_judgements_status")
        batch_op.drop_index(batch_op.f("ix_judgements_project_id"))
        batch_op.drop_index(batch_op.f("ix_judgements_answer_id"))

    op.drop_table("judgements")
    with op.batch_alter_table("judgings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_judgings_project_id"))
        batch_op.drop_index(batch_op.f("ix_judgings_job_id"))
        batch_op.drop_index(batch_op.f("ix_judgings_experiment_id"))

    op.drop_table("judgings")
