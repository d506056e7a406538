"""Documents are read with their structure; what cannot be read says why."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import docx
import openpyxl
import pytest
from pptx import Presentation
from pptx.util import Inches
from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from core.errors import KurabeError
from core.knowledge.archives import unpacked
from core.knowledge.chunking import chunk_document
from core.knowledge.readers import document_readers, parse
from core.knowledge.tokens import TokenCounter, estimate_tokens

COUNTER = TokenCounter("estimate", estimate_tokens)


def pdf(pages: list[list[tuple[str, int]]], font: str = "Helvetica") -> bytes:
    """Make a PDF; a page is a list of (line, type size)."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for lines in pages:
        height = 780
        for text, size in lines:
            canvas.setFont(font, size)
            canvas.drawString(60, height, text)
            height -= size + 8
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_markdown_keeps_headings_and_loses_links_comments_and_front_matter() -> None:
    text = "---\ntitle: Guide\n---\nReturns\n=======\n\nSee [the shop](http://x.y). <!-- hidden -->\n\n"
    text += "```\n# no heading\n```\n"
    found = parse(text.encode(), "guide.md")
    assert (found.title, found.text) == ("Guide", "# Returns\n\nSee the shop.\n\n```\n# no heading\n```")


def test_html_keeps_what_people_see() -> None:
    page = (
        "<html><head><title>T</title><style>p{}</style></head><body><nav>Menu</nav><h1>保証</h1><p>期間は<b>2年</b>です。</p>"
        "<script>alert(1)</script><ul><li>一つ</li><li>二つ</li></ul>"
        "<table><tr><th>品名</th><th>価格</th></tr><tr><td>アオバ</td><td>500円</td></tr></table><h2>終わり</h2></body></html>"
    )
    found = parse(page.encode("cp932"), "page.html")
    assert found.title == "保証"
    expected = [
        "# 保証",
        "期間は2年です。",
        "- 一つ\n- 二つ",
        "| 品名 | 価格 |\n| --- | --- |\n| アオバ | 500円 |",
        "## 終わり",
    ]
    assert found.text == "\n\n".join(expected)


def test_word_documents_keep_headings_lists_and_tables() -> None:
    document = docx.Document()
    document.add_heading("Koridel 205", 0)
    document.add_heading("Weight", 1)
    document.add_paragraph("It weighs 3 kg.")
    document.add_paragraph("first", style="List Bullet")
    table = document.add_table(2, 2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells), ("Item", "Value", "Color", "red"), strict=True
    ):
        cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    found = parse(buffer.getvalue(), "k.docx")
    assert found.title == "Koridel 205"
    assert found.text == (
        "# Koridel 205\n\n# Weight\n\nIt weighs 3 kg.\n\n- first\n\n| Item | Value |\n| --- | --- |\n| Color | red |"
    )


