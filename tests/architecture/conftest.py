"""These tests read files; none needs a home."""

import pytest


@pytest.fixture(autouse=True)
def home() -> None:
    """Stand in for the home that every other test gets."""
