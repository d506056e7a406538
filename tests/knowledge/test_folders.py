"""Documents taken in from the folder that an administrator allowed."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from core.errors import KurabeError
from core.knowledge import TakenIn, default_kb, documents, offered_folders, take_in_folder
from core.knowledge.archives import NAME_LIMIT, name_of_path
from core.settings import reset_settings
from core.store import tables as tb
from core.store import write


@pytest.fixture
def kb() -> str:
    """The knowledge base of a new project."""
    with write() as session:
        made = tb.Project(name="Shelf", language="ja")
        session.add(made)
    return default_kb(made.id).id


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of five files in three folders, named as the one that may be read."""
    place = tmp_path / "shelf"
    for name, text in {
        "a.md": "# A\n\none",
        "規程/旅費.md": "# 旅費\n\n日当は2,000円です。",
        "規程/old/b.txt": "two",
    }.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    (place / "plan.dwg").write_bytes(b"\0\1")
    (place / "broken.pdf").write_bytes(b"no PDF")
    (place / ".hidden.md").write_text("hidden")
    monkeypatch.setenv("KURABE_DOCUMENT_FOLDER", str(place))
    reset_settings()
    return place


def test_a_folder_brings_every_readable_file_below_it_and_names_the_others(kb: str, shelf: Path) -> None:
    seen: list[tuple[int, int]] = []
    taken = take_in_folder(kb, progress=lambda done, total: seen.append((done, total)))
    assert [row.name for row in documents(kb)] == ["a.md", "規程 - old - b.txt", "規程 - 旅費.md"]
    assert (taken.stored, taken.unchanged, taken.passed_over) == (3, 0, {".dwg": 1})
    assert [(error.code, error.params["name"]) for error in taken.failures] == [
        ("knowledge.broken_document", "broken.pdf")
    ]
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_taking_in_again_stores_only_what_changed(kb: str, shelf: Path) -> None:
    take_in_folder(kb)
    (shelf / "a.md").write_text("# A\n\nanother")
    taken = take_in_folder(kb)
    assert (taken.stored, taken.unchanged) == (1, 2)
    assert {row.name: row.version for row in documents(kb)}["a.md"] == 2


def test_a_part_of_the_folder_can_be_chosen_and_its_archives_are_unpacked(kb: str, shelf: Path) -> None:
    assert offered_folders() == [".", "規程", "規程/old"]
    with zipfile.ZipFile(shelf / "規程" / "more.zip", "w") as archive:
        archive.writestr("休暇.md", "# 休暇\n\n年20日です。")
    take_in_folder(kb, "規程")
    assert [row.name for row in documents(kb)] == ["規程 - more.zip - 休暇.md", "規程 - old - b.txt", "規程 - 旅費.md"]


def test_files_of_one_name_deep_in_different_folders_stay_different_documents(kb: str, shelf: Path) -> None:
    for year in ("2023", "2024"):
        (shelf / year / "hr" / "rules").mkdir(parents=True)
        (shelf / year / "hr" / "rules" / "leave.md").write_text(f"# Leave\n\nThe rules of {year}.")
    taken = take_in_folder(kb)
    names = {row.name for row in documents(kb)}
    assert {"2023 - hr - rules - leave.md", "2024 - hr - rules - leave.md"} <= names and taken.stored == 5


def test_archives_with_a_member_of_one_name_bring_a_document_each(kb: str, shelf: Path) -> None:
    for name in ("x.zip", "y.zip"):
        with zipfile.ZipFile(shelf / "規程" / "old" / name, "w") as archive:
            archive.writestr("a/b/c/d/leave.md", f"# Leave\n\nOf {name}.")
    take_in_folder(kb, "規程/old")
    members = [f"規程 - old - {name} - a - b - c - d - leave.md" for name in ("x.zip", "y.zip")]
    assert [row.name for row in documents(kb)] == ["規程 - old - b.txt", *members]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a", "b.md"], ["a - b.md"]),
        (["a", "b - c.md"], ["a - b", "c.md"]),
        (["a  b.md"], ["a b.md"]),
        (["x" * 200, "y" * 200, "z.md"], ["w" * 200, "y" * 200, "z.md"]),
        (["1" + "z" * 400 + ".md"], ["2" + "z" * 400 + ".md"]),
    ],
)
def test_different_paths_have_different_names_that_keep_their_ending(one: list[str], other: list[str]) -> None:
    names = {name_of_path(one), name_of_path(other)}
    assert len(names) == 2
    assert all(name.endswith(".md") and len(name) <= NAME_LIMIT for name in names)


