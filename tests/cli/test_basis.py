"""What a training rests on, and the licence of its data, by command."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import datasets, knowledge
from core.datasets import latest_version
from core.knowledge import default_kb, latest_index
from tests.approaches.world import make_project
from tests.cli.running import done, run, told


def test_base_data_and_index_are_chosen_by_the_beginning_of_their_ids(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)  # they need not really train here
    project = make_project()
    base = default_kb(project.id)
    first, first_index = latest_version(project.id), latest_index(base.id)
    assert first is not None and first_index is not None
    datasets.edit_rows(first.id, drop=[0])
    knowledge.add_document(base.id, "More.md", b"# More\n\nThe Amber Kettle is blue.\n")
    knowledge.build_index(base.id, knowledge.IndexConfig(embedder="none"))
    start = ("train", "start", "--project", "Shop", "--detach", "--base", "starter", "--data", first.id)
    start += ("--anyway",)  # so few rows are risky
    made = told(*start, "--rows", "raft", "--index", first_index.id[-8:])
    assert made["dataset_version_id"] == first.id
    assert made["config"]["index_version_id"] == first_index.id
    assert run(*start, "--index", first_index.id).exit_code == 2, "plain rows carry no passages"
    missing = run("train", "start", "--project", "Shop", "--rows", "raft", "--index", "nowhere")
    assert missing.exit_code == 1 and "store.missing" in missing.stderr
    unknown = run("train", "start", "--project", "Shop", "--base", "no such model")
    assert unknown.exit_code == 1 and "models.unknown" in unknown.stderr


def test_a_licence_is_given_at_import_told_and_changed(home: Path, tmp_path: Path) -> None:
    done("project", "create", "Shop")
    file = tmp_path / "rows.jsonl"
    file.write_text('{"question": "Q?", "answer": "A."}\n')
    [made] = told("dataset", "import", "-p", "Shop", file, "--licence", "MIT")
    assert made["lineage"]["licence"] == "MIT"
    assert told("dataset", "licence", "-p", "Shop") == {"version": made["id"], "licence": "MIT"}
    assert told("dataset", "licence", "-p", "Shop", "CC0-1.0")["licence"] == "CC0-1.0"
    assert "CC0-1.0" in done("dataset", "licence", "-p", "Shop").stdout
