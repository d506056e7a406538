"""Documents become passages that can be found, in both languages, and deletion is real."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core import datasets, knowledge
from core.errors import KurabeError
from core.knowledge import IndexConfig
from core.knowledge.tables import table_names
from core.settings import settings
from core.store import tables as tb
from core.store import write

TEXT_ONLY = IndexConfig(embedder="none", tokenizer="estimate")

MANUAL = """# Koridel {n} manual

Welcome to your new Koridel {n}. Read these pages before you use it for the first time.

## Weight

The Koridel {n} weighs {w} kg without its box and stands safely on any kitchen counter that is level and dry.

## Warranty

The warranty of the Koridel {n} lasts {y} years from the day of purchase. Keep the receipt in a safe place.
"""


def project(language: str = "en") -> str:
    with write() as session:
        made = tb.Project(name="Test", language=language)
        session.add(made)
    return made.id


@pytest.fixture
def manuals() -> str:
    kb = knowledge.default_kb(project()).id
    for number in range(201, 221):
        text = MANUAL.format(n=number, w=number - 198, y=number % 5 + 1)
        knowledge.add_document(kb, f"koridel-{number}.md", text.encode())
    return kb


def test_a_product_name_brings_its_own_manual_to_the_top(manuals: str) -> None:
    version = knowledge.build_index(manuals, TEXT_ONLY)
    for number in (201, 205, 212, 220):
        result = knowledge.search(version.id, f"How heavy is the Koridel {number}?", k=4)
        assert result.hits[0].document_name == f"koridel-{number}.md"
        assert (result.mode, result.embedder) == ("text", None)
        assert result.notes[0]["code"] == "vectors_off"
        assert result.spans["search"] > 0
        assert [hit.text_rank for hit in result.hits] == [1, 2, 3, 4]


def test_japanese_is_found_in_full_and_half_width() -> None:
    kb = knowledge.default_kb(project("ja")).id
    knowledge.add_document(
        kb, "就業規則.md", "# 就業規則\n\n## 休暇\n\n有給休暇の申請は三日前までにサーバーで行います。".encode("cp932")
    )
    knowledge.add_document(kb, "返品.txt", "返品規定\n\n商品の返品は到着後30日以内に受け付けます。".encode("euc_jp"))
    version = knowledge.build_index(kb, TEXT_ONLY)
    assert knowledge.search(version.id, "有給休暇はいつ申請しますか。").hits[0].document_name == "就業規則.md"
    assert knowledge.search(version.id, "ｻｰﾊﾞｰ").hits[0].document_name == "就業規則.md"
    assert knowledge.search(version.id, "返品は何日以内ですか").hits[0].title == "返品規定"


def test_an_unchanged_knowledge_base_keeps_its_version_and_an_edit_makes_a_new_one(manuals: str) -> None:
    first = knowledge.build_index(manuals, TEXT_ONLY)
    assert knowledge.build_index(manuals, TEXT_ONLY).id == first.id
    document = knowledge.current_document(manuals, "koridel-205.md")
    assert document is not None
    knowledge.edit_document(document.id, document.text.replace("weighs 7 kg", "weighs 99 kg"))
    assert knowledge.stale_documents(manuals) == ["koridel-205.md"]
    second = knowledge.refresh_index(manuals)
    assert second.id != first.id
    assert "99 kg" in knowledge.search(second.id, "weight of the Koridel 205").hits[0].text
    assert "7 kg" in knowledge.search(first.id, "weight of the Koridel 205").hits[0].text
    assert [row.version for row in knowledge.document_versions(document.id)] == [2, 1]


def test_deleting_a_document_removes_its_words_everywhere(manuals: str) -> None:
    first = knowledge.build_index(manuals, TEXT_ONLY)
    document = knowledge.current_document(manuals, "koridel-207.md")
    assert document is not None
    served = knowledge.delete_document(document.id)
    assert served is not None and served.id != first.id
    assert all(hit.document_name != "koridel-207.md" for hit in knowledge.search(served.id, "Koridel 207", k=50).hits)
    with pytest.raises(KurabeError, match="source_removed"):
        knowledge.search(first.id, "Koridel 207")
    assert table_names() == [served.table_name]
    with pytest.raises(KurabeError, match=r"store\.missing"):
        knowledge.document(document.id)
    stored = [path for path in settings().path("documents").rglob("*") if path.is_file()]
    assert not any(b"Koridel 207" in path.read_bytes() for path in stored)
    assert len(stored) == 19


def test_what_another_process_serves_or_withdraws_is_seen_by_the_next_search(manuals: str) -> None:
    first = knowledge.build_index(manuals, TEXT_ONLY)
    assert knowledge.search(first.id, "Koridel 207").hits
    elsewhere(
        "from core import knowledge as k;"
        f"d = k.current_document({manuals!r}, 'koridel-207.md'); k.edit_document(d.id, d.text + ' It floats.');"
        f"k.refresh_index({manuals!r})"
    )
    served = knowledge.latest_index(manuals)
    assert served is not None and served.id != first.id
    assert "It floats" in knowledge.search(served.id, "Koridel 207 floats").hits[0].text
    elsewhere(f"from core import knowledge as k; k.delete_index({first.id!r})")
    with pytest.raises(KurabeError, match="source_removed"):
        knowledge.search(first.id, "Koridel 207")


def elsewhere(program: str) -> None:
    """Run a program in a process of its own."""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_a_stopped_build_leaves_the_served_version_and_no_table(manuals: str) -> None:
    first = knowledge.build_index(manuals, TEXT_ONLY)
    knowledge.add_document(manuals, "new.md", b"# New\n\nSomething new.")
    calls = iter([False] * 5 + [True] * 1000)
    with pytest.raises(KurabeError, match="build_stopped"):
        knowledge.build_index(manuals, TEXT_ONLY, should_stop=lambda: next(calls))
    served = knowledge.latest_index(manuals)
    assert served is not None and served.id == first.id
    assert table_names() == [first.table_name]


def test_gold_quotes_are_found_in_their_passages_and_recall_is_measured(manuals: str) -> None:
    version = knowledge.build_index(manuals, TEXT_ONLY)
    quote = "The Koridel 205 weighs 7 kg"
    [hit] = knowledge.chunks_for_quote(version.id, "koridel-205.md", quote)
    assert quote in hit.text
    assert [found.chunk_id for found in knowledge.get_chunks(version.id, [hit.chunk_id, "nothing"])] == [hit.chunk_id]
    rows = "question,answer,quote,document,slice\n" + "".join(
        f"How many kilograms has the Koridel {n}?,{n - 198} kg,The Koridel {n} weighs {n - 198} kg,koridel-{n}.md,a\n"
        for n in range(201, 221)
    )
    kb_project = knowledge.index_version(version.id).project_id
    questions = datasets.import_file(kb_project, rows.encode(), "q.csv", split="test")
    report = knowledge.judge_search(version.id, knowledge.questions_with_gold(questions.id), k=4)
    assert (report.questions, report.best.recall.estimate, report.not_indexed) == (20, 1.0, ())
    assert {name: interval.estimate for name, interval in report.best.slices.items()} == {"a": 1.0}


def test_asking_for_vectors_where_there_are_none_is_refused(manuals: str) -> None:
    version = knowledge.build_index(manuals, TEXT_ONLY)
    with pytest.raises(KurabeError, match="no_vectors"):
        knowledge.search(version.id, "weight", mode="hybrid")


def test_what_may_be_found_can_be_narrowed(manuals: str) -> None:
    knowledge.add_document(
        manuals, "bob's list.md", b"# Bob's list\n\n## Weight\n\nThe Koridel 205 is heavy, says Bob."
    )
    version = knowledge.build_index(manuals, TEXT_ONLY)

    def names(only: knowledge.Filter) -> set[str]:
        hits = knowledge.search(version.id, "How heavy is the Koridel 205?", k=50, only=only).hits
        return {hit.document_name for hit in hits}

    assert names(knowledge.Filter(documents=("koridel-209.md", "bob's list.md"))) == {"koridel-209.md", "bob's list.md"}
    assert names(knowledge.Filter(heading="BOB'S")) == {"bob's list.md"}
    assert names(knowledge.Filter(pages=(3, 4))) == set()
    assert len(names(knowledge.Filter())) > 10


def test_deleted_text_is_in_no_file_any_more(manuals: str) -> None:
    knowledge.add_document(manuals, "secret.md", b"# Secret\n\nThe Quimbolan formula stays between us.")
    knowledge.build_index(manuals, TEXT_ONLY)
    document = knowledge.current_document(manuals, "secret.md")
    assert document is not None
    knowledge.edit_document(document.id, document.text + " Really, the Quimbolan one.")
    knowledge.refresh_index(manuals)
    assert holding(b"Quimbolan")
    current = knowledge.current_document(manuals, "secret.md")
    assert current is not None
    knowledge.delete_document(current.id)
    assert holding(b"Quimbolan") == []


def holding(words: bytes) -> list[str]:
    """Return the files of the home that hold some words."""
    files = [path for path in settings().home.rglob("*") if path.is_file()]
    return [path.name for path in files if words in path.read_bytes()]
