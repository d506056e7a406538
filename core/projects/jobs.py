"""What the job runner calls for a comparison."""

from __future__ import annotations

from typing import Any

from core.jobs import JobContext
from core.projects.comparison import run

__all__ = ["run_comparison"]


def run_comparison(ctx: JobContext) -> dict[str, Any]:
    """Run or resume a whole comparison; see `core.projects.comparison`."""
    return run(ctx)
