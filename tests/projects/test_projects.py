"""A project is made, found, changed and deleted with all that is its own; samples come once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

import tests.jobs.targets  # noqa: F401  # registers small job kinds
from core.datasets import examples, latest_version, start_import
from core.errors import KurabeError
from core.i18n import describe
from core.jobs import cancel, list_jobs, submit, wait
from core.knowledge import add_document, default_kb, documents, latest_index, search
from core.knowledge.documents import original_path
from core.projects import (
    SAMPLES,
    create_project,
    delete_project,
    ensure_samples,
    get_project,
    load_sample,
    projects,
    rename_project,
    update_project,
)
from core.settings import DATA, settings
from core.store import read
from core.store import tables as tb
from tests.approaches.world import make_project


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_a_project_needs_a_name_of_reasonable_length(name: str) -> None:
    with pytest.raises(KurabeError, match="project.name"):
        create_project(name, "en")
    assert projects() == []


def test_a_language_or_currency_that_kurabe_does_not_work_in_is_refused_with_those_it_does() -> None:
    with pytest.raises(KurabeError, match="project.language") as language:
        create_project("Shop", "fr")
    with pytest.raises(KurabeError, match="project.currency") as currency:
        create_project("Shop", "en", currency="EUR")
    assert "en, ja" in describe(language.value, "en")[1] and "USD, JPY" in describe(currency.value, "ja")[1]


def test_a_project_is_found_by_id_or_name_and_an_unknown_one_is_answered_with_those_there_are() -> None:
    made = create_project("  Help \n desk ", "ja")
    assert made.name == "Help desk"
    assert get_project(made.id).id == get_project("Help desk").id == made.id
    with pytest.raises(KurabeError, match="project.unknown") as caught:
        get_project("Helpdesk")
    assert "Help desk" in caught.value.params["known"]


def test_two_projects_of_one_name_are_never_mistaken_for_each_other() -> None:
    made = [create_project("Shop", "en") for _ in range(2)]
    with pytest.raises(KurabeError, match="project.ambiguous") as caught:
        get_project("Shop")
    assert all(project.id in describe(caught.value, "en")[1] for project in made)


def test_a_project_gets_the_teams_default_base_and_currency(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.settings import reset_settings

    monkeypatch.setenv("KURABE_CURRENCY", "JPY")
    monkeypatch.setenv("KURABE_BASE_MODEL", "llm-jp/llm-jp-3-1.8b-instruct3")
    reset_settings()
    made = create_project("Shop", "en")
    assert (made.currency, made.base_ref) == ("JPY", "llm-jp/llm-jp-3-1.8b-instruct3")


def test_renaming_and_changing_say_what_is_wrong() -> None:
    made = create_project("Shop", "en")
    rename_project(made.id, "Store")
    assert get_project("Store").id == made.id
    with pytest.raises(KurabeError, match="project.name"):
        rename_project(made.id, " ")
    for change in (lambda: rename_project("gone", "x"), lambda: update_project("gone", description="x")):
        with pytest.raises(KurabeError, match="store.missing"):
            change()
    with pytest.raises(KurabeError, match="project.currency"):
        update_project(made.id, currency="yen")
    with pytest.raises(ValueError, match="language"):
        update_project(made.id, language="ja")
    assert update_project(made.id, house_rules="Be brief.").house_rules == "Be brief."


def test_deleting_a_project_deletes_its_documents_index_and_run_folders_and_leaves_others_alone() -> None:
    gone, kept = make_project(), make_project(index=False)
    own = add_document(default_kb(gone.id).id, "secret.md", b"# Secret\n\nOnly in this project.\n")
    shared = documents(default_kb(kept.id).id)[0]
    index = latest_index(default_kb(gone.id).id)
    job = submit("t-echo", {}, project_id=gone.id)
    assert wait(job, timeout=120).status == "succeeded"
    folder = settings().path("jobs") / job
    assert folder.exists() and index is not None and search(index.id, "warranty").hits

    delete_project(gone.id)

    assert [project.id for project in projects()] == [kept.id]
    assert not original_path(own.hash).exists(), "its text is gone from the disk too"
    assert original_path(shared.hash).exists(), "the same document of another project is still there"
    assert not folder.exists()
    assert not any(index.table_name in path.name for path in Path(settings().index()).rglob("*"))
    with read() as session:
        assert session.scalar(sa.select(sa.func.count(tb.Document.id)).where(tb.Document.project_id == gone.id)) == 0


def test_a_project_whose_jobs_run_is_not_deleted_under_them() -> None:
    made = create_project("Shop", "en")
    job = submit("t-count-cpu", {"n": 10_000}, project_id=made.id)
    with pytest.raises(KurabeError, match="project.busy"):
        delete_project(made.id)
    cancel(job)
    wait(job, timeout=120)
    delete_project(made.id)
    assert projects() == []
    with pytest.raises(KurabeError, match="store.missing"):
        delete_project(made.id)


def test_an_upload_that_nobody_took_up_again_goes_with_its_project() -> None:
    made = create_project("Shop", "en")
    start_import(made.id, b"question,answer\nq,a\n", "rows.txt", options={})  # no reader reads it
    [job] = list_jobs(made.id, ["import"])
    wait(job.id, timeout=120)
    left = settings().path("uploads") / job.payload["upload"] / "upload"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"q")  # as after an import that was killed
    delete_project(made.id)
    assert not left.parent.exists()


# ── samples ──


def test_the_samples_load_once_and_hold_what_their_files_hold() -> None:
    first, second = ensure_samples(), ensure_samples()
    assert [p.id for p in first] == [p.id for p in second] and {p.sample for p in first} == set(SAMPLES.values())
    for project in first:
        folder = DATA / "samples" / str(project.sample)
        version = latest_version(project.id)
        assert version is not None
        written = sum(
            len((folder / f"{split}.jsonl").read_text().splitlines()) for split in ("train", "validation", "test")
        )
        assert version.row_count == written
        assert len(documents(default_kb(project.id).id)) == len(list((folder / "documents").iterdir()))
        facts = json.loads((folder / "project.json").read_text(encoding="utf-8"))
        assert (project.name, project.language, project.house_rules) == (
            facts["name"], facts["language"], facts["house_rules"],
        )  # fmt: skip

    delete_project(first[0].id)
    assert [p.id for p in ensure_samples()] == [first[1].id], "a sample that somebody deleted does not come back"


def test_a_sample_that_was_loaded_halfway_is_finished_and_not_doubled() -> None:
    facts = json.loads((DATA / "samples" / SAMPLES["en"] / "project.json").read_text(encoding="utf-8"))
    begun = create_project(facts["name"], "en", sample=SAMPLES["en"])
    loaded = load_sample("en")
    assert loaded.id == begun.id and len(projects()) == 1
    version = latest_version(loaded.id)
    assert version is not None and examples(version.id, split="test", limit=1)


def test_an_unknown_sample_is_answered_with_those_there_are() -> None:
    with pytest.raises(KurabeError, match="project.sample") as caught:
        load_sample("aoba-fr")
    assert "aoba-en" in caught.value.params["known"]
