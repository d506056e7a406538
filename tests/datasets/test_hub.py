"""Datasets of the hub: a folder that the library saved comes in whole, and where no hub is, that is said."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from datasets import Dataset, DatasetDict

from core import datasets
from core.datasets.hub import _hub_files, _require_room
from core.errors import KurabeError
from core.i18n import describe, use_language
from core.settings import reset_settings
from core.store import tables as tb
from core.store import write


@pytest.fixture
def project() -> str:
    with write() as session:
        made = tb.Project(name="Test", language="ja")
        session.add(made)
    return made.id


def squad(*pairs: tuple[str, str]) -> Dataset:
    return Dataset.from_list(
        [
            {"id": str(n), "question": asked, "context": f"{told}.", "answers": {"text": [told], "answer_start": [0]}}
            for n, (asked, told) in enumerate(pairs)
        ]
    )


def test_a_saved_folder_comes_in_with_all_its_splits(project: str, tmp_path: Path) -> None:
    parts = {
        "train": squad(("Who?", "Ann"), ("誰?", "葵")),
        "dev": squad(("What?", "Tea")),
        "extra": squad(("Why?", "So")),
    }
    DatasetDict(parts).save_to_disk(str(tmp_path / "squad"))
    made = datasets.import_hub_dataset(project, str(tmp_path / "squad"), split="test", folders=True)
    rows = [(row.split, row.question, row.answer) for row in datasets.examples(made.id)]
    assert rows == [
        ("train", "Who?", "Ann"),
        ("train", "誰?", "葵"),
        ("validation", "What?", "Tea"),
        ("test", "Why?", "So"),
    ]
    assert [file["shape"] for file in made.lineage["files"]] == ["squad"] * 3
    assert [row.name for row in datasets.datasets(project)] == ["squad"]


def test_one_table_is_one_split_and_bad_rows_are_listed(project: str, tmp_path: Path) -> None:
    Dataset.from_dict({"question": ["a", None], "answer": ["b", "c"]}).save_to_disk(str(tmp_path / "one"))
    with pytest.raises(KurabeError, match="rows_refused"):
        datasets.import_hub_dataset(project, str(tmp_path / "one"), folders=True)
    made = datasets.import_hub_dataset(project, str(tmp_path / "one"), folders=True, on_problem="leave_out")
    assert (made.row_count, made.lineage["files"][0]["left_out"][0]["row"]) == (1, 2)


def test_a_folder_is_never_taken_from_a_page(project: str, tmp_path: Path) -> None:
    Dataset.from_dict({"question": ["a"], "answer": ["b"]}).save_to_disk(str(tmp_path / "one"))
    for ref in (str(tmp_path / "one"), "core/datasets", "../etc", "a b"):
        with pytest.raises(KurabeError, match="hub_id"):
            datasets.import_hub_dataset(project, ref)


@pytest.mark.parametrize("folders", [False, True])
@pytest.mark.parametrize("ref", ["csv", "text", "json", "parquet", "imagefolder", "squad"])
def test_a_name_without_an_owner_is_no_id(project: str, ref: str, folders: bool) -> None:
    with pytest.raises(KurabeError, match="hub_id"):
        datasets.import_hub_dataset(project, ref, folders=folders)


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "file:///etc/passwd", "https://example.org/a.csv", "hf://datasets/another/one@main/a.csv"],
)
def test_a_dataset_whose_card_names_other_files_is_refused(name: str) -> None:
    own = "hf://datasets/owner/name@0a1b/data/train.csv"
    packed = "zip://a.csv::hf://datasets/owner/name@0a1b/all.zip"
    assert _hub_files("owner/name", {"train": [own], "test": [packed]}) == ("0a1b", {"data/train.csv", "all.zip"})
    with pytest.raises(KurabeError, match="hub_refused"):
        _hub_files("owner/name", {"train": [own, name]})


class Handler(BaseHTTPRequestHandler):
    """The part of the hub's protocol that tells the sizes of a dataset's files."""

    asked: ClassVar[list[tuple[str, str | None]]] = []

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        files = [{"rfilename": "a.csv", "size": 5 << 20}, {"rfilename": "b.csv", "size": 500 << 20}]
        told = {"id": "owner/name", "sha": "0a1b", "siblings": files, "cardData": {"license": ["cc-by-4.0", "mit"]}}
        data = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def test_what_is_too_large_is_refused_before_it_is_fetched_and_asked_for_without_a_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_TOKEN", "hf_of_this_machine")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    try:
        assert _require_room("owner/name", "0a1b", {"a.csv"}, token=False) == "cc-by-4.0 + mit", "what the card says"
        with pytest.raises(KurabeError, match=r"datasets\.too_large"):
            _require_room("owner/name", "0a1b", {"a.csv", "b.csv"}, token=False)
        monkeypatch.setenv("KURABE_FREE_SPACE_FLOOR_MB", str(1 << 40))
        reset_settings()
        with pytest.raises(KurabeError, match=r"jobs\.disk_floor"):
            _require_room("owner/name", "0a1b", {"a.csv"}, token=False)
    finally:
        server.shutdown()
    assert {token for _, token in Handler.asked} == {None}


def test_a_folder_that_holds_no_dataset_is_refused(project: str, tmp_path: Path) -> None:
    with pytest.raises(KurabeError, match="hub_"):
        datasets.import_hub_dataset(project, str(tmp_path), folders=True)


@pytest.mark.parametrize(("offline", "code"), [("1", "datasets.hub_offline"), ("0", "datasets.hub_unreachable")])
def test_where_no_hub_is_that_is_said(project: str, monkeypatch: pytest.MonkeyPatch, offline: str, code: str) -> None:
    monkeypatch.setenv("KURABE_HUB_OFFLINE", offline)
    reset_settings()
    with pytest.raises(KurabeError) as refused:  # the tests tell the library itself to stay offline
        datasets.import_hub_dataset(project, "nobody/nothing")
    assert refused.value.code == code
    for language in ("en", "ja"):
        use_language(language)
        assert "nobody/nothing" in str(describe(refused.value))
