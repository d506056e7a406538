"""Every test gets a home of its own, and nothing reaches a network."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.approaches.serving import adapter_id, host, served

__all__ = ["adapter_id", "host", "served"]

STORE = "kurabe.sqlite"

_numbers = itertools.count()
"""Of homes; pytest finds a free number by looking through all folders of the run, for thousands of tests."""

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("LANG", "C.UTF-8")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as jobs and the host set it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the trainings: their files are few and long, and at the end one processor would wait for them."""
    items.sort(key=lambda item: "tests/training/" not in item.nodeid)


def pytest_collection_finish() -> None:
    """Leave what was imported out of garbage collections.

    Each would look through its millions of objects for a second, and statsmodels asks for one at every adjustment.
    """
    gc.freeze()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store without content, to copy: migrating anew takes 0.08 s, for thousands of tests."""
    from core.settings import reset_settings
    from core.store import migrate, reset_engine

    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("KURABE_")]:
            patch.delenv(name)
        patch.setenv("KURABE_HOME", str(folder))
        reset_settings()
        reset_engine()
        migrate()
        reset_engine()  # closes the store: everything is in its one file
    reset_settings()
    return folder / STORE


@pytest.fixture(autouse=True)
def home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, empty_store: Path
) -> Iterator[Path]:
    """Give the test an empty home with a migrated store; processes it starts inherit it."""
    from core.i18n import use_language
    from core.identity import as_actor
    from core.settings import reset_settings, settings
    from core.store import reset_engine

    use_language(None)  # a command of an earlier test may have chosen one
    as_actor(None)  # and a test may have named a person
    folder = tmp_path_factory.getbasetemp() / "homes" / f"{next(_numbers)}"
    folder.mkdir(parents=True)
    for name in [name for name in os.environ if name.startswith("KURABE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KURABE_HOME", str(folder))
    monkeypatch.setenv("KURABE_HUB_OFFLINE", "1")
    monkeypatch.setenv("KURABE_FREE_SPACE_FLOOR_MB", "1")
    reset_settings()
    reset_engine()
    shutil.copyfile(empty_store, folder / STORE)
    settings().path("run")  # as after migrating: what a test sets from here on is for the processes that it starts
    yield folder
    if (folder / "run" / "host.json").exists():
        _stop_host()
    reset_engine()
    reset_settings()


def _stop_host() -> None:
    """End a host that the test started in its home."""
    from core.models import stop_host

    stop_host()
