"""questions are drafted; written by ``python -m core.store.revise``."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LARGE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "draftings",
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("config", JSON, nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_draftings_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draftings")),
    )
    with op.batch_alter_table("draftings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draftings_job_id"), ["job_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_draftings_project_id"), ["project_id"], unique=False)

    op.create_table(
        "draft_calls",
        sa.Column("drafting_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=36), nullable=True),
        sa.Column("source", JSON, nullable=False),
        sa.Column("unreadable", sa.Boolean(), nullable=False),
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
            ["drafting_id"], ["draftings.id"], name=op.f("fk_draft_calls_drafting_id_draftings"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_draft_calls_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_calls")),
        sa.UniqueConstraint("drafting_id", "position", name=op.f("uq_draft_calls_drafting_id_position")),
    )
    with op.batch_alter_table("draft_calls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_calls_document_id"), ["document_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_calls_project_id"), ["project_id"], unique=False)

    op.create_table(
        "drafts",
        sa.Column("call_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("drafted", JSON, nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("quote", sa.String(), nullable=False),
        sa.Column("doubts", JSON, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("version_id", sa.String(length=36), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["draft_calls.id"], name=op.f("fk_drafts_call_id_draft_calls"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_drafts_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
    )
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_drafts_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_drafts_project_id"), ["project_id"], unique=False)
        batch_op.create_index("ix_drafts_state", ["project_id", "state"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.drop_index("ix_drafts_state")
        batch_op.drop_index(batch_op.f("ix_drafts_project_id"))
        batch_op.drop_index(batch_op.f("ix_drafts_call_id"))

    op.drop_table("drafts")
    with op.batch_alter_table("draft_calls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_draft_calls_project_id"))
        batch_op.drop_index(batch_op.f("ix_draft_calls_document_id"))

    op.drop_table("draft_calls")
    with op.batch_alter_table("draftings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_draftings_project_id"))
        batch_op.drop_index(batch_op.f("ix_draftings_job_id"))

    op.drop_table("draftings")
