"""Datasets: read any usual format, refuse bad rows exactly, keep immutable versions, check, split, export."""

from core.datasets.checks import Check, CheckInput, Finding, checks, repair, run_checks
from core.datasets.coverage import COVERAGE, Coverage, coverage, stored_coverage
from core.datasets.editing import edit_rows, version_difference
from core.datasets.exporting import EXPORT_FORMATS, export_rows, export_text
from core.datasets.importing import Preview, import_file, import_files, preview
from core.datasets.readers import readers
from core.datasets.rows import SPLITS, Problem, Row
from core.datasets.shapes import SHAPES
from core.datasets.similarity import near_pairs, plain_key
from core.datasets.splitting import SplitConfig, make_splits
from core.datasets.versions import (
    count_examples,
    dataset_versions,
    datasets,
    delete_dataset,
    example,
    examples,
    latest_version,
    rows_of,
    version,
)

__all__ = [
    "COVERAGE",
    "EXPORT_FORMATS",
    "SHAPES",
    "SPLITS",
    "Check",
    "CheckInput",
    "Coverage",
    "Finding",
    "Preview",
    "Problem",
    "Row",
    "SplitConfig",
    "checks",
    "count_examples",
    "coverage",
    "dataset_versions",
    "datasets",
    "delete_dataset",
    "edit_rows",
    "example",
    "examples",
    "export_rows",
    "export_text",
    "import_file",
    "import_files",
    "latest_version",
    "make_splits",
    "near_pairs",
    "plain_key",
    "preview",
    "readers",
    "repair",
    "rows_of",
    "run_checks",
    "stored_coverage",
    "version",
    "version_difference",
]
