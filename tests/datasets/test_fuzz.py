"""Random files for every reader of data and documents: no crash but a Kurabe error, and no row lost in silence.

``make test`` tries a few dozen of each; ``make fuzz`` tries as many as its minutes allow (FUZZ_EXAMPLES).
"""

from __future__ import annotations

import csv
import html
import io
import itertools
import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pptx import Presentation

from core import datasets
from core.datasets.cells import parsed, text_of
from core.datasets.columns import field_of
from core.datasets.importing import _opened
from core.datasets.rows import Problem, Row
from core.datasets.shapes import SHAPES, convert
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


_STRUCTURE = {"role", "from", "type", "split", "label", "answer_start"}
"""Keys whose words are turned into Kurabe's own, or (the place of a SQuAD answer) can be found again."""


def words_of(value: object) -> Iterator[str]:
    """Yield what a cell says: its texts and numbers, also inside lists, objects and JSON that was written as text."""
    value = parsed(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _STRUCTURE:
                yield from words_of(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from words_of(inner)
    elif not isinstance(value, bool) and value == value:  # NaN is how an empty cell is written
        yield from text_of(
            value if not isinstance(value, float) or abs(value) < float("inf") else str(value), ""
        ).split()


def lost(values: dict[str, object], row: Row) -> list[str]:
    """Return what a file's row says and the imported one does not, wherever it stands there."""
    held = "\n".join(words_of(row.columns()))
    return [
        word.strip(";；")
        for column, value in values.items()
        if column not in _STRUCTURE and field_of(column) != "split"
        for word in words_of(value)
        if not all(part in held for part in word.replace("；", ";").split(";"))
    ]


def nothing_lost(path: Path, name: str, shape: str | None = None) -> int:
    """Require that every cell of each kept row is in the imported one; return how many were kept."""
    source, reading = _opened(path, name, None, shape, None)
    kept = 0
    for raw in source.rows() if reading else ():
        row = convert(raw, reading)
        if not isinstance(row, Problem):
            kept += 1
            assert lost(raw.values, row) == [], f"{raw.values} became {row}"
    return kept


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
    nothing_lost(path, f"fuzzed{suffix}")
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
    nothing_lost(path, "fuzzed.jsonl", shape)
    canonical_json([problem.as_dict() for problem in seen.problems]).encode()


_SAID = st.none() | st.sampled_from(["", " ", "word"]) | st.integers(0, 9)
_ASIDE = st.none() | _SAID | st.dictionaries(_NAMES, _SAID, max_size=3) | st.lists(_SAID, max_size=3)
_TURNS = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant"]), "content": _SAID},
        optional={"weight": _SAID, "name": _SAID},
    ),
    min_size=1,
    max_size=4,
)
_TALK = st.lists(
    st.fixed_dictionaries(
        {"from": st.sampled_from(["human", "gpt", "system"]), "value": _SAID}, optional={"weight": _SAID}
    ),
    min_size=1,
    max_size=4,
)
_ASKED = st.just("word")
_GOLD = st.dictionaries(st.sampled_from(["document", "quote", "page"]), _ASKED | _SAID, max_size=3)
_EXTRA = st.dictionaries(_NAMES, _ASIDE, max_size=4)
_SQUAD = st.fixed_dictionaries({"text": st.lists(_SAID, max_size=3)}, optional={"answer_start": _SAID, "note": _SAID})
_NEEDED: dict[str, dict[str, st.SearchStrategy[object]]] = {
    "kurabe": {"question": _ASKED, "gold": st.lists(_GOLD, max_size=2) | _SAID, "tags": _EXTRA, "messages": _TURNS},
    "chat": {"messages": _TURNS, "metadata": _EXTRA | _SAID},
    "sharegpt": {"conversations": _TALK},
    "alpaca": {"instruction": _ASKED, "history": st.lists(st.tuples(_SAID, _SAID), max_size=2) | _SAID},
    "preference": {"prompt": _ASKED | _TURNS, "chosen": _ASKED | _TURNS, "rejected": _ASKED | _TURNS},
    "squad": {"question": _ASKED, "context": st.just("word\nword"), "answers": _SQUAD},
    "unpaired_preference": {"prompt": _ASKED | _TURNS, "completion": _ASKED | _TURNS, "label": st.booleans()},
    "prompt_completion": {"prompt": _ASKED | _TURNS, "completion": _ASKED | _TURNS},
    "question_answer": {"question": _ASKED, "category": _SAID, "slice": _SAID, "id": st.just("word" * 30) | _SAID},
}


