"""Before an import a row is shown as the model would read it, and a workbook's sheet can be chosen."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from core.datasets import examples, latest_version
from core.store import tables as tb
from core.training import token_view
from core.ui.tokens import tokens_markdown
from tests.datasets.corpus import workbook
from tests.ui.conftest import Visitor, texts

LEARNED = re.compile(r":green-background\[(.*?)(?<!\\)\]")


def learned(app: Any) -> str:
    """Return what stands on green, without spaces."""
    found = "".join(LEARNED.findall("\n".join(str(part.value) for part in app.markdown)))
    return re.sub(r"\\(.)", r"\1", found).replace("\u00a0", "")


def select(app: Any, label: str) -> Any:
    return next(box for box in app.selectbox if box.label == label)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_row_is_shown_under_the_chat_template_while_columns_are_assigned(language: str, empty: tb.Project) -> None:
    visitor = Visitor(language, empty)
    app = visitor.open("questions")
    file = b"topic,said,wanted\nlamps,Which lamp is red?,Twelve\n"
    app.file_uploader[0].set_value(("odd.csv", file, "text/csv")).run()
    assert visitor.says("ui.row_preview") not in [part.label for part in app.expander], "no column is the question yet"
    select(app, visitor.says("ui.field.question")).set_value("said")
    select(app, visitor.says("ui.field.answer")).set_value("wanted").run()
    assert visitor.says("ui.row_preview") in [part.label for part in app.expander]
    assert learned(app).startswith("Twelve") and "im_end" in learned(app)
    select(app, visitor.says("ui.field.answer")).set_value("topic").run()
    assert learned(app).startswith("lamps"), "another column, another answer, at once"
    assert not app.exception


def test_the_whole_row_is_shown_and_the_share_that_is_learned_is_counted(filled: tb.Project) -> None:
    rows = [{"messages": [{"role": role, "content": said} for role, said in turns]} for turns in CHATS]
    visitor = Visitor("en", filled)
    app = visitor.open("questions", view="import")
    lines = "\n".join(json.dumps(row) for row in rows).encode()
    app.file_uploader[0].set_value(("chats.jsonl", lines, "application/json")).run()
    assert learned(app).startswith("Theredone.") and "Hello" not in learned(app)
    select(app, visitor.says("training.field.train_on")).set_value("assistant").run()
    assert "Hellotoyou" in learned(app) and "Theredone." in learned(app)
    share = re.search(r"Tokens: (\d+)\*\*, of which (\d+)", texts(app))
    assert share and 0 < int(share[2]) < int(share[1])
    assert not app.exception


CHATS = [
    [("user", "Hi"), ("assistant", "Hello to you"), ("user", "Which lamp?"), ("assistant", "The red one.")],
]


def test_the_preview_is_what_the_trainer_receives(filled: tb.Project) -> None:
    version = latest_version(filled.id)
    assert version is not None
    row = next(row for row in examples(version.id) if row.answer)
    view = token_view(row, "starter", "en", instructions="Answer.", house_rules="Be brief.")
    assert "".join(text for text, _ in view.pieces).count("Answer.\nBe brief.") == 1
    assert "".join(text for text, trained in view.pieces if trained).startswith(row.answer.strip())
    assert 0 < view.trained < view.tokens


def test_each_token_stands_alone_and_text_of_a_file_cannot_draw() -> None:
    shown = tokens_markdown([("a", False), (" **b**", True), ("\n", False), ("<b>[x](y)</b>", True), ("  ", False)])
    assert shown.count("-background[") == 5 and shown.count("green") == 2
    assert (
        r"\*\*b\*\*" in shown
        and r"\<b\>\[x\]\(y\)" in shown
        and "↵" in shown
        and ":gray-background[\u00a0\u00a0]" in shown
    )


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_sheet_of_a_workbook_is_chosen_even_if_the_first_is_no_table(language: str, empty: tb.Project) -> None:
    cover: list[list[object]] = [["answer", "answer"], ["a", "b"]]
    rows: list[list[object]] = [["question", "answer"], ["Which lamp?", "The red one."]]
    visitor = Visitor(language, empty)
    app = visitor.open("questions")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    app.file_uploader[0].set_value(("b.xlsx", workbook(("Cover", cover), ("FAQ", rows)), kind)).run()
    select(app, visitor.says("ui.import.sheet")).set_value("FAQ").run()
    assert "Cover" in texts(app), "the sheet that is not read is named"
    next(button for button in app.button if button.label == visitor.says("ui.import.do")).click().run()
    assert not app.exception
    version = latest_version(empty.id)
    assert version is not None and [row.answer for row in examples(version.id)] == ["The red one."]
    assert version.lineage["files"][0]["sheet"] == "FAQ"