def presentation(*slides: tuple[str, list[str]]) -> Any:
    made = Presentation()
    for title, lines in slides:
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(lines)
    return made


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_presentations_keep_slides_titles_tables_groups_and_notes() -> None:
    made = presentation(("Koridel 205", ["It weighs 3 kg."]), ("保証", ["期間は2年です。", "レシートが必要です。"]))
    first, second = made.slides
    second.notes_slide.notes_text_frame.text = "海外では1年です。"
    table = first.shapes.add_table(2, 2, Inches(1), Inches(5), Inches(4), Inches(1)).table
    for place, text in enumerate(("Item", "Value", "Color", "red")):
        table.cell(place // 2, place % 2).text = text
    grouped = first.shapes.add_group_shape().shapes.add_textbox(Inches(1), Inches(6.5), Inches(3), Inches(1))
    grouped.text_frame.text = "Made in Japan"
    made.slides.add_slide(made.slide_layouts[6])
    found = parse(saved(made), "k.pptx")
    assert found.title == "Koridel 205"
    parts = [
        "## Koridel 205",
        "It weighs 3 kg.",
        "| Item | Value |\n| --- | --- |\n| Color | red |",
        "Made in Japan",
        "## 保証",
        "- 期間は2年です。\n- レシートが必要です。",
        "海外では1年です。",
    ]
    assert found.text == "\n\n".join(parts)
    assert [found.text[start:].split("\n")[0] for start in found.pages[:2]] == ["## Koridel 205", "## 保証"]
    assert found.notes == [{"code": "slide_empty", "params": {"page": 3}}]


def test_pdf_pages_headings_and_broken_lines_are_put_together() -> None:
    first = [
        ("Koridel 205 manual", 20),
        ("The Koridel 205 is a quiet machine that stands", 11),
        ("on any kitchen counter.", 11),
    ]
    found = parse(pdf([first, [("Warranty", 15), ("The warranty lasts 2 years.", 11)]]), "k.pdf")
    assert found.title == "Koridel 205 manual"
    assert "is a quiet machine that stands on any kitchen counter." in found.text
    assert "## Warranty\n\nThe warranty lasts 2 years." in found.text
    assert found.text[found.pages[1] :].startswith("## Warranty")


def test_japanese_pdf_is_read() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    found = parse(pdf([[("取扱説明書", 20), ("アオバクリーン30の重さは3kgです。", 11)]], "HeiseiKakuGo-W5"), "k.pdf")
    assert (found.title, "アオバクリーン30の重さは3kgです。" in found.text) == ("取扱説明書", True)


def test_a_page_without_text_is_named_and_a_scan_is_refused() -> None:
    found = parse(pdf([[("Some words here.", 11)], []]), "k.pdf")
    assert found.notes == [{"code": "page_without_text", "params": {"page": 2}}]
    with pytest.raises(KurabeError, match="scanned_pdf"):
        parse(pdf([[], []]), "scan.pdf")


def test_a_locked_pdf_is_refused_and_an_empty_password_opens() -> None:
    for password, refused in (("secret", True), ("", False)):
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf([[("Some words.", 11)]]))))
        writer.encrypt(password, "owner", algorithm="RC4-128")
        buffer = io.BytesIO()
        writer.write(buffer)
        if refused:
            with pytest.raises(KurabeError, match=r"knowledge\.encrypted"):
                parse(buffer.getvalue(), "locked.pdf")
        else:
            assert "Some words." in parse(buffer.getvalue(), "open.pdf").text


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * (60 << 20))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.docx", zip_bomb(), "knowledge.archive_bomb"),
        ("a.docx", b"PK\x03\x04broken", "knowledge.broken_document"),
        ("a.pptx", zip_bomb(), "knowledge.archive_bomb"),
        ("a.pptx", b"PK\x03\x04broken", "knowledge.broken_document"),
        ("a.pptx", saved(docx.Document()), "knowledge.broken_document"),
        ("a.pptx", b"\xd0\xcf\x11\xe0old", "knowledge.encrypted"),
        ("a.docx", b"\xd0\xcf\x11\xe0old", "knowledge.encrypted"),
        ("a.pdf", b"%PDF-1.4 nothing", "knowledge.broken_document"),
        ("a.pdf", b"no pdf at all", "knowledge.broken_document"),
        ("a.csv", b"PK\x03\x04\x00\x00rest", "datasets.binary_file"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\x00\x00", "datasets.binary_file"),
        ("a.md", b"", "knowledge.empty_document"),
        ("a.md", b"  \n\n ", "knowledge.empty_document"),
        ("a.csv", b'a,"' + b"x" * (2 << 20) + b'"\n', "knowledge.broken_document"),
        ("a.html", b"<script>only()</script>", "knowledge.empty_document"),
        ("a.odt", b"x", "knowledge.unknown_format"),
    ],
)
def test_hostile_documents_are_refused_with_the_reason(name: str, data: bytes, code: str) -> None:
    with pytest.raises(KurabeError) as refused:
        parse(data, name)
    assert (refused.value.code, refused.value.params["name"]) == (code, name)


def test_deeply_nested_html_does_not_break_the_reader() -> None:
    assert "deep" in parse(b"<div>" * 5000 + b"deep" + b"</div>" * 5000, "deep.html").text


def test_every_reader_has_its_own_endings() -> None:
    endings = [suffix for kind in document_readers.all().values() for suffix in kind.suffixes]
    assert len(endings) == len(set(endings))


def test_rows_of_a_wide_table_become_passages_that_name_their_header() -> None:
    table = "商品名,価格,保証期間,重量,備考\nアオバクリーン30,5000円,2年,3kg,屋内専用の商品です\n"
    table += "アオバクール5,8000円,5年,9kg,専用の台が付きます\n"
    found = parse(table.encode("cp932"), "価格表.csv")
    chunks = chunk_document("d", found.title, found.text, COUNTER)
    assert [chunk.full_title for chunk in chunks] == ["価格表 > アオバクリーン30", "価格表 > アオバクール5"]
    assert chunks[1].text.split("\n")[:3] == ["商品名: アオバクール5", "価格: 8000円", "保証期間: 5年"]


