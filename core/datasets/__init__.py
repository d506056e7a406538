"""Datasets: read any usual format, refuse bad rows exactly, keep immutable versions, check, split, export."""

from core.datasets.checks import Check, CheckInput, Documents, Finding, checks, repair, run_checks
from core.datasets.coverage import (
    COVERAGE,
    Coverage,
    Indexed,
    TrainingText,
    coverage,
    holds_value,
    stored_coverage,
    taught_answers,
    training_text,
)
from core.datasets.editing import edit_rows, version_difference
from core.datasets.exporting import EXPORT_FORMATS, export_rows, export_skips, export_text
from core.datasets.hub import import_hub_dataset
from core.datasets.importing import Preview, first_rows, import_file, import_files, preview, sheets_of
from core.datasets.jobs import (
    check_version,
    remove_upload,
    repair_version,
    start_check,
    start_import,
    start_repair,
)
from core.datasets.licences import LICENCES, kept_licence, licence_of, set_licence
from core.datasets.passages import Passage
from core.datasets.profile import LANGUAGES_SEEN, PARTS, Profile
from core.datasets.readers import readers
from core.datasets.rows import REJECTED, SPLITS, Problem, Row, rejected_answer
from core.datasets.shapes import SHAPES
from core.datasets.similarity import near_pairs, plain_key
from core.datasets.splitting import SplitBy, SplitConfig, make_splits
from core.datasets.versions import (
    count_examples,
    count_pairs,
    count_profile,
    dataset_versions,
    datasets,
    delete_dataset,
    drawn_examples,
    example,
    examples,
    latest_version,
    profile_of,
    project_versions,
    rows_of,
    tag_columns,
    version,
)

__all__ = [
    "COVERAGE",
    "EXPORT_FORMATS",
    "LICENCES",
    "LANGUAGES_SEEN",
    "PARTS",
    "REJECTED",
    "SHAPES",
    "SPLITS",
    "Check",
    "CheckInput",
    "Coverage",
    "Documents",
    "Finding",
    "Indexed",
    "Passage",
    "Preview",
    "Problem",
    "Profile",
    "Row",
    "SplitBy",
    "SplitConfig",
    "TrainingText",
    "check_version",
    "checks",
    "count_examples",
    "count_pairs",
    "count_profile",
    "coverage",
    "dataset_versions",
    "datasets",
    "delete_dataset",
    "drawn_examples",
    "edit_rows",
    "example",
    "examples",
    "export_rows",
    "export_skips",
    "export_text",
    "holds_value",
    "first_rows",
    "import_file",
    "import_files",
    "import_hub_dataset",
    "kept_licence",
    "latest_version",
    "licence_of",
    "make_splits",
    "near_pairs",
    "plain_key",
    "preview",
    "profile_of",
    "project_versions",
    "readers",
    "rejected_answer",
    "remove_upload",
    "repair",
    "repair_version",
    "rows_of",
    "run_checks",
    "set_licence",
    "sheets_of",
    "start_check",
    "start_import",
    "start_repair",
    "stored_coverage",
    "taught_answers",
    "tag_columns",
    "training_text",
    "version",
    "version_difference",
]
