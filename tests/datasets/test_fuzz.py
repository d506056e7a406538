"""Random files for every reader of data and documents: no crash but a Kurabe error, and no row lost in silence.

``make test`` tries a few dozen of each; ``make fuzz`` tries as many as its minutes allow (FUZZ_EXAMPLES).
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import datasets
from core.datasets.shapes import SHAPES
from core.errors import KurabeError
from core.identity import canonical_json
from core.knowledge.readers import document_readers, parse
from tests.datasets import corpus as data_corpus
from tests.knowledge import corpus as document_corpus

_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
FUZZED = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
DATA_SUFFIXES = sorted(suffix for kind in datasets.readers.all().values() for suffix in kind.suffixes)
DOCUMENT_SUFFIXES = sorted(suffix for kind in document_readers.all().values() for suffix in kind.suffixes)
SEEDS = [case.bytes() for case in [*data_corpus.CASES, *document_corpus.CASES] if len(case.bytes()) < 60_000]
"""Files of the corpus, to be damaged; the large ones would make damage slow and rare."""

_TEXT = st.text(max_size=20)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | _TEXT
    | st.sampled_from(["user", "assistant", "\ud800", "\0"])
)
_JUNK = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4), max_leaves=12
)
_NAMES = st.sampled_from(
    ["question", "answer", "messages", "role", "content", "conversations", "from", "value", "prompt", "completion",
     "chosen", "rejected", "label", "instruction", "input", "output", "context", "answers", "text", "gold", "document",
     "quote", "expects", "split", "slice", "id", "tags", "metadata", "title", "system", "tool_calls"]
)  # fmt: skip
_ROWS = st.dictionaries(_NAMES, _JUNK | st.lists(st.dictionaries(_NAMES, _JUNK, max_size=3), max_size=3), max_size=6)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file of the corpus with some of its bytes changed, cut out, doubled or joined to another file's."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    lot = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(1, 6))):
        place, length = lot.randrange(len(data) + 1), lot.choice((1, 2, 8, 100))
        kind = lot.randrange(5)
        if kind == 0:
            data[place : place + length] = lot.randbytes(length)
        elif kind == 1:
            del data[place : place + length]
        elif kind == 2:
            data[place:place] = data[place : place + length]
        elif kind == 3:
            data[place:place] = lot.choice(
                (b"\0", b'"', b",", b"\xff", b"\xef\xbb\xbf", b"\r", b"{", b"]", b"\\", b"\x1b$B")
            )
        else:
            data[place:] = lot.choice(SEEDS)[:2000]
    return bytes(data)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End what never ends, so that the file at which it hangs is shown."""

    def late(*_: object) -> None:
        raise AssertionError(f"still reading after {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def look(folder: Path, data: bytes, suffix: str) -> datasets.Preview | None:
    """Preview a file; every row must be kept or listed, and what is kept must be storable."""
    path = folder / "fuzzed"
    path.write_bytes(data)
    try:
        with within(60):
            seen = datasets.preview(path, f"fuzzed{suffix}", limit=100_000)
    except KurabeError as error:
        assert error.code.startswith("datasets.")
        canonical_json(error.params).encode()
        return None
    if seen.shape is not None:
        assert len(seen.rows) + seen.problem_count == seen.row_count
    for row in seen.rows:
        row.hash()
    canonical_json([problem.as_dict() for problem in seen.problems]).encode()
    return seen


@pytest.mark.parametrize("suffix", DATA_SUFFIXES)
@FUZZED
@given(data=damaged() | st.binary(max_size=200))
def test_a_data_reader_gives_rows_or_a_reason(tmp_path: Path, suffix: str, data: bytes) -> None:
    look(tmp_path, data, suffix)


@pytest.mark.parametrize("suffix", DOCUMENT_SUFFIXES)
@FUZZED
@given(data=damaged() | st.binary(max_size=200))
def test_a_document_reader_gives_text_or_a_reason(suffix: str, data: bytes) -> None:
    try:
        with within(60):
            found = parse(data, f"fuzzed{suffix}")
    except KurabeError as error:
        assert error.code.startswith(("knowledge.", "datasets."))
        canonical_json(error.params).encode()
        return
    assert found.text.strip() and found.title
    f"{found.title}{found.text}".encode()
    assert "\0" not in found.text
    assert found.pages == sorted(found.pages) and all(0 <= start <= len(found.text) for start in found.pages)


@pytest.mark.parametrize("shape", SHAPES)
@FUZZED
@given(rows=st.lists(_ROWS, min_size=1, max_size=6))
def test_a_shape_keeps_or_lists_every_row(tmp_path: Path, shape: str, rows: list[dict[str, object]]) -> None:
    path = tmp_path / "fuzzed"
    path.write_text("\n".join(map(json.dumps, rows)))
    try:
        seen = datasets.preview(path, "fuzzed.jsonl", shape=shape, limit=1000)
    except KurabeError as error:
        assert error.code == "datasets.question_unmapped", "a table needs a question column"
        return
    assert len(seen.rows) + seen.problem_count == seen.row_count == len(rows)
    for row in seen.rows:
        row.hash()
    canonical_json([problem.as_dict() for problem in seen.problems]).encode()


@FUZZED
@given(rows=st.lists(_ROWS | _JUNK, max_size=6), separator=st.sampled_from([",", ",\n", " , "]))
def test_an_array_keeps_or_lists_every_element(tmp_path: Path, rows: list[object], separator: str) -> None:
    text = "[" + separator.join(['{"question": "a", "answer": "b"}', *map(json.dumps, rows)]) + "]"
    seen = look(tmp_path, text.encode(), ".json")
    if seen is not None:
        assert seen.row_count == 1 + len(rows)


@FUZZED
@given(
    rows=st.lists(st.lists(st.text(max_size=12), min_size=2, max_size=2), max_size=6),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp932", "euc_jp", "utf-16", "iso2022_jp"]),
    mark=st.sampled_from([",", "\t", ";"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_table_in_any_encoding_comes_back_as_it_was(
    tmp_path: Path, rows: list[list[str]], encoding: str, mark: str, end: str
) -> None:
    buffer = io.StringIO(newline="")
    body = [["送料はいくらですか。", "五百円です。"], *rows]
    csv.writer(buffer, delimiter=mark, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([["質問", "回答"], *body])
    try:
        data = buffer.getvalue().encode(encoding)
        same = data.decode(encoding) == buffer.getvalue()
    except UnicodeError:
        return
    seen = look(tmp_path, data, ".csv")
    if seen is None or not same or "\0" in buffer.getvalue() or seen.encoding != encoding:
        return  # a few letters can be read in several ways; the page shows them and lets a person choose
    kept = [(row.question, row.answer) for row in seen.rows]
    listed = {problem.row for problem in seen.problems}
    filled = [(number, row) for number, row in enumerate(body, 2) if any(cell.strip() for cell in row)]
    assert kept == [tuple(row) for number, row in filled if number not in listed]