def test_passages_are_cut_at_headings_and_stay_within_their_length() -> None:
    sentence = "The quick brown fox number {n} jumps over the lazy dog near the river. "
    long = "".join(sentence.format(n=n) for n in range(60))
    text = f"# Guide\n\nIntro.\n\n## Long\n\n{long}\n\n## Short one\n\nA little.\n\n## Short two\n\nA bit more."
    chunks = chunk_document("d", "Guide", text, COUNTER)
    assert max(chunk.tokens for chunk in chunks) <= 210
    assert all(chunk.text.endswith((".", "more.")) for chunk in chunks)
    joined = " ".join(chunk.text for chunk in chunks)
    assert all(f"number {n} jumps" in joined for n in range(60))
    assert chunks[-1].text == "## Short one\nA little.\n## Short two\nA bit more."
    assert {chunk.full_title for chunk in chunks[1:-1]} == {"Guide > Long"}
    assert len({chunk.id for chunk in chunks}) == len(chunks)


def test_one_endless_word_is_cut_rather_than_refused() -> None:
    chunks = chunk_document("d", "T", "あ" * 5000, COUNTER)
    assert "".join(chunk.text for chunk in chunks) == "あ" * 5000
    assert max(chunk.tokens for chunk in chunks) <= 200


def test_a_divided_table_repeats_its_header() -> None:
    rows = "\n".join(f"| Item {n} | value {n} |" for n in range(80))
    chunks = chunk_document("d", "T", f"| Name | Value |\n| --- | --- |\n{rows}", COUNTER)
    assert len(chunks) > 3
    assert all(chunk.text.startswith("| Name | Value |\n| --- | --- |\n| Item") for chunk in chunks)


def test_json_lines_become_sections_where_records_have_a_text_and_a_table_where_they_have_none() -> None:
    lines = (
        '{"title": "Koridel 205", "text": "It weighs 3 kg.", "tags": ["home", "new"], "maker": {"name": "Kori"}}\n\n'
        '{"質問": "保証は?", "回答": "2年です。\\u0000"}\r\n"A line alone."\n'
    )
    found = parse(lines.encode("utf-8-sig"), "faq.jsonl")
    parts = [
        "## Koridel 205",
        "It weighs 3 kg.",
        '- tags: home, new\n- maker: {"name": "Kori"}',
        "## 保証は?",
        "2年です。",
        "A line alone.",
    ]
    assert (found.title, found.text) == ("faq", "\n\n".join(parts))
    table = '{"商品名": "アオバ", "価格": 500}\n{"商品名": "ベニ", "在庫": true}\n'.encode("cp932")
    assert parse(table, "price.ndjson").text.split("\n")[2:] == ["| アオバ | 500 |  |", "| ベニ |  | true |"]


@pytest.mark.parametrize(
    ("data", "detail"),
    [(b'{"text": "a"}\n{"text": \n', "2: "), (b'{"a": 1, "a": 2}\n', "1: a"), (b"\n\n[" + b"[" * 60_000, "3: ")],
    ids=["cut off", "a doubled key", "bottomless"],
)
def test_a_line_of_json_that_cannot_be_read_is_named(data: bytes, detail: str) -> None:
    with pytest.raises(KurabeError) as refused:
        parse(data, "a.jsonl")
    assert refused.value.code == "knowledge.broken_document" and refused.value.params["detail"].startswith(detail)


def test_sheets_of_a_workbook_become_tables() -> None:
    book = openpyxl.Workbook()
    book.active.title = "価格"
    for row in (["商品名", "価格"], ["アオバ", 500.0], [None], ["ベニ", "無料"]):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    found = parse(buffer.getvalue(), "price.xlsx")
    assert found.text == "| 商品名 | 価格 |\n| --- | --- |\n| アオバ | 500 |\n| ベニ | 無料 |"


def test_a_zip_file_gives_its_documents_with_names_that_cannot_be_paths() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../etc/passwd.txt", "words")
        archive.writestr("manuals/a.md", "# A")
        archive.writestr("__MACOSX/a.md", "x")
        archive.writestr("manuals/.DS_Store", "x")
        archive.writestr("規定.md", "# 規定")
    names = [name for name, _ in unpacked("all.zip", buffer.getvalue())]
    assert names == ["etc - passwd.txt", "manuals - a.md", "規定.md"]
    with pytest.raises(KurabeError, match="broken_document"):
        list(unpacked("all.zip", b"PK\x03\x04broken"))
