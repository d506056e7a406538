"""Malformed, hostile and odd data files, each with the exact import or the exact error that it must give.

The kinds that Japanese offices really send come first. Files are made here by code; nothing large is stored.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["CASES", "Case", "Made", "Refused", "workbook"]


@dataclass(frozen=True)
class Made:
    """A file that is taken over: these rows, these problems, nothing else."""

    rows: Sequence[tuple[str, str]]
    """Question and answer of every row that comes in."""
    problems: Sequence[tuple[int, str, str]] = ()
    """Row number, column and code of every row that is listed instead."""
    notes: Sequence[str] = ()
    """Codes of what was set aside, in order."""
    encoding: str | None = None
    """Codec, where the case is about it."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Other fields of the first row that matters to the case."""


@dataclass(frozen=True)
class Refused:
    """A file that is refused as a whole, with this code and at least these parameters."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One file."""

    title: str
    name: str
    data: bytes | Callable[[], bytes]
    expected: Made | Refused
    options: dict[str, Any] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """Return the file's bytes; large ones are made only now."""
        return self.data if isinstance(self.data, bytes) else self.data()


# ── makers ──


def workbook(*sheets: tuple[str, list[list[object]]], merge: Sequence[str] = ()) -> bytes:
    """Return an .xlsx with these sheets; `merge` names cell ranges of the first one."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    for cells in merge:
        book.worksheets[0].merge_cells(cells)
    return _saved(book)


def _saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _repacked(data: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """Return a ZIP container with its parts changed; None leaves a part out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if (part := change(entry.filename, old.read(entry))) is not None:
                new.writestr(entry.filename, part)
    return buffer.getvalue()


def _sheet_xml(cells: str, *, before: str = "", dimension: str = "A1:B2", after: str = "") -> bytes:
    """Return an .xlsx whose only sheet has exactly this XML: what hostile programs write and openpyxl would not."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    text = f'<?xml version="1.0"?>{before}<worksheet xmlns="{main}"><dimension ref="{dimension}"/>'
    text += f"<sheetData>{cells}</sheetData>{after}</worksheet>"
    return _repacked(
        workbook(("s", [["x"]])), lambda name, part: text.encode() if name.startswith("xl/worksheets/sheet") else part
    )


def _inline(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


def _two_cells(row: int, left: str, right: str) -> str:
    return f'<row r="{row}">{_inline(f"A{row}", left)}{_inline(f"B{row}", right)}</row>'


def _furigana() -> bytes:
    """Excel keeps the reading of a typed kanji word beside it; the reading is no part of the text."""
    reading = '<t>送料は?</t><rPh sb="0" eb="2"><t>ソウリョウ</t></rPh><phoneticPr fontId="1"/>'
    bold = "<r><t>500</t></r><r><rPr><b/></rPr><t>円</t></r>"
    cells = "".join(
        f'<c r="{place}2" t="inlineStr"><is>{text}</is></c>' for place, text in (("A", reading), ("B", bold))
    )
    return _sheet_xml(_two_cells(1, "質問", "回答") + f'<row r="2">{cells}</row>')


def _ole(stream: str) -> bytes:
    """Return the beginning of an OLE2 compound file whose directory names a stream, as Excel 97 and encryption do."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + stream.encode("utf-16-le") + b"\0" * 2000


def _parquet(columns: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), buffer)
    return buffer.getvalue()


def _lines(*rows: object) -> bytes:
    return "\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows).encode()


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def _zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _qa(question: object = "送料は?", answer: object = "500円です。", **more: object) -> dict[str, object]:
    return {"question": question, "answer": answer, **more}


ONE = [("送料は?", "500円です。")]
TABLE = "質問,回答\n送料は?,500円です。\n"
GOOD = [("a", "b")]
GOOD_LINE = '{"question": "a", "answer": "b"}'

# ── what offices send: tables ──

