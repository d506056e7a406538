"""Rows: worded as the approaches word them, all accounted for, the same ones for the same seed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import KurabeError
from core.knowledge import IndexConfig, add_document, build_index, default_kb
from core.prompting import IGNORED, ChatTemplate
from core.settings import DATA
from core.store import tables as tb
from core.store import write
from core.training import PreparedRows, TrainingConfig, prepare_rows
from tests.training.conftest import Known

TEMPLATE = ChatTemplate.load(DATA / "starter")


def prepared(config: TrainingConfig) -> PreparedRows:
    rows = prepare_rows(config, TEMPLATE, "en")
    assert rows.rows_in == len(rows.train) + len(rows.listed)
    return rows


def config(known: Known, **fields: object) -> TrainingConfig:
    values = {"epochs": 1, "instructions": "Answer.", **fields}
    return TrainingConfig(dataset_version_id=known.version, **values)  # type: ignore[arg-type]  # by name


def change(known: Known, position: int, **values: object) -> None:
    with write() as session:
        row = session.query(tb.Example).filter_by(version_id=known.version, position=position).one()
        for name, value in values.items():
            setattr(row, name, value)


@pytest.fixture
def index(known: Known, monkeypatch: pytest.MonkeyPatch) -> str:
    """Documents of which each holds the weight of one Aster, searched by full text."""
    from core.settings import reset_settings

    monkeypatch.setenv("KURABE_EMBEDDER", "none")
    reset_settings()
    base = default_kb(known.project)
    for number in range(12):
        text = f"# Aster {number}\n\nThe Aster {number} weighs {number * 7 % 50} kg. It comes in blue.\n"
        add_document(base.id, f"aster-{number}.md", text.encode())
    for position in range(36):
        number = position // 3
        quote = f"The Aster {number} weighs {number * 7 % 50} kg."
        change(known, position, gold=[{"document": f"aster-{number}.md", "quote": quote}])
    return build_index(base.id, IndexConfig()).id


def test_plain_rows_ask_the_bare_question_and_learn_the_answer(known: Known) -> None:
    rows = prepared(config(known))
    assert len(rows.train) == 24 and len(rows.validation) == 12
    first = rows.train[0]
    assert [m["content"] for m in first.messages[:2]] == ["Answer.", "How heavy is the Aster 0?"]
    learned = [
        token for token, label in zip(first.tokens.input_ids, first.tokens.labels, strict=True) if label != IGNORED
    ]
    assert TEMPLATE.decode(learned) == first.messages[-1]["content"]


def test_smaller_shares_of_the_data_are_part_of_larger_ones(known: Known) -> None:
    def chosen(share: float) -> set[str]:
        return {row.example_id for row in prepared(config(known, data_share=share)).train}

    assert chosen(0.1) < chosen(0.25) < chosen(0.5) < chosen(1.0)
    assert [len(chosen(share)) for share in (0.1, 0.25, 0.5, 1.0)] == [2, 6, 12, 24]


def test_rows_that_cannot_be_used_are_listed_with_their_reason(known: Known) -> None:
    change(known, 0, answer="  ")
    rows = prepared(config(known))
    assert [(row.position, row.code) for row in rows.listed] == [(0, "no_answer")]
    with pytest.raises(KurabeError, match="nothing_left"):
        prepared(config(known, max_length=16))


def test_a_stored_chat_is_trained_as_it_is_and_opened_by_the_instructions(known: Known) -> None:
    chat = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "And the weight?"},
        {"role": "assistant", "content": "12 kg"},
    ]
    change(known, 0, messages=chat)
    rows = prepared(config(known))
    assert rows.train[0].messages == [{"role": "system", "content": "Answer."}, *chat]
    own = [{"role": "system", "content": "Be brief."}, *chat]
    change(known, 0, messages=own)
    assert prepared(config(known)).train[0].messages == own


def test_rows_with_passages_show_the_right_one_among_others(known: Known, index: str) -> None:
    rows = prepared(config(known, row_style="raft", index_version_id=index, without_gold=0.0))
    assert len(rows.train) == 24 and rows.kept_plain == 0
    places = set()
    for row in rows.train:
        content = row.messages[-2]["content"]
        number = row.position // 3
        assert row.gold_shown is True
        assert f"The Aster {number} weighs" in content and content.startswith("Documents:\n[1] ")
        assert content.count("weighs") == 4
        places.add(
            next(i for i in range(1, 5) if f"The Aster {number} weighs" in content.split(f"[{i}] ")[1].split("[")[0])
        )
    assert len(places) > 1, "the right passage must not always stand in the same place"


def test_a_share_of_rows_lacks_the_right_passage(known: Known, index: str) -> None:
    rows = prepared(config(known, row_style="raft", index_version_id=index, without_gold=0.5))
    lacking = [row for row in rows.train if not row.gold_shown]
    assert 4 <= len(lacking) <= 20
    for row in lacking:
        assert f"The Aster {row.position // 3} weighs" not in row.messages[-2]["content"].replace("?", "")
    again = prepared(config(known, row_style="raft", index_version_id=index, without_gold=0.5))
    assert [row.messages for row in again.train] == [row.messages for row in rows.train]


def test_rows_whose_source_nobody_knows_stay_plain(known: Known, index: str) -> None:
    change(known, 0, gold=[])
    change(known, 1, gold=[{"document": "aster-0.md", "quote": "no such words"}])
    change(known, 3, gold=[], expects={"abstain": True}, answer="I could not find that.")
    rows = prepared(config(known, row_style="raft", index_version_id=index))
    styles = {row.position: row.style for row in rows.train}
    assert rows.kept_plain == 2
    assert styles[0] == styles[1] == "plain"
    assert styles[3] == "passages" and next(r for r in rows.train if r.position == 3).gold_shown is False


def test_mixed_rows_come_both_ways(known: Known, index: str) -> None:
    rows = prepared(config(known, row_style="mix", index_version_id=index))
    assert rows.rows_in == 48
    assert sorted(row.style for row in rows.train) == ["passages"] * 24 + ["plain"] * 24


def test_long_rows_lose_distractors_before_they_are_left_out(known: Known, index: str) -> None:
    wide = config(known, row_style="raft", index_version_id=index, without_gold=0.0)
    longest = max(len(row.tokens) for row in prepared(wide).train)
    narrow = prepared(replace(wide, max_length=longest - 20))
    assert narrow.passages_dropped > 0 and not narrow.listed
    assert all(row.gold_shown for row in narrow.train)


def test_rows_with_passages_need_an_index(known: Known) -> None:
    with pytest.raises(KurabeError, match="no_index"):
        prepared(config(known, row_style="raft"))
