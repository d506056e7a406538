"""Every answer leaves as CSV, Parquet or JSON, piece by piece, and says the same in each."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.errors import KurabeError
from core.evaluation import EXPORTS, export, export_rows, write_answers
from tests.evaluation.test_results import Written


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    """Answers of two approaches, read in batches of five."""
    monkeypatch.setattr(export, "_BATCH", 5)
    monkeypatch.setattr(export, "_ROW_GROUP", 5)
    made = Written("base", "rag")
    money = {"cost": Decimal("0.00123"), "currency": "USD", "cost_basis": "list", "price_version": "v"}
    for place in range(len(made.questions)):
        made.put("base", place, float(place % 2), text=f"=1+{place}", prompt_tokens=place, **money)
        made.put("rag", place, 1.0, text='改行\nと「引用」, "quotes"', chunks=[{"chunk_id": "c", "gold": True}])
        made.put("rag", place, None, phase="latency", total_seconds=0.5 + place)
    made.put("base", 0, None, repetition=1, status="failed", error={"code": "models.timeout", "params": {}})
    return made


def test_all_formats_hold_every_answer_with_the_same_values(written: Written, tmp_path: Path) -> None:
    rows = list(export_rows(written.experiment.id))
    assert len(rows) == 3 * len(written.questions) + 1 and len({row["id"] for row in rows}) == len(rows)
    for kind in EXPORTS:
        assert write_answers(written.experiment.id, tmp_path / f"a.{kind}") == (tmp_path / f"a.{kind}").stat().st_size
    told = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    table = pq.read_table(tmp_path / "a.parquet").to_pylist()
    raw = (tmp_path / "a.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "Excel needs the mark to read UTF-8"
    cells = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert len(told) == len(table) == len(cells) == len(rows)
    for row, as_json, as_arrow, as_csv in zip(rows, told, table, cells, strict=True):
        assert row["id"] == as_json["id"] == as_arrow["id"] == as_csv["id"]
        assert row["text"] == as_json["text"] == as_arrow["text"]
        assert row["prompt_tokens"] == as_json["prompt_tokens"] == as_arrow["prompt_tokens"]
        score = row.get("score:correct")
        assert score == as_json.get("score:correct") == as_arrow["score:correct"]
        assert as_csv["score:correct"] == ("" if score is None else str(score))
        assert as_csv["template_hash"] == row["template_hash"] == "", "an empty text stays empty"
        assert json.loads(as_arrow["chunks"]) == row["chunks"] == json.loads(as_csv["chunks"])
        assert as_arrow["cost"] == (None if row["cost"] is None else pytest.approx(float(row["cost"])))
        assert as_arrow["created_at"] == row["created_at"]
    assert {cell["text"][:2] for cell in cells if cell["phase"] == "quality" and "1+" in cell["text"]} == {"'="}


@pytest.mark.parametrize("kind", list(EXPORTS))
def test_errors_with_halves_of_characters_leave_like_all_others(written: Written, kind: str, tmp_path: Path) -> None:
    detail = {"code": "models.refused", "params": {"detail": "no \ud83d way"}}
    written.put("base", 1, None, repetition=1, status="failed", error=detail)
    assert write_answers(written.experiment.id, tmp_path / f"a.{kind}") > 0
    assert KurabeError("models.refused", detail="a\x00b\ud83d", parts=["\udc00"]).as_record()["params"] == {
        "detail": "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}",
        "parts": ["\N{REPLACEMENT CHARACTER}"],
    }


@pytest.mark.parametrize("kind", list(EXPORTS))
def test_a_file_begins_before_all_answers_are_read(
    written: Written, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    original = export_rows

    def watched(*arguments: object) -> object:
        for row in original(*arguments):  # type: ignore[arg-type]  # passed on
            read.append(row["id"])
            yield row

    monkeypatch.setattr(export, "export_rows", watched)
    pieces = EXPORTS[kind](written.experiment.id)
    begun = b"".join(next(pieces) for _ in range(2))
    assert begun and len(read) <= 11 < 3 * len(written.questions)
    pieces.close()  # type: ignore[attr-defined]  # a generator


def test_another_ending_is_refused_and_a_broken_export_leaves_no_file(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KurabeError, match="evaluation.export_format"):
        write_answers(written.experiment.id, tmp_path / "a.xlsx")
    with pytest.raises(KurabeError, match="store.missing"):
        write_answers("nothing", tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []
