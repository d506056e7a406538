"""A project: made, listed, loaded from a sample, and compared as one call."""

from core.projects.comparison import ComparisonConfig, start_comparison_job
from core.projects.deletion import delete_project
from core.projects.records import (
    create_project,
    get_project,
    projects,
    rename_project,
    update_project,
)
from core.projects.samples import SAMPLES, ensure_samples, load_sample

__all__ = [
    "SAMPLES",
    "ComparisonConfig",
    "create_project",
    "delete_project",
    "ensure_samples",
    "get_project",
    "load_sample",
    "projects",
    "rename_project",
    "start_comparison_job",
    "update_project",
]