_OFFICE = [
    Case(
        "Excel's CSV in CP932 with title rows, a blank row and the header on row 4",
        "FAQ一覧.csv",
        "社内FAQ一覧,,,\r\n令和8年11月21日現在,,,\r\n,,,\r\nNo,質問,回答,分類\r\n1,送料は?,500円です。,送料\r\n".encode(
            "cp932"
        ),
        Made(ONE, notes=["title_rows"], encoding="cp932", fields={"key": "1", "slice": "送料"}),
    ),
    Case(
        "characters of NEC and IBM that plain Shift_JIS lacks: ①, ㈱, ㍉, 髙, 﨑",
        "機種依存.csv",
        "質問,回答\n①㈱青葉の髙橋さんは?,﨑田㍉です。\n".encode("cp932"),
        Made([("①㈱青葉の髙橋さんは?", "﨑田㍉です。")], encoding="cp932"),
    ),
    Case(
        "half-width katakana in CP932",
        "半角.csv",
        "質問,回答\nﾌﾟﾘﾝﾀｰの用紙は?,A4です。\n".encode("cp932"),
        Made([("ﾌﾟﾘﾝﾀｰの用紙は?", "A4です。")], encoding="cp932"),
    ),
    Case(
        "an old system's export with hardly anything but half-width katakana",
        "ﾎｽﾄ.csv",
        "質問,回答\nｿｳﾘｮｳﾊ ｲｸﾗﾃﾞｽｶ,ｺﾞﾋｬｸｴﾝ\nﾍﾝﾋﾟﾝﾊ ﾃﾞｷﾏｽｶ,ﾃﾞｷﾏｽ\n".encode("cp932"),
        Made([("ｿｳﾘｮｳﾊ ｲｸﾗﾃﾞｽｶ", "ｺﾞﾋｬｸｴﾝ"), ("ﾍﾝﾋﾟﾝﾊ ﾃﾞｷﾏｽｶ", "ﾃﾞｷﾏｽ")], encoding="cp932"),
    ),
    Case("EUC-JP", "euc.csv", TABLE.encode("euc_jp"), Made(ONE, encoding="euc_jp")),
    Case(
        "EUC-JP with half-width katakana and a hyphen that CP932 has elsewhere",
        "euc2.csv",
        "質問,回答\nﾌﾟﾘﾝﾀｰの電源は?,裏にあります−右です。\n".encode("euc_jp"),
        Made([("ﾌﾟﾘﾝﾀｰの電源は?", "裏にあります−右です。")], encoding="euc_jp"),
    ),
    Case(
        "ISO-2022-JP from an old mail program", "jis.csv", TABLE.encode("iso2022_jp"), Made(ONE, encoding="iso2022_jp")
    ),
    Case(
        "Excel's “Unicode text”: UTF-16 with tabs, named .csv",
        "unicode.csv",
        TABLE.replace(",", "\t").encode("utf-16"),
        Made(ONE, encoding="utf-16"),
    ),
    Case("UTF-16, big end first", "be.csv", b"\xfe\xff" + TABLE.encode("utf-16-be"), Made(ONE, encoding="utf-16")),
    Case(
        "UTF-16 without a mark",
        "nomark.csv",
        ("No,question,answer\n" + "1,送料は?,500 yen\n").encode("utf-16-le"),
        Made([("送料は?", "500 yen")], encoding="utf-16-le"),
    ),
    Case(
        "UTF-16 without a mark whose wide spaces have the zero byte on the other side",
        "nomark2.csv",
        ("No,question,answer\n" + "1,送料は　いくら?,500　yen in all\n").encode("utf-16-le"),
        Made([("送料は　いくら?", "500　yen in all")], encoding="utf-16-le"),
    ),
    Case(
        "a byte order mark before a quoted header",
        "bom.csv",
        '"質問","回答"\n"送料は?","500円です。"\n'.encode("utf-8-sig"),
        Made(ONE, encoding="utf-8-sig"),
    ),
    Case(
        "two byte order marks, as joined exports have",
        "bom2.csv",
        b"\xef\xbb\xbf" + TABLE.encode("utf-8-sig"),
        Made(ONE),
    ),
    Case(
        "full-width commas between the cells",
        "全角.csv",
        "質問，回答\n送料は?，500円です。\n返品は?，できます。\n".encode(),
        Made([*ONE, ("返品は?", "できます。")]),
    ),
    Case(
        "full-width commas inside the cells",
        "読点.csv",
        "質問,回答\n送料，手数料は?,はい，500円です。\n".encode(),
        Made([("送料，手数料は?", "はい，500円です。")]),
    ),
    Case(
        "headers with marks and remarks around the word",
        "必須.csv",
        "【質問】,回答（必須）,※分類\nq,a,送料\n".encode(),
        Made([("q", "a")], fields={"slice": "送料"}),
    ),
    Case(
        "a header broken over two lines inside its cell",
        "改行.csv",
        '"質問\n内容","回答\n内容"\nq,a\n'.encode(),
        Made([("q", "a")]),
    ),
    Case("wide spaces around the header", "空白.csv", "　質問　,　回答\nq,a\n".encode(), Made([("q", "a")])),
    Case(
        "empty columns and rows at the end",
        "空列.csv",
        "質問,回答,,,\nq,a,,,\n,,,,\n,,,,\n".encode(),
        Made([("q", "a")]),
    ),
    Case(
        "a first line that tells Excel the separator",
        "sep.csv",
        "sep=;\n質問;回答\nq, r;a\n".encode(),
        Made([("q, r", "a")], notes=["title_rows"]),
    ),
    Case(
        "a continental export with semicolons",
        "eu.csv",
        b"question;answer\nHow much?;3,50 EUR\n",
        Made([("How much?", "3,50 EUR")]),
    ),
    Case(
        "dates of the Japanese calendar stay as they are written",
        "和暦.csv",
        "質問,回答\nいつ?,令和8年11月21日（土）\n".encode("cp932"),
        Made([("いつ?", "令和8年11月21日（土）")]),
    ),
    Case(
        "numbers with leading zeros stay text",
        "番号.csv",
        "質問,回答\n内線は?,0012\n".encode(),
        Made([("内線は?", "0012")]),
    ),
    Case(
        "line ends of three systems in one file",
        "mixed.csv",
        '質問,回答\r\nq,"a\nb"\nr,c\rs,d\r\n'.encode(),
        Made([("q", "a\nb"), ("r", "c"), ("s", "d")]),
    ),
    Case("line ends of old Macs", "mac.csv", "質問,回答\rq,a\r".encode("cp932"), Made([("q", "a")])),
    Case(
        "text that was garbled before the export is kept for the checks to find",
        "文字化け.csv",
        ("question,answer\n" + "送料".encode().decode("latin-1") + ",b\n").encode(),
        Made([("送料".encode().decode("latin-1"), "b")]),
    ),
    Case(
        "UTF-8 that was cut off inside a character",
        "cut.csv",
        ("質問,回答\n" + "送料は?,五百円です。\n" * 50).encode()[:-5],
        Refused("datasets.damaged_text", {"encoding": "utf-8", "line": 51}),
    ),
    Case(
        "lines of CP932 appended to a file in UTF-8",
        "joined.csv",
        ("質問,回答\n" + "送料は?,五百円です。\n" * 50).encode() + "返品は?,できます。\n".encode("cp932"),
        Refused("datasets.damaged_text", {"encoding": "utf-8", "line": 52}),
    ),
    Case(
        "a damaged file read anyway, in an encoding chosen by hand",
        "hand.csv",
        "質問,回答\nq,é\n".encode("cp932", "ignore"),
        Made([("q", "")], encoding="cp932"),
        {"encoding": "cp932"},
    ),
    Case(
        "an encoding chosen by hand that cannot be",
        "hand2.csv",
        TABLE.encode(),
        Refused("datasets.wrong_encoding", {"encoding": "euc_jp"}),
        {"encoding": "euc_jp"},
    ),
    Case(
        "a table without a header",
        "headless.csv",
        "送料は?,500円です。\n返品は?,できます。\n".encode(),
        Refused("datasets.unrecognised", {"columns": "送料は?, 500円です。"}),
    ),
    Case(
        "columns that nobody could know",
        "unknown.csv",
        "件名,本文\nx,y\n".encode(),
        Refused("datasets.unrecognised", {"columns": "件名, 本文"}),
    ),
    Case(
        "the same columns mapped by hand",
        "mapped.csv",
        "件名,本文\nx,y\n".encode(),
        Made([("x", "y")], notes=["header_unsure"]),
        {"mapping": {"question": "件名", "answer": "本文"}},
    ),
    Case(
        "splits named in Japanese",
        "分割.csv",
        "質問,回答,分割\nq,a,学習\nr,b,評価用\ns,c,不明\n".encode(),
        Made([("q", "a"), ("r", "b")], [(4, "split", "unknown_split")]),
    ),
    Case("a name that would climb out of its folder", "../../etc/passwd.csv", TABLE.encode(), Made(ONE)),
]

