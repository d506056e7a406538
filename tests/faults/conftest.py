"""Fault tests use the same small jobs and the same check for orphans as the tests of the runner."""

from tests.jobs.conftest import nothing_left_behind

__all__ = ["nothing_left_behind"]
