"""Lengths and languages of a version: counted while it is written, true to the rows, small however many there are."""

from __future__ import annotations

import json
import random
import statistics
from typing import Any

import pytest

from core.charts import alt_of, length_chart, share_chart
from core.datasets import Profile, count_profile, edit_rows, import_file, profile_of
from core.i18n import LANGUAGES
from core.projects import create_project
from core.store import read, write
from core.store import tables as tb
from tests.cli.running import done, told

ROWS = [
    {"question": "送料はいくらですか", "answer": "全国一律で五百円です。", "slice": "送料"},
    {"question": "返品できますか", "answer": "はい、三十日以内です。", "slice": "返品"},
    {"question": "How much is the delivery fee?", "answer": "It is five hundred yen everywhere.", "slice": "送料"},
    {"question": "送料はいくらですか?", "answer": "It is five hundred yen everywhere.", "slice": "送料"},
    {"question": "12?", "answer": "34", "slice": "送料"},
]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def test_a_version_knows_its_lengths_and_languages_from_its_writing() -> None:
    made = import_file(create_project("P", "ja").id, lines(ROWS), "rows.jsonl")
    found = profile_of(made)
    assert found is not None and found.rows == 5
    assert dict(found.languages) == {"ja": 2, "en": 1, "crossed": 1, "unclear": 1}
    assert found.longest == {"question": 29, "answer": 34} and found.half_within("question") == 9
    edited = profile_of(edit_rows(made.id, {0: {"question": "?" * 50}}))
    assert edited is not None and edited.longest["question"] == 50


def test_an_older_version_is_counted_once_with_the_same_result() -> None:
    made = import_file(create_project("P", "ja").id, lines(ROWS), "rows.jsonl")
    kept = profile_of(made)
    with write() as session:
        old = session.get_one(tb.DatasetVersion, made.id)
        old.counts = {name: value for name, value in old.counts.items() if name != "profile"}
    with read() as session:
        assert profile_of(session.get_one(tb.DatasetVersion, made.id)) is None
    assert count_profile(made.id) == kept
    with read() as session:
        stored = session.get_one(tb.DatasetVersion, made.id)
    assert profile_of(stored) == kept and stored.counts["splits"] == {"train": 5}


def test_half_and_histogram_are_true_to_lengths_of_any_size() -> None:
    drawn = random.Random(3)
    for spread in (3, 20, 150, 4_000, 90_000):
        lengths = [drawn.randint(0, spread) for _ in range(3001)] + [12 * spread]
        found = Profile()
        for length in lengths:
            found.add("x" * length, "")
        exact = statistics.median(lengths)
        assert exact <= found.half_within("question") <= 1.1 * exact + 1
        bars = found.bars("question")
        assert sum(n for _, _, n in bars) == len(lengths), "no text is missing, the longest neither"
        for low, high, n in bars:
            assert n == sum(low <= length and (high is None or length <= high) for length in lengths)
        assert len(bars) <= 24 and bars[-1][1] is None


def test_what_is_kept_does_not_grow_with_the_rows() -> None:
    kept = Profile()
    for length in [*range(3000), 10**5, 10**6]:
        kept.add("x" * length, "")
    assert len(kept.as_dict()["lengths"]["question"]) < 250


@pytest.mark.parametrize("code", LANGUAGES)
def test_figures_name_every_bar_and_draw_names_as_text(code: Any) -> None:
    figure = length_chart([(0, 9, 3), (10, 19, 0), (20, None, 1)], "Half", "Characters", "Rows", code)
    assert "0–9: 3" in alt_of(figure) and "20" in alt_of(figure).split("0–9: 3")[1]
    assert figure.layout.xaxis.title.text == "Characters" and figure.layout.yaxis.title.text == "Rows"
    shares = share_chart([("<b>a</b>", 3), ("b", 1)], "The <i>", "Share", 4, code)
    assert "&lt;b&gt;a&lt;/b&gt;: 75% (3)" in alt_of(shares) and "<i>" not in shares.layout.title.text


def test_the_command_says_it_in_words_and_in_json() -> None:
    import_file(create_project("Shop", "ja").id, lines(ROWS), "rows.jsonl")
    found = told("dataset", "profile", "--project", "Shop")
    assert found["rows"] == 5 and found["slices"] == {"送料": 4, "返品": 1} and found["longest"]["answer"] == 34
    said = done("dataset", "profile", "--project", "Shop").stdout
    assert "送料" in said and "80%" in said and "34" in said
