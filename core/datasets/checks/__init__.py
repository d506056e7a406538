"""Checks of a dataset, one file each: what they find is data, worded later in the reader's language."""

from core.datasets.checks._base import Check, CheckInput, Documents, Finding, checks, repair, run_checks

__all__ = ["Check", "CheckInput", "Documents", "Finding", "checks", "repair", "run_checks"]