def test_a_member_that_an_archive_holds_twice_is_counted_as_new_once_only(kb: str, shelf: Path) -> None:
    with zipfile.ZipFile(shelf / "規程" / "more.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for _ in range(2):
            archive.writestr("leave.md", "# Leave")
    taken = take_in_folder(kb, "規程")
    assert (taken.stored, taken.unchanged) == (3, 1)


def test_hidden_folders_are_not_read_and_links_are_not_offered(kb: str, shelf: Path) -> None:
    (shelf / ".git").mkdir()
    (shelf / ".git" / "secret.md").write_text("secret")
    os.symlink(shelf / ".git", shelf / "open")
    os.symlink(shelf / ".git" / "secret.md", shelf / "open.md")
    assert offered_folders() == [".", "規程", "規程/old"]
    for folder in (".git", "open"):
        with pytest.raises(KurabeError, match="knowledge.folder_closed"):
            take_in_folder(kb, folder)
    take_in_folder(kb)
    assert "open.md" not in {row.name for row in documents(kb)}


def test_a_link_put_in_place_of_a_file_after_the_listing_is_not_read(kb: str, shelf: Path) -> None:
    (shelf.parent / "secret.md").write_text("secret")

    def swap(done: int, total: int) -> None:
        (shelf / "a.md").unlink(missing_ok=True)
        if not (shelf / "a.md").is_symlink():
            os.symlink(shelf.parent / "secret.md", shelf / "a.md")

    taken = take_in_folder(kb, progress=swap)
    assert "knowledge.folder_closed" in [error.code for error in taken.failures]
    assert "a.md" not in {row.name for row in documents(kb)}


def test_of_many_failures_a_record_keeps_the_first_and_the_number() -> None:
    found = TakenIn(failures=[KurabeError("knowledge.encrypted", name=f"{n}.pdf") for n in range(500)]).as_record()
    assert (len(found["failures"]), found["failed"]) == (200, 500)


def test_a_full_disk_ends_the_taking_in_and_what_came_in_before_stays(
    kb: str, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fills_up(done: int, total: int) -> None:
        if done == 1:
            monkeypatch.setenv("KURABE_FREE_SPACE_FLOOR_MB", str(10**9))
            reset_settings()

    with pytest.raises(KurabeError, match="jobs.disk_floor"):
        take_in_folder(kb, progress=fills_up)
    assert [row.name for row in documents(kb)] == ["a.md"]


def test_stopping_keeps_what_came_in_until_then(kb: str, shelf: Path) -> None:
    asked = iter([False, True])
    taken = take_in_folder(kb, should_stop=lambda: next(asked))
    assert taken.stopped and [row.name for row in documents(kb)] == ["a.md"]


@pytest.mark.parametrize("folder", ["..", "/etc", "规程", "a.md", "規程/../../outside"])
def test_nothing_outside_the_folder_is_read(kb: str, shelf: Path, folder: str) -> None:
    (shelf.parent / "outside").mkdir()
    (shelf.parent / "outside" / "secret.md").write_text("secret")
    with pytest.raises(KurabeError, match="knowledge.folder_closed"):
        take_in_folder(kb, folder)


def test_links_that_lead_out_are_not_followed(kb: str, shelf: Path) -> None:
    outside = shelf.parent / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    os.symlink(outside / "secret.md", shelf / "link.md")
    os.symlink(outside, shelf / "linked")
    take_in_folder(kb)
    assert not [row.name for row in documents(kb) if "secret" in row.name or "link" in row.name]
    with pytest.raises(KurabeError, match="knowledge.folder_closed"):
        take_in_folder(kb, "linked")


def test_without_the_setting_no_folder_is_offered_or_read(kb: str) -> None:
    assert offered_folders() == []
    with pytest.raises(KurabeError, match="knowledge.folder_closed"):
        take_in_folder(kb)