# ── workbooks ──

_BOOK = [["質問", "回答"], ["送料は?", "500円です。"]]
_WORKBOOKS = [
    Case(
        "a category merged over its rows counts for each of them",
        "結合.xlsx",
        lambda: workbook(
            ("s", [["分類", "質問", "回答"], ["送料", "q", "a"], [None, "r", "b"], ["返品", "s", "c"]]), merge=["A2:A3"]
        ),
        Made([("q", "a"), ("r", "b"), ("s", "c")], notes=["merged_cells"], fields={"slice": "送料", "slice_2": "送料"}),
    ),
    Case(
        "merged title and header cells make no rows",
        "表題.xlsx",
        lambda: workbook(
            ("s", [["FAQ", None], [None, None], ["質問", "回答"], [None, None], ["q", "a"]]),
            merge=["A1:B1", "A3:A4", "B3:B4"],
        ),
        Made([("q", "a")], notes=["title_rows"]),
    ),
    Case(
        "dates, times and shares come as people see them",
        "日付.xlsx",
        lambda: workbook(
            (
                "s",
                [
                    ["質問", "回答"],
                    ["d", date(2026, 11, 21)],
                    ["t", datetime(2026, 11, 21, 9, 30)],
                    ["h", time(9, 30)],
                    ["p", timedelta(hours=26)],
                    ["n", 0.25],
                    ["w", 12.0],
                    ["b", True],
                ],
            )
        ),
        Made(
            [
                ("d", "2026-11-21"),
                ("t", "2026-11-21 09:30:00"),
                ("h", "09:30:00"),
                ("p", "1 day, 2:00:00"),
                ("n", "0.25"),
                ("w", "12"),
                ("b", "true"),
            ]
        ),
    ),
    Case("readings above kanji are no part of the text", "ふりがな.xlsx", _furigana, Made([("送料は?", "500円")])),
    Case(
        "a formula whose value nobody ever saved",
        "数式.xlsx",
        lambda: workbook(("s", [["質問", "回答"], ["q", '="a"&"b"'], ["r", "c"]])),
        Made([("r", "c")], [(2, "回答", "formula_unsaved")]),
    ),
    Case(
        "formula errors",
        "エラー.xlsx",
        lambda: workbook(("s", [["質問", "回答"], ["q", "#N/A"], ["r", "c"]])),
        Made([("r", "c")], [(2, "回答", "formula_error")]),
    ),
    Case("the table on the second sheet", "表紙.xlsx", lambda: workbook(("表紙", []), ("FAQ", _BOOK)), Made(ONE)),
    Case(
        "sheets that are not read are named",
        "複数.xlsx",
        lambda: workbook(("FAQ", _BOOK), ("メモ", [["x"]])),
        Made(ONE, notes=["other_sheets"]),
    ),
    Case(
        "columns of one name",
        "重複.xlsx",
        lambda: workbook(("s", [["質問", "回答", "回答"], ["q", "a", "b"]])),
        Refused("datasets.duplicate_header", {"row": 1, "columns": "回答"}),
    ),
    Case("a workbook without a cell", "空.xlsx", lambda: workbook(("s", [])), Refused("datasets.no_rows")),
    Case("an Excel 97 file renamed .xlsx", "旧.xlsx", _ole("Workbook"), Refused("datasets.old_office")),
    Case("a workbook with a password", "鍵.xlsx", _ole("EncryptedPackage"), Refused("datasets.encrypted_office")),
    Case(
        "an Excel 97 file under its own name",
        "旧.xls",
        _ole("Workbook"),
        Refused("datasets.unknown_format", {"suffix": ".xls"}),
    ),
    Case(
        "a web page saved as .xlsx by an intranet system",
        "帳票.xlsx",
        "<html><table><tr><td>質問</td></tr></table>".encode(),
        Refused("datasets.broken_file"),
    ),
    Case("a CSV renamed .xlsx", "名前.xlsx", TABLE.encode("cp932"), Refused("datasets.broken_file")),
    Case(
        "a workbook cut off during the download",
        "途中.xlsx",
        lambda: workbook(("s", _BOOK))[:-40],
        Refused("datasets.broken_file"),
    ),
    Case(
        "a Word document renamed .xlsx",
        "文書.xlsx",
        lambda: _zipped({"word/document.xml": b"<w/>"}),
        Refused("datasets.broken_file"),
    ),
    Case(
        "a sheet that is no XML",
        "壊れ.xlsx",
        lambda: _repacked(workbook(("s", _BOOK)), lambda n, part: b"<worksheet" if "sheet1" in n else part),
        Refused("datasets.broken_file"),
    ),
    Case(
        "a sheet whose compressed bytes are damaged",
        "傷.xlsx",
        lambda: _scratched(workbook(("s", _BOOK * 200))),
        Refused("datasets.broken_file"),
    ),
    Case(
        "entities that grow to gigabytes",
        "笑.xlsx",
        lambda: _sheet_xml(
            _two_cells(1, "question", "&amp;l9;".replace("amp;", "")),
            before="<!DOCTYPE z [<!ENTITY l0 'lol'>"
            + "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
            + "]>",
        ),
        Refused("datasets.broken_file"),
    ),
    Case(
        "a sheet that unpacks to far more than it is",
        "爆弾.xlsx",
        lambda: _zipped({"xl/worksheets/sheet1.xml": b"\0" * (100 << 20)}),
        Refused("datasets.archive_bomb", {"unpacked_mb": 100}),
    ),
    Case(
        "a sheet that claims seventeen billion cells",
        "広大.xlsx",
        lambda: _sheet_xml(_two_cells(1, "question", "answer") + _two_cells(2, "a", "b"), dimension="A1:XFD1048576"),
        Made(GOOD),
    ),
    Case(
        "a lost cell in the farthest corner",
        "隅.xlsx",
        lambda: _sheet_xml(
            _two_cells(1, "question", "answer")
            + _two_cells(2, "a", "b")
            + f'<row r="1048576">{_inline("XFD1048576", "x")}</row>',
            dimension="A1:XFD1048576",
        ),
        Made(GOOD, [(1048576, "", "extra_cells")]),
    ),
    Case(
        "a sheet that claims to be smaller than it is",
        "過少.xlsx",
        lambda: _sheet_xml(_two_cells(1, "question", "answer") + _two_cells(2, "a", "b"), dimension="A1"),
        Made(GOOD),
    ),
    Case(
        "rows out of order, which the library would pass over",
        "乱順.xlsx",
        lambda: _sheet_xml(_two_cells(1, "question", "answer") + _two_cells(3, "a", "b") + _two_cells(2, "c", "d")),
        Refused("datasets.broken_file"),
    ),
    Case(
        "a formula whose saved value is an empty text",
        "空文字.xlsx",
        lambda: _sheet_xml(
            _two_cells(1, "question", "answer")
            + f'<row r="2">{_inline("A2", "a")}<c r="B2" t="str"><f>""</f><v></v></c></row>'
        ),
        Made([("a", "")]),
    ),
    Case(
        "a merged range over a million rows",
        "全結合.xlsx",
        lambda: _sheet_xml(
            _two_cells(1, "question", "answer") + _two_cells(2, "a", "b"),
            after='<mergeCells><mergeCell ref="A2:B1048576"/></mergeCells>',
        ),
        Made(GOOD, notes=["merged_cells"]),
    ),
]


