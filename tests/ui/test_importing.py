"""The import form reads an upload once for each way of reading it, not once for each click."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
import streamlit as st

from core.ui import importing


class Upload(BytesIO):
    """What Streamlit hands over for an uploaded file."""

    def __init__(self, data: bytes, name: str, file_id: str) -> None:
        super().__init__(data)
        self.name = name
        self.file_id = file_id


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every time that a whole file is read, with the options."""
    found: list[dict[str, Any]] = []
    real = importing.preview

    def counted(path: Any, name: str, **options: Any) -> Any:
        found.append(options)
        return real(path, name, **options)

    importing._read_once.clear()
    monkeypatch.setattr(importing, "preview", counted)
    monkeypatch.setattr(st, "session_state", {})
    return found


def test_a_file_is_read_once_however_often_the_page_is_drawn(reads: list[dict[str, Any]]) -> None:
    upload: Any = Upload("質問,回答\nq,a\n".encode(), "a.csv", "1")
    first = [importing._look(upload, {}).rows[0].question for _ in range(5)]
    assert (first, len(reads)) == (["q"] * 5, 1)
    importing._look(upload, {"mapping": {"question": "回答"}})
    importing._look(upload, {"mapping": {"question": "回答"}})
    assert len(reads) == 2, "another way of reading is another reading"


def test_the_same_bytes_uploaded_again_are_known_and_other_bytes_are_not(reads: list[dict[str, Any]]) -> None:
    for number, data in enumerate((b"question,answer\na,b\n", b"question,answer\na,b\n", b"question,answer\nc,d\n")):
        upload: Any = Upload(data, "a.csv", str(number))
        importing._look(upload, {})
    assert len(reads) == 2
