"""Fault tests use the same small jobs and trainings, and the same check for orphans as the tests of the runner."""

from tests.jobs.conftest import nothing_left_behind
from tests.training.conftest import known

__all__ = ["known", "nothing_left_behind"]