def marked(value: object, count: Iterator[int], key: str = "") -> object:
    """Make every word of a row one that occurs nowhere else, so that none can hide behind its like."""
    if isinstance(value, dict):
        return {name: marked(inner, count, name) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [marked(inner, count, key) for inner in value]
    if isinstance(value, str) and value.strip() and key not in _STRUCTURE:
        return (
            " ".join(f"{word}w{next(count)}w" for word in value.split())
            if "\n" not in value
            else "\n".join(f"{word}w{next(count)}w" for word in value.split("\n"))
        )
    return 10_000 + next(count) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("shape", SHAPES)
@FUZZED
@given(data=st.data(), extra=_EXTRA)
def test_no_cell_of_a_kept_row_is_lost(
    tmp_path: Path, shape: str, data: st.DataObject, extra: dict[str, object]
) -> None:
    assert set(_NEEDED) == set(SHAPES)
    row = marked({**extra, **data.draw(st.fixed_dictionaries(_NEEDED[shape]))}, itertools.count(100))
    path = tmp_path / "fuzzed"
    path.write_text(json.dumps(row))
    nothing_lost(path, "fuzzed.jsonl", shape)


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


_LETTERS = st.text(
    st.characters(categories=["L", "N"], max_codepoint=0xFFFF) | st.sampled_from("。、&<'\"%・ー"),
    min_size=1,
    max_size=12,
)
_PARTS = st.lists(_LETTERS, min_size=1, max_size=8)


def _paragraphs_of_word(parts: list[str]) -> bytes:
    document = docx.Document()
    for number, part in enumerate(parts):
        if number % 3 == 0:
            document.add_heading(part, 1)
        elif number % 3 == 1:
            document.add_paragraph(part)
        else:
            document.add_table(1, 2).cell(0, 1).text = part
    return document_corpus.saved(document)


def _slides(parts: list[str]) -> bytes:
    made = Presentation()
    for part in parts:
        box = made.slides.add_slide(made.slide_layouts[6]).shapes.add_textbox(0, 0, 9_000_000, 900_000)
        box.text_frame.text = part
    return document_corpus.saved(made)


def _page(parts: list[str]) -> bytes:
    marks = itertools.cycle((("<h2>", "</h2>"), ("<p>", "</p>"), ("<ul><li>", "</li></ul>"), ("<div>", "</div>")))
    return "".join(
        f"{opened}{html.escape(part)}{closed}" for part, (opened, closed) in zip(parts, marks, strict=False)
    ).encode()


def _table(parts: list[str]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([["品名", "説明"], *([f"品{n}", part] for n, part in enumerate(parts))])
    return buffer.getvalue().encode("utf-8-sig")


_WRITERS: dict[str, Callable[[list[str]], bytes]] = {
    ".txt": lambda parts: "\n\n".join(parts).encode("utf-8-sig"),
    ".md": lambda parts: "\n\n".join(f"# {part}\n\n{part}。" for part in parts).encode("utf-8-sig"),
    ".html": _page,
    ".csv": _table,
    ".jsonl": lambda parts: "\n".join(
        json.dumps({"title": f"品{n}", "text": part}) for n, part in enumerate(parts)
    ).encode(),
    ".xlsx": lambda parts: data_corpus.workbook(
        ("品", [["品名", "説明"], *([f"品{n}", p] for n, p in enumerate(parts))])
    ),
    ".docx": _paragraphs_of_word,
    ".pptx": _slides,
}
"""How a document with these texts is written; a PDF's fonts hold too few letters for it."""


@pytest.mark.parametrize("suffix", _WRITERS)
@FUZZED
@given(parts=_PARTS)
def test_text_put_into_a_document_comes_out(suffix: str, parts: list[str]) -> None:
    marked_parts = [f"語{part}w{number}w" for number, part in enumerate(parts)]
    found = parse(_WRITERS[suffix](marked_parts), f"fuzzed{suffix}")
    said = f"{found.title}\n{found.text}"
    places = [said.find(part) for part in marked_parts]
    assert -1 not in places, [part for part, place in zip(marked_parts, places, strict=True) if place < 0]
    assert places == sorted(places), "in the order in which they stand"