def _scratched(data: bytes) -> bytes:
    """Damage the compressed bytes of the sheet, not the directory."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
    start = entry.header_offset + 30 + len(entry.filename) + 20
    return data[:start] + bytes(byte ^ 0xFF for byte in data[start : start + 60]) + data[start + 60 :]


# ── tables that are broken or meant to break ──

_TABLES = [
    Case("an empty file", "a.csv", b"", Refused("datasets.empty_file")),
    Case("nothing but a byte order mark", "a.csv", b"\xef\xbb\xbf", Refused("datasets.no_rows")),
    Case("nothing but white space", "a.csv", b" \n\n  \n", Refused("datasets.no_rows")),
    Case("nothing but a header", "a.csv", b"question,answer\n", Made([])),
    Case(
        "a quote that is never closed",
        "a.csv",
        b'question,answer\na,b\nc,"d\ne,f\n',
        Refused("datasets.broken_csv", {"line": 4}),
    ),
    Case(
        "a quote inside a quoted cell",
        "a.csv",
        b'question,answer\n"a "x" b",c\n',
        Refused("datasets.broken_csv", {"line": 2}),
    ),
    Case(
        "rows wider and narrower than the header",
        "a.csv",
        b"question,answer\na,b,c\nd\ne,f\n",
        Made([("d", ""), ("e", "f")], [(2, "", "extra_cells")]),
    ),
    Case(
        "rows without a question",
        "a.csv",
        b"question,answer\n,b\n  ,c\nd,e\n",
        Made([("d", "e")], [(2, "question", "empty"), (3, "question", "empty")]),
    ),
    Case(
        "columns of one name",
        "a.csv",
        b"question,answer,answer\na,b,c\n",
        Refused("datasets.duplicate_header", {"row": 1, "columns": "answer"}),
    ),
    Case(
        "columns of one name but for a space",
        "a.csv",
        b"question,answer, answer \na,b,c\n",
        Refused("datasets.duplicate_header", {"row": 1, "columns": "answer"}),
    ),
    Case(
        "a column without a name beside one that has its substitute",
        "a.csv",
        b"question,,answer,column 2\na,x,b,y\n",
        Made(GOOD, fields={"tags": {"column 2": "y", "column 2 (2)": "x"}}),
    ),
    Case("a NUL byte", "a.csv", b"question,answer\na\0,b\n", Refused("datasets.binary_file")),
    Case(
        "a cell of ten megabytes",
        "a.csv",
        lambda: _csv([["question", "answer"], ["a", "b" * (10 << 20)]]),
        Made([("a", "b" * (10 << 20))]),
    ),
    Case(
        "a cell of seventeen megabytes",
        "a.csv",
        lambda: _csv([["question", "answer"], ["a", "b" * (17 << 20)]]),
        Refused("datasets.broken_csv", {"line": 2}),
    ),
    Case(
        "cells that spreadsheets would run", "a.csv", b"question,answer\n=1+1,@SUM(A1)\n", Made([("=1+1", "@SUM(A1)")])
    ),
    Case(
        "words for missing numbers stay words", "a.csv", b"question,answer\nNaN,Infinity\n", Made([("NaN", "Infinity")])
    ),
    Case(
        "a workbook renamed .csv",
        "a.csv",
        lambda: workbook(("s", _BOOK)),
        Refused("datasets.binary_file", {"found": "ZIP/Excel/Word"}),
    ),
    Case(
        "an Excel 97 file renamed .csv",
        "a.csv",
        _ole("Workbook"),
        Refused("datasets.binary_file", {"found": "Excel 97-2003 / encrypted Office"}),
    ),
    Case(
        "a picture renamed .csv",
        "a.csv",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        Refused("datasets.binary_file", {"found": "PNG"}),
    ),
    Case(
        "a database renamed .csv",
        "a.csv",
        b"SQLite format 3\0" + b"\0" * 80,
        Refused("datasets.binary_file", {"found": "SQLite"}),
    ),
    Case(
        "a compressed CSV",
        "a.csv",
        lambda: gzip.compress(TABLE.encode() * 20, mtime=0),
        Refused("datasets.binary_file", {"found": "gzip"}),
    ),
    Case(
        "a PDF renamed .csv",
        "a.csv",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\0\0",
        Refused("datasets.binary_file", {"found": "PDF"}),
    ),
    Case(
        "a compressed CSV under its own name",
        "a.csv.gz",
        lambda: gzip.compress(TABLE.encode(), mtime=0),
        Refused("datasets.unknown_format", {"suffix": ".gz"}),
    ),
    Case("a name without an ending", "questions", TABLE.encode(), Refused("datasets.unknown_format", {"suffix": "-"})),
    Case("tabs with commas in the cells", "a.tsv", b"question\tanswer\na, b\tc\n", Made([("a, b", "c")])),
    Case("commas in a file named .tsv", "a.tsv", b"question,answer\na,b\n", Made(GOOD)),
]

# ── JSON ──

_TOOLS = [
    {"role": "user", "content": "Weather?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "w", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "1", "content": "rain"},
    {"role": "assistant", "content": "It rains."},
]
_SQUAD = {"version": "2.0", "data": [{"title": "t", "paragraphs": [{"context": "Ann came.\nBob went.", "qas": [
    {"id": "1", "question": "Who came?", "answers": [{"text": "Ann", "answer_start": 0}]},
    {"id": "2", "question": "Who sang?", "answers": [], "is_impossible": True},
]}]}]}  # fmt: skip


def _chat(*messages: object) -> dict[str, object]:
    return {"messages": list(messages)}


_USER, _ASSISTANT = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}

_JSON = [
    Case(
        "a broken line in the middle",
        "a.jsonl",
        _lines(_qa("a", "b"), '{"question": "c", "answer"', _qa("d", "e")),
        Made([("a", "b"), ("d", "e")], [(2, "", "not_json")]),
    ),
    Case(
        "blank lines and Windows line ends",
        "a.jsonl",
        b"\r\n" + GOOD_LINE.encode() + b"\r\n\r\n" + GOOD_LINE.encode() + b"\r\n",
        Made([*GOOD, *GOOD]),
    ),
    Case(
        "a byte order mark before JSON lines in UTF-16",
        "a.jsonl",
        GOOD_LINE.encode("utf-16"),
        Made(GOOD, encoding="utf-16"),
    ),
    Case(
        "line separators of Unicode inside strings",
        "a.jsonl",
        '{"question": "a\u2028b", "answer": "c\x85d"}'.encode(),
        Made([("a\u2028b", "c\x85d")]),
    ),
    Case(
        "an array in a file named .jsonl",
        "a.jsonl",
        json.dumps([_qa("a", "b"), _qa("c", "d")], indent=1).encode(),
        Made([("a", "b"), ("c", "d")], notes=["read_as_json"]),
    ),
    Case(
        "JSON lines in a file named .json",
        "a.json",
        _lines(_qa("a", "b"), _qa("c", "d")),
        Made([("a", "b"), ("c", "d")], notes=["read_as_jsonl"]),
    ),
    Case(
        "nothing but broken lines",
        "a.jsonl",
        b"hello\nworld\n",
        Refused("datasets.rows_refused", {"count": 2, "row": 1, "problem": "not_json"}),
    ),
    Case(
        "an array cut off",
        "a.json",
        json.dumps([_qa("a", "b"), _qa("c", "d")])[:-9].encode(),
        Made(GOOD, [(2, "", "rest_unread")]),
    ),
    Case(
        "a broken element between good ones",
        "a.json",
        b'[{"question": "a", "answer": "b"}, {"question": tru}, {"question": "c", "answer": "d"}]',
        Made([("a", "b"), ("c", "d")], [(2, "", "not_json")]),
    ),
    Case(
        "a rejected answer that is a list of nothing",
        "a.jsonl",
        _lines('{"question": "x", "answer": "y", "rejected": [null]}', _qa("a", "b")),
        Made(GOOD, [(1, "rejected", "no_answer")]),
    ),
    Case(
        "a brace too many in an array",
        "a.json",
        b'[{"question": "a", "answer": "b"}}, {"question": "c", "answer": "d"}]',
        Made([("a", "b"), ("c", "d")], [(2, "", "not_json")]),
    ),
    Case(
        "braces for elements of an array",
        "a.json",
        b'[}, {"question": "a", "answer": "b"}, }}]',
        Made(GOOD, [(1, "", "not_json"), (3, "", "not_json")]),
    ),
    Case(
        "a key twice in one element of an array",
        "a.json",
        b'[{"question": "x", "question": "y"}, {"question": "a", "answer": "b"}]',
        Made(GOOD, [(1, "question", "duplicate_key")]),
    ),
    Case(
        "NaN in one element of an array",
        "a.json",
        b'[{"question": "x", "answer": NaN}, {"question": "a", "answer": "b"}]',
        Made(GOOD, [(1, "", "not_a_number")]),
    ),
    Case(
        "Infinity written as a number too large",
        "a.jsonl",
        _lines('{"question": "x", "answer": 1e999}', _qa("a", "b")),
        Made(GOOD, [(1, "", "not_a_number")]),
    ),
    Case(
        "a number of five thousand figures",
        "a.jsonl",
        _lines('{"question": "x", "answer": ' + "9" * 5000 + "}", _qa("a", "b")),
        Made(GOOD, [(1, "", "not_json")]),
    ),
    Case("a trailing comma", "a.json", b'[{"question": "a", "answer": "b"},]', Made(GOOD)),
    Case(
        "words after the array",
        "a.json",
        b'[{"question": "a", "answer": "b"}] and more',
        Made(GOOD, [(2, "", "not_json")]),
    ),
    Case(
        "an array of everything but objects",
        "a.json",
        b'[{"question": "a", "answer": "b"}, 1, null, "x", [], true]',
        Made(GOOD, [(row, "", "not_object") for row in range(2, 7)]),
    ),
    Case("an empty array", "a.json", b"[]", Refused("datasets.no_rows")),
    Case("an empty object", "a.json", b"{}", Refused("datasets.unrecognised", {"columns": ""})),
    Case("a bare number", "a.json", b"42", Refused("datasets.not_json", {"found": "4"})),
    Case("a bare string", "a.json", b'"hello"', Refused("datasets.not_json", {"found": '"'})),
    Case("a web page named .json", "a.json", b"<!DOCTYPE html>", Refused("datasets.not_json", {"found": "<"})),
    Case(
        "rows under a key",
        "a.json",
        json.dumps({"meta": 1, "data": [_qa("a", "b")]}).encode(),
        Made(GOOD, notes=["array_inside"]),
    ),
    Case(
        "rows under two keys",
        "a.json",
        json.dumps({"train": [_qa("a", "b")], "test": [_qa("c", "d")]}).encode(),
        Refused("datasets.several_arrays", {"keys": "train, test"}),
    ),
    Case(
        "brackets without a bottom", "a.jsonl", _lines(_qa("a", "b"), "[" * 100_000), Made(GOOD, [(2, "", "too_deep")])
    ),
    Case(
        "an array without a bottom", "a.json", b"[" * 100_000, Refused("datasets.rows_refused", {"problem": "too_deep"})
    ),
    Case(
        "a hundred levels of junk beside the answer",
        "a.jsonl",
        _lines(_qa("a", "b", junk=json.loads("[" * 100 + "]" * 100))),
        Made(GOOD),
    ),
    Case(
        "an answer of every type",
        "a.jsonl",
        _lines(*(_qa("q", value) for value in ("text", 5, 2.5, 3.0, True, None, ["x"], {"x": 1}, ""))),
        Made(
            [("q", "text"), ("q", "5"), ("q", "2.5"), ("q", "3"), ("q", "true"), ("q", ""), ("q", "")],
            [(7, "answer", "not_text"), (8, "answer", "not_text")],
        ),
    ),
    Case(
        "a lone surrogate in the question",
        "a.jsonl",
        _lines('{"question": "\\ud800", "answer": "b"}', _qa("a", "b")),
        Made(GOOD, [(1, "question", "bad_character")]),
    ),
    Case(
        "a lone surrogate in another column",
        "a.jsonl",
        _lines('{"question": "x", "answer": "y", "note": {"k": ["\\udfff"]}}', _qa("a", "b")),
        Made(GOOD, [(1, "note", "bad_character")]),
    ),
    Case(
        "a lone surrogate in a column's name",
        "a.jsonl",
        _lines('{"question": "x", "answer": "y", "\\ud800": 1}', _qa("a", "b")),
        Made(GOOD, [(1, "\\ud800", "bad_character")]),
    ),
    Case(
        "an escaped NUL",
        "a.jsonl",
        _lines('{"question": "x\\u0000", "answer": "y"}', _qa("a", "b")),
        Made(GOOD, [(1, "question", "bad_character")]),
    ),
    Case(
        "a line of seventeen megabytes",
        "a.jsonl",
        lambda: _lines(_qa("a", "b"), _qa("x", "y" * (17 << 20)), _qa("c", "d")),
        Made([("a", "b"), ("c", "d")], [(2, "", "too_long")]),
    ),
    Case(
        "an element of seventeen megabytes",
        "a.json",
        lambda: json.dumps([_qa("a", "b"), _qa("x", "y" * (17 << 20)), _qa("c", "d")]).encode(),
        Made([("a", "b"), ("c", "d")], [(2, "", "too_long")]),
    ),
    Case(
        "a string that is never closed, in the middle of an array",
        "a.json",
        b'[{"question": "a", "answer": "b"}, {"question": "x, "answer": "y"}, {"question": "c", "answer": "d"}]',
        Made(GOOD, [(2, "", "rest_unread")]),
    ),
    Case(
        "elements without commas between them",
        "a.json",
        b'[{"question": "a", "answer": "b"} {"question": "a", "answer": "b"}]',
        Made([*GOOD, *GOOD]),
    ),
    Case(
        "a comma too many",
        "a.json",
        b'[{"question": "a", "answer": "b"},,{"question": "a", "answer": "b"}]',
        Made([*GOOD, *GOOD], [(2, "", "not_json")]),
    ),
    Case(
        "rows of two shapes: the usual one is read, the others are listed",
        "a.jsonl",
        _lines(_qa("a", "b"), _qa("c", "d"), {"instruction": "x", "output": "y"}),
        Made([("a", "b"), ("c", "d")], [(3, "question", "empty")]),
    ),
]

# ── shapes ──

_SHAPES = [
    Case(
        "ShareGPT",
        "a.jsonl",
        _lines({"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}),
        Made(GOOD),
    ),
    Case(
        "ShareGPT with a role that is none",
        "a.jsonl",
        _lines(
            {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
            {"conversations": [{"from": "alien", "value": "x"}]},
        ),
        Made(GOOD, [(2, "conversations[0].from", "unknown_role")]),
    ),
    Case(
        "ShareGPT with a list for a role",
        "a.jsonl",
        _lines({"conversations": [{"from": ["human"], "value": "a"}]}),
        Made([], [(1, "conversations[0].from", "unknown_role")]),
    ),
    Case(
        "ShareGPT without an answer",
        "a.jsonl",
        _lines({"conversations": [{"from": "human", "value": "a"}]}),
        Made([], [(1, "conversations", "no_answer")]),
    ),
    Case(
        "ShareGPT that is no list",
        "a.jsonl",
        _lines({"conversations": "a"}),
        Made([], [(1, "conversations", "not_messages")]),
    ),
    Case(
        "a chat with tool calls",
        "a.jsonl",
        _lines({"messages": _TOOLS, "tools": [{"type": "function"}]}),
        Made([("Weather?", "It rains.")], fields={"messages": [{**m, "content": m["content"] or ""} for m in _TOOLS]}),
    ),
    Case("a chat that ends in a tool call", "a.jsonl", _lines({"messages": _TOOLS[:2]}), Made([("Weather?", "")])),
    Case(
        "a chat of parts",
        "a.jsonl",
        _lines(_chat({"role": "user", "content": [{"type": "text", "text": "a"}]}, _ASSISTANT)),
        Made(GOOD),
    ),
    Case(
        "a chat with a picture",
        "a.jsonl",
        _lines(
            _chat(_USER, _ASSISTANT),
            _chat({"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}, _ASSISTANT),
        ),
        Made(GOOD, [(2, "messages[0].content", "not_text")]),
    ),
    Case(
        "a chat without messages",
        "a.jsonl",
        _lines(_chat(_USER, _ASSISTANT), _chat()),
        Made(GOOD, [(2, "messages", "no_user")]),
    ),
    Case(
        "a chat with an empty question",
        "a.jsonl",
        _lines(_chat({"role": "user", "content": " "}, _ASSISTANT)),
        Made([], [(1, "messages[0].content", "empty")]),
    ),
    Case(
        "a chat with a role that is none",
        "a.jsonl",
        _lines(_chat(_USER, {"role": "robot", "content": "x"})),
        Made([], [(1, "messages[1].role", "unknown_role")]),
    ),
    Case(
        "a chat with an object for a role",
        "a.jsonl",
        _lines(_chat({"role": {"x": 1}, "content": "x"})),
        Made([], [(1, "messages[0].role", "unknown_role")]),
    ),
    Case(
        "a chat whose messages are words",
        "a.jsonl",
        _lines(_chat("hello", "there")),
        Made([], [(1, "messages[0]", "not_object")]),
    ),
    Case(
        "a chat with null for messages",
        "a.jsonl",
        _lines(_chat(_USER, _ASSISTANT), {"messages": None}),
        Made(GOOD, [(2, "messages", "not_messages")]),
    ),
    Case(
        "a chat written as text in a table",
        "a.csv",
        lambda: _csv([["messages"], [json.dumps([_USER, _ASSISTANT])], ["[broken"]]),
        Made(GOOD, [(3, "messages", "not_messages")]),
    ),
    Case(
        "metadata that is no object",
        "a.jsonl",
        _lines({**_chat(_USER, _ASSISTANT), "metadata": 5}),
        Made([], [(1, "metadata", "not_object")]),
    ),
    Case(
        "preference pairs, one without the rejected answer",
        "a.jsonl",
        _lines({"prompt": "a", "chosen": "b", "rejected": "c"}, {"prompt": "x", "chosen": "y"}),
        Made(GOOD, [(2, "rejected", "empty")], fields={"tags": {"rejected": "c"}}),
    ),
    Case(
        "preference pairs of whole chats",
        "a.jsonl",
        _lines({"chosen": [_USER, _ASSISTANT], "rejected": [_USER, {"role": "assistant", "content": "c"}]}),
        Made(GOOD),
    ),
    Case(
        "single answers, liked or not: only liked ones are references",
        "a.jsonl",
        _lines(
            {"prompt": "a", "completion": "b", "label": True},
            {"prompt": "a", "completion": "z", "label": False},
            {"prompt": "a", "completion": "z", "label": "perhaps"},
        ),
        Made([("a", "b"), ("a", "")], [(3, "label", "not_label")], fields={"tags": {"label": True}}),
    ),
    Case(
        "SQuAD as the datasets library has it",
        "a.jsonl",
        _lines(
            {"question": "Who?", "context": "Ann came.", "answers": {"text": ["Ann"], "answer_start": [0]}},
            {"question": "What?", "context": "Ann came.", "answers": {"text": [], "answer_start": []}},
            {"question": "Why?", "context": "Ann came.", "answers": "Ann"},
        ),
        Made([("Who?", "Ann"), ("What?", "")], [(3, "answers", "not_object")]),
    ),
    Case(
        "SQuAD as its authors publish it",
        "train-v2.0.json",
        json.dumps(_SQUAD).encode(),
        Made(
            [("Who came?", "Ann"), ("Who sang?", "")],
            notes=["squad_inside"],
            fields={"gold": [{"document": "t", "quote": "Ann came."}]},
        ),
    ),
    Case(
        "Alpaca with and without input",
        "a.jsonl",
        _lines(
            {"instruction": "a", "input": "", "output": "b"},
            {"instruction": "a", "input": 5, "output": None},
            {"instruction": None, "output": "x"},
            {"instruction": "a", "input": ["x"], "output": "b"},
        ),
        Made([("a", "b"), ("a\n\n5", "")], [(3, "instruction", "empty"), (4, "input", "not_text")]),
    ),
    Case(
        "prompt and completion as lists of messages",
        "a.jsonl",
        _lines({"prompt": [_USER], "completion": [_ASSISTANT]}),
        Made(GOOD),
    ),
    Case(
        "gold passages that are no passages",
        "a.jsonl",
        _lines(_qa("a", "b", gold=[]), _qa("x", "y", gold=[5])),
        Made(GOOD, [(2, "gold", "bad_gold")]),
    ),
    Case(
        "expectations that are no object",
        "a.jsonl",
        _lines(_qa("a", "b", expects={}), _qa("x", "y", expects=[1])),
        Made(GOOD, [(2, "expects", "not_object")]),
    ),
]

# ── Parquet ──

_PARQUET = [
    Case(
        "types of all kinds",
        "a.parquet",
        lambda: _parquet({"question": ["a", "a", "a"], "answer": pa.array([Decimal("1.50"), None, Decimal("2.00")])}),
        Made([("a", "1.50"), ("a", ""), ("a", "2.00")]),
    ),
    Case(
        "NaN and infinity",
        "a.parquet",
        lambda: _parquet({"question": ["a", "b"], "answer": [float("nan"), float("inf")]}),
        Made([("a", "")], [(2, "answer", "not_a_number")]),
    ),
    Case(
        "times and days",
        "a.parquet",
        lambda: _parquet(
            {
                "question": ["a", "b"],
                "answer": pa.array([datetime(2026, 11, 21), datetime(2026, 11, 21, 9)], pa.timestamp("us")),
            }
        ),
        Made([("a", "2026-11-21"), ("b", "2026-11-21 09:00:00")]),
    ),
    Case(
        "a time after the year 9999",
        "a.parquet",
        lambda: _parquet({"question": ["a", "b"], "answer": pa.array([0, 9 * 10**18], pa.timestamp("us"))}),
        Made([("a", "1970-01-01")], [(2, "answer", "unreadable_cell")]),
    ),
    Case(
        "bytes in place of text",
        "a.parquet",
        lambda: _parquet({"question": ["a", "c"], "answer": pa.array([b"b", b"\xff"])}),
        Made([], [(1, "answer", "not_text"), (2, "answer", "not_text")]),
    ),
    Case(
        "text that is not valid UTF-8",
        "a.parquet",
        lambda: _parquet(
            {
                "question": ["a", "c"],
                "answer": pa.Array.from_buffers(
                    pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"b\xff")]
                ),
            }
        ),
        Made(GOOD, [(2, "answer", "unreadable_cell")]),
    ),
    Case(
        "categories",
        "a.parquet",
        lambda: _parquet({"question": ["a"], "answer": pa.array(["b"]).dictionary_encode()}),
        Made(GOOD),
    ),
    Case("chats as lists of structs", "a.parquet", lambda: _parquet({"messages": [[_USER, _ASSISTANT]]}), Made(GOOD)),
    Case(
        "no rows",
        "a.parquet",
        lambda: _parquet({"question": pa.array([], pa.string()), "answer": pa.array([], pa.string())}),
        Made([]),
    ),
    Case(
        "two columns of one name",
        "a.parquet",
        lambda: _parquet(
            pa.Table.from_arrays(
                [pa.array(["a"]), pa.array(["b"]), pa.array(["c"])], names=["question", "answer", "answer"]
            )
        ),
        Refused("datasets.duplicate_header", {"columns": "answer"}),
    ),
    Case(
        "a file cut off",
        "a.parquet",
        lambda: _parquet({"question": ["a"], "answer": ["b"]})[:-6],
        Refused("datasets.broken_file"),
    ),
    Case("damaged pages", "a.parquet", lambda: _damaged_pages(), Refused("datasets.broken_file")),
    Case("a CSV renamed .parquet", "a.parquet", TABLE.encode(), Refused("datasets.broken_file")),
    Case("an empty file", "a.parquet", b"", Refused("datasets.empty_file")),
]


def _damaged_pages() -> bytes:
    data = _parquet({"question": [f"question {n}" for n in range(500)], "answer": [f"answer {n}" for n in range(500)]})
    return data[:8] + bytes(byte ^ 0x5A for byte in data[8:200]) + data[200:]


CASES = [*_OFFICE, *_WORKBOOKS, *_TABLES, *_JSON, *_SHAPES, *_PARQUET]
