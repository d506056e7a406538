"""The first schema; written by ``python -m core.store.revise``."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LARGE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "base_models",
        sa.Column("ref", sa.String(length=300), nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_base_models")),
        sa.UniqueConstraint("ref", "hash", name=op.f("uq_base_models_ref_hash")),
    )
    op.create_table(
        "price_books",
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("entries", JSON, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_books")),
        sa.UniqueConstraint("version", name=op.f("uq_price_books_version")),
    )
    op.create_table(
        "projects",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("sample", sa.String(length=60), nullable=True),
        sa.Column("base_ref", sa.String(length=300), nullable=False),
        sa.Column("instructions", sa.String(), nullable=False),
        sa.Column("house_rules", sa.String(), nullable=False),
        sa.Column("primary_metric", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_table(
        "adapters",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("training_run_id", sa.String(length=36), nullable=True),
        sa.Column("base_ref", sa.String(length=300), nullable=False),
        sa.Column("base_hash", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("row_style", sa.String(length=20), nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("size", LARGE, nullable=False),
        sa.Column("mixable", sa.Boolean(), nullable=False),
        sa.Column("lossless", sa.Boolean(), nullable=True),
        sa.Column("licence", sa.String(length=120), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_adapters_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adapters")),
    )
    op.create_index(op.f("ix_adapters_project_id"), "adapters", ["project_id"], unique=False)
    op.create_index(op.f("ix_adapters_training_run_id"), "adapters", ["training_run_id"], unique=False)
    op.create_table(
        "approaches",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("preset", sa.String(length=30), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("spec", JSON, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_approaches_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approaches")),
    )
    op.create_index(op.f("ix_approaches_project_id"), "approaches", ["project_id"], unique=False)
    op.create_table(
        "datasets",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_datasets_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
    )
    op.create_index(op.f("ix_datasets_project_id"), "datasets", ["project_id"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("experiment_id", sa.String(length=36), nullable=False),
        sa.Column("inputs", JSON, nullable=False),
        sa.Column("verdict", JSON, nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_decisions_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_experiment_id"), "decisions", ["experiment_id"], unique=False)
    op.create_index(op.f("ix_decisions_project_id"), "decisions", ["project_id"], unique=False)
    op.create_table(
        "experiments",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("dataset_version_id", sa.String(length=36), nullable=False),
        sa.Column("split", sa.String(length=12), nullable=False),
        sa.Column("config", JSON, nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provenance", JSON, nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_experiments_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
    )
    op.create_index(op.f("ix_experiments_job_id"), "experiments", ["job_id"], unique=False)
    op.create_index(op.f("ix_experiments_project_id"), "experiments", ["project_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("project_id", sa.String(length=36), nullable=True),
        sa.Column("home_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("slot", sa.String(length=10), nullable=False),
        sa.Column("slots", JSON, nullable=False),
        sa.Column("launcher", JSON, nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("reason", JSON, nullable=True),
        sa.Column("position", sa.Double(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("launches", sa.Integer(), nullable=False),
        sa.Column("launch_token", sa.String(length=36), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimer", JSON, nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("process_start", sa.Double(), nullable=True),
        sa.Column("pgid", sa.Integer(), nullable=True),
        sa.Column("worker_host", sa.String(length=255), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("elapsed_seconds", sa.Double(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("signal", sa.Integer(), nullable=True),
        sa.Column("stop_requested", sa.String(length=10), nullable=True),
        sa.Column("stop_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_requested_by", sa.String(length=200), nullable=True),
        sa.Column("stop_state", sa.String(length=12), nullable=True),
        sa.Column("stop_step", sa.String(length=12), nullable=True),
        sa.Column("error", JSON, nullable=True),
        sa.Column("result", JSON, nullable=True),
        sa.Column("disk_bytes", LARGE, nullable=True),
        sa.Column("needs_secret", sa.String(length=400), nullable=True),
        sa.Column("group_key", sa.String(length=60), nullable=True),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("step_key", sa.String(length=120), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_jobs_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_group_key"), "jobs", ["group_key"], unique=False)
    op.create_index(op.f("ix_jobs_parent_id"), "jobs", ["parent_id"], unique=False)
    op.create_index(op.f("ix_jobs_project_id"), "jobs", ["project_id"], unique=False)
    op.create_index("ix_jobs_queue", "jobs", ["status", "home_id", "position"], unique=False)
    op.create_table(
        "knowledge_bases",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_knowledge_bases_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_bases")),
    )
    op.create_index(op.f("ix_knowledge_bases_project_id"), "knowledge_bases", ["project_id"], unique=False)
    op.create_table(
        "training_runs",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("dataset_version_id", sa.String(length=36), nullable=False),
        sa.Column("index_version_id", sa.String(length=36), nullable=True),
        sa.Column("base_ref", sa.String(length=300), nullable=False),
        sa.Column("method", sa.String(length=30), nullable=False),
        sa.Column("row_style", sa.String(length=20), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("config", JSON, nullable=False),
        sa.Column("preflight", JSON, nullable=False),
        sa.Column("result", JSON, nullable=False),
        sa.Column("adapter_id", sa.String(length=36), nullable=True),
        sa.Column("group_key", sa.String(length=60), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_training_runs_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_runs")),
    )
    op.create_index(op.f("ix_training_runs_group_key"), "training_runs", ["group_key"], unique=False)
    op.create_index(op.f("ix_training_runs_job_id"), "training_runs", ["job_id"], unique=False)
    op.create_index(op.f("ix_training_runs_project_id"), "training_runs", ["project_id"], unique=False)
    op.create_table(
        "votes",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("voter", sa.String(length=200), nullable=False),
        sa.Column("pair_key", sa.String(length=80), nullable=False),
        sa.Column("left_answer_id", sa.String(length=36), nullable=False),
        sa.Column("right_answer_id", sa.String(length=36), nullable=True),
        sa.Column("value", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_votes_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_votes")),
        sa.UniqueConstraint(
            "project_id", "voter", "pair_key", "kind", name=op.f("uq_votes_project_id_voter_pair_key_kind")
        ),
    )
    op.create_index(op.f("ix_votes_left_answer_id"), "votes", ["left_answer_id"], unique=False)
    op.create_index(op.f("ix_votes_pair_key"), "votes", ["pair_key"], unique=False)
    op.create_index(op.f("ix_votes_project_id"), "votes", ["project_id"], unique=False)
    op.create_index(op.f("ix_votes_right_answer_id"), "votes", ["right_answer_id"], unique=False)
    op.create_table(
        "answers",
        sa.Column("experiment_id", sa.String(length=36), nullable=True),
        sa.Column("compare_id", sa.String(length=36), nullable=True),
        sa.Column("example_id", sa.String(length=36), nullable=True),
        sa.Column("approach_id", sa.String(length=36), nullable=False),
        sa.Column("approach_hash", sa.String(length=80), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("repetition", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("messages", JSON, nullable=False),
        sa.Column("template_hash", sa.String(length=80), nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("model_hash", sa.String(length=80), nullable=False),
        sa.Column("index_version_id", sa.String(length=36), nullable=True),
        sa.Column("chunks", JSON, nullable=False),
        sa.Column("decoding", JSON, nullable=False),
        sa.Column("seed", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("reasoning", sa.String(), nullable=False),
        sa.Column("finish_reason", sa.String(length=30), nullable=True),
        sa.Column("error", JSON, nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("cached_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=True),
        sa.Column("context_tokens", sa.Integer(), nullable=True),
        sa.Column("token_source", JSON, nullable=False),
        sa.Column("spans", JSON, nullable=False),
        sa.Column("first_token_seconds", sa.Double(), nullable=True),
        sa.Column("total_seconds", sa.Double(), nullable=True),
        sa.Column("serving", JSON, nullable=False),
        sa.Column("cost", sa.String(length=40), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("cost_basis", sa.String(length=10), nullable=True),
        sa.Column("price_version", sa.String(length=80), nullable=True),
        sa.Column("device_seconds", sa.Double(), nullable=True),
        sa.Column("notes", JSON, nullable=False),
        sa.Column("owner", JSON, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_answers_experiment_id_experiments"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_answers_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sa.UniqueConstraint(
            "experiment_id",
            "phase",
            "approach_id",
            "example_id",
            "repetition",
            name=op.f("uq_answers_experiment_id_phase_approach_id_example_id_repetition"),
        ),
    )
    op.create_index(op.f("ix_answers_approach_id"), "answers", ["approach_id"], unique=False)
    op.create_index("ix_answers_compare", "answers", ["compare_id"], unique=False)
    op.create_index(op.f("ix_answers_example_id"), "answers", ["example_id"], unique=False)
    op.create_index("ix_answers_experiment", "answers", ["experiment_id", "phase", "approach_id"], unique=False)
    op.create_index(op.f("ix_answers_project_id"), "answers", ["project_id"], unique=False)
    op.create_table(
        "dataset_versions",
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("lineage", JSON, nullable=False),
        sa.Column("checks", JSON, nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_dataset_versions_dataset_id_datasets"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_dataset_versions_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_versions")),
        sa.UniqueConstraint("dataset_id", "hash", name=op.f("uq_dataset_versions_dataset_id_hash")),
    )
    op.create_index(op.f("ix_dataset_versions_dataset_id"), "dataset_versions", ["dataset_id"], unique=False)
    op.create_index(op.f("ix_dataset_versions_project_id"), "dataset_versions", ["project_id"], unique=False)
    op.create_table(
        "documents",
        sa.Column("knowledge_base_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("pages", JSON, nullable=False),
        sa.Column("notes", JSON, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["knowledge_base_id"],
            ["knowledge_bases.id"],
            name=op.f("fk_documents_knowledge_base_id_knowledge_bases"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_documents_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
    )
    op.create_index("ix_documents_kb_name", "documents", ["knowledge_base_id", "name", "version"], unique=False)
    op.create_index(op.f("ix_documents_project_id"), "documents", ["project_id"], unique=False)
    op.create_table(
        "index_versions",
        sa.Column("knowledge_base_id", sa.String(length=36), nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("table_name", sa.String(length=120), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("builder", JSON, nullable=False),
        sa.Column("config", JSON, nullable=False),
        sa.Column("embedder", sa.String(length=200), nullable=True),
        sa.Column("document_hashes", JSON, nullable=False),
        sa.Column("chunk_count", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["knowledge_base_id"],
            ["knowledge_bases.id"],
            name=op.f("fk_index_versions_knowledge_base_id_knowledge_bases"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_index_versions_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_versions")),
    )
    op.create_index(op.f("ix_index_versions_knowledge_base_id"), "index_versions", ["knowledge_base_id"], unique=False)
    op.create_index(op.f("ix_index_versions_project_id"), "index_versions", ["project_id"], unique=False)
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
    op.create_index(op.f("ix_judgings_experiment_id"), "judgings", ["experiment_id"], unique=False)
    op.create_index(op.f("ix_judgings_job_id"), "judgings", ["job_id"], unique=False)
    op.create_index(op.f("ix_judgings_project_id"), "judgings", ["project_id"], unique=False)
    op.create_table(
        "examples",
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("split", sa.String(length=12), nullable=False),
        sa.Column("slice", sa.String(length=60), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("expects", JSON, nullable=False),
        sa.Column("gold", JSON, nullable=False),
        sa.Column("messages", JSON, nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("coverage", sa.String(length=20), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_examples_project_id_projects"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["dataset_versions.id"],
            name=op.f("fk_examples_version_id_dataset_versions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examples")),
    )
    op.create_index(op.f("ix_examples_project_id"), "examples", ["project_id"], unique=False)
    op.create_index("ix_examples_version_position", "examples", ["version_id", "position"], unique=False)
    op.create_index("ix_examples_version_split", "examples", ["version_id", "split", "position"], unique=False)
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
            "judging_id",
            "kind",
            "answer_id",
            "other_answer_id",
            "swapped",
            "part",
            name=op.f("uq_judgements_judging_id_kind_answer_id_other_answer_id_swapped_part"),
        ),
    )
    op.create_index(op.f("ix_judgements_answer_id"), "judgements", ["answer_id"], unique=False)
    op.create_index(op.f("ix_judgements_project_id"), "judgements", ["project_id"], unique=False)
    op.create_index("ix_judgements_status", "judgements", ["judging_id", "status"], unique=False)
    op.create_table(
        "scores",
        sa.Column("answer_id", sa.String(length=36), nullable=False),
        sa.Column("metric", sa.String(length=60), nullable=False),
        sa.Column("metric_version", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("reason", JSON, nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name=op.f("fk_scores_answer_id_answers"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_scores_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scores")),
        sa.UniqueConstraint(
            "answer_id", "metric", "metric_version", name=op.f("uq_scores_answer_id_metric_metric_version")
        ),
    )
    op.create_index(op.f("ix_scores_answer_id"), "scores", ["answer_id"], unique=False)
    op.create_index(op.f("ix_scores_project_id"), "scores", ["project_id"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f("ix_scores_project_id"), table_name="scores")
    op.drop_index(op.f("ix_scores_answer_id"), table_name="scores")
    op.drop_table("scores")
    op.drop_index("ix_judgements_status", table_name="judgements")
    op.drop_index(op.f("ix_judgements_project_id"), table_name="judgements")
    op.drop_index(op.f("ix_judgements_answer_id"), table_name="judgements")
    op.drop_table("judgements")
    op.drop_index("ix_examples_version_split", table_name="examples")
    op.drop_index("ix_examples_version_position", table_name="examples")
    op.drop_index(op.f("ix_examples_project_id"), table_name="examples")
    op.drop_table("examples")
    op.drop_index(op.f("ix_judgings_project_id"), table_name="judgings")
    op.drop_index(op.f("ix_judgings_job_id"), table_name="judgings")
    op.drop_index(op.f("ix_judgings_experiment_id"), table_name="judgings")
    op.drop_table("judgings")
    op.drop_index(op.f("ix_index_versions_project_id"), table_name="index_versions")
    op.drop_index(op.f("ix_index_versions_knowledge_base_id"), table_name="index_versions")
    op.drop_table("index_versions")
    op.drop_index(op.f("ix_documents_project_id"), table_name="documents")
    op.drop_index("ix_documents_kb_name", table_name="documents")
    op.drop_table("documents")
    op.drop_index(op.f("ix_dataset_versions_project_id"), table_name="dataset_versions")
    op.drop_index(op.f("ix_dataset_versions_dataset_id"), table_name="dataset_versions")
    op.drop_table("dataset_versions")
    op.drop_index(op.f("ix_answers_project_id"), table_name="answers")
    op.drop_index("ix_answers_experiment", table_name="answers")
    op.drop_index(op.f("ix_answers_example_id"), table_name="answers")
    op.drop_index("ix_answers_compare", table_name="answers")
    op.drop_index(op.f("ix_answers_approach_id"), table_name="answers")
    op.drop_table("answers")
    op.drop_index(op.f("ix_votes_right_answer_id"), table_name="votes")
    op.drop_index(op.f("ix_votes_project_id"), table_name="votes")
    op.drop_index(op.f("ix_votes_pair_key"), table_name="votes")
    op.drop_index(op.f("ix_votes_left_answer_id"), table_name="votes")
    op.drop_table("votes")
    op.drop_index(op.f("ix_training_runs_project_id"), table_name="training_runs")
    op.drop_index(op.f("ix_training_runs_job_id"), table_name="training_runs")
    op.drop_index(op.f("ix_training_runs_group_key"), table_name="training_runs")
    op.drop_table("training_runs")
    op.drop_index(op.f("ix_knowledge_bases_project_id"), table_name="knowledge_bases")
    op.drop_table("knowledge_bases")
    op.drop_index("ix_jobs_queue", table_name="jobs")
    op.drop_index(op.f("ix_jobs_project_id"), table_name="jobs")
    op.drop_index(op.f("ix_jobs_parent_id"), table_name="jobs")
    op.drop_index(op.f("ix_jobs_group_key"), table_name="jobs")
    op.drop_table("jobs")
    op.drop_index(op.f("ix_experiments_project_id"), table_name="experiments")
    op.drop_index(op.f("ix_experiments_job_id"), table_name="experiments")
    op.drop_table("experiments")
    op.drop_index(op.f("ix_decisions_project_id"), table_name="decisions")
    op.drop_index(op.f("ix_decisions_experiment_id"), table_name="decisions")
    op.drop_table("decisions")
    op.drop_index(op.f("ix_datasets_project_id"), table_name="datasets")
    op.drop_table("datasets")
    op.drop_index(op.f("ix_approaches_project_id"), table_name="approaches")
    op.drop_table("approaches")
    op.drop_index(op.f("ix_adapters_training_run_id"), table_name="adapters")
    op.drop_index(op.f("ix_adapters_project_id"), table_name="adapters")
    op.drop_table("adapters")
    op.drop_table("projects")
    op.drop_table("price_books")
    op.drop_table("base_models")
