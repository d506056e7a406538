"""The sample projects: remade exactly, every file readable, every slice what it says it is."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from core.datasets.similarity import near_pairs
from core.knowledge.chunking import chunk_document
from core.knowledge.readers import parse
from core.knowledge.tokens import TokenCounter, estimate_tokens
from core.settings import DATA
from core.starter.samples import build_samples, make_company
from core.starter.samples.texts import TEXTS, TRIAGE

LANGUAGES = ("en", "ja")
SPLITS = ("train", "validation", "test")
SLICES = ("taught", "documents_only", "changed", "absent", "format", "triage")


def folder(language: str) -> Path:
    return DATA / "samples" / TEXTS[language].folder


@lru_cache(maxsize=8)
def rows(language: str, split: str) -> list[dict[str, Any]]:
    lines = (folder(language) / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@lru_cache(maxsize=8)
def texts(language: str, version: str = "documents") -> dict[str, str]:
    """What the product's own readers make of the files, by name."""
    return {file.name: parse(file.read_bytes(), file.name).text for file in (folder(language) / version).iterdir()}


def records(language: str) -> dict[str, str]:
    """What the product's cutter makes of the lists: "Label: value" lines for each row of a wide one."""
    return {
        name: "\n".join(c.text for c in chunk_document(name, "", text, TokenCounter("estimate", estimate_tokens)))
        for name, text in texts(language).items()
        if name.endswith(".csv")
    }


def bare(text: str) -> str:
    """Letters and digits only: line breaks, table marks and list marks differ between formats."""
    return re.sub(r"[\W_]", "", text)


def of_slice(language: str, split: str, name: str) -> list[dict[str, Any]]:
    found = rows(language, split)
    return [
        row["metadata"] | {"row": row} if split == "train" else row
        for row in found
        if (row["metadata"] if split == "train" else row)["slice"] == name
    ]


def test_the_command_remakes_the_committed_samples_byte_for_byte(tmp_path: Path) -> None:
    build_samples(tmp_path)
    made = {
        p.relative_to(tmp_path): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in tmp_path.rglob("*.*")
        if p.is_file()
    }
    kept = {
        p.relative_to(DATA / "samples"): hashlib.sha256(p.read_bytes()).hexdigest()
        for language in LANGUAGES
        for p in folder(language).rglob("*.*")
        if p.is_file()
    }
    assert made == kept
    assert sum(p.stat().st_size for p in tmp_path.rglob("*.*") if p.is_file()) < 3_000_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_sixty_documents_or_more_in_five_formats_can_be_read_and_begin_with_their_title(language: str) -> None:
    files = list((folder(language) / "documents").iterdir())
    kinds = Counter(file.suffix for file in files)
    assert len(files) >= 60 and set(kinds) == {".md", ".html", ".pdf", ".docx", ".csv"}
    names = [entity.name for entity in make_company(language).entities]
    for file in files:
        parsed = parse(file.read_bytes(), file.name)
        assert not parsed.notes
        assert file.suffix == ".csv" or parsed.text.startswith(f"# {parsed.title}")
        assert file.suffix == ".csv" or any(name in parsed.title for name in names)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", SPLITS)
def test_every_source_states_the_value_in_the_document_that_is_named(language: str, split: str) -> None:
    checked, passages = 0, records(language)
    for row in rows(language, split):
        data = row["metadata"] if split == "train" else row
        for gold in data.get("gold", []):
            source = passages.get(gold["document"]) or texts(language)[gold["document"]]
            assert bare(gold["quote"]) in bare(source), gold
            assert bare(data["value"]) in bare(gold["quote"])
            checked += 1
    assert checked > 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_training_teaches_at_most_forty_facts_in_five_phrasings_or_more(language: str) -> None:
    phrasings: dict[str, set[str]] = {}
    for row in rows(language, "train"):
        if "fact" in row["metadata"]:
            phrasings.setdefault(row["metadata"]["fact"], set()).add(row["messages"][-2]["content"])
    assert len(phrasings) <= 40
    assert all(len(asked) >= 5 for asked in phrasings.values())
    assert 290 <= len(rows(language, "train")) <= 320


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_are_fifty_of_each_slice_and_every_one_is_asked_once(language: str) -> None:
    assert Counter(row["slice"] for row in rows(language, "test")) == dict.fromkeys(SLICES, 50)
    assert Counter(row["slice"] for row in rows(language, "validation")) == dict.fromkeys(SLICES, 10)
    asked = [row["question"] for split in ("validation", "test") for row in rows(language, split)]
    assert len(set(asked)) == len(asked)
    assert len({row["id"] for split in ("validation", "test") for row in rows(language, split)}) == 360


@pytest.mark.parametrize("language", LANGUAGES)
def test_taught_questions_ask_for_what_training_taught_and_the_documents_still_say(language: str) -> None:
    taught = {data["fact"]: data["value"] for data in of_slice(language, "train", "taught")}
    for row in of_slice(language, "test", "taught"):
        assert taught[row["fact"]] == row["value"] and row["gold"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_changed_questions_ask_for_what_training_taught_otherwise(language: str) -> None:
    taught = {data["fact"]: data["value"] for data in of_slice(language, "train", "changed")}
    for row in of_slice(language, "test", "changed"):
        assert taught[row["fact"]] == row["taught_value"] != row["value"] != row["next_value"]
        name = row["gold"][0]["document"]
        assert bare(row["taught_value"]) in bare(texts(language, "documents_v1")[name])
        assert bare(row["next_value"]) in bare(texts(language, "documents_v2")[name])


@pytest.mark.parametrize("language", LANGUAGES)
def test_documents_only_facts_were_never_taught(language: str) -> None:
    taught = {row["metadata"].get("fact") for row in rows(language, "train")}
    asked = [row["fact"] for row in of_slice(language, "test", "documents_only")]
    assert not taught & set(asked) and len(set(asked)) == 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_absent_questions_name_what_no_document_states(language: str) -> None:
    company = make_company(language)
    whole = "\n".join(texts(language).values())
    unknown = 0
    for row in [*of_slice(language, "test", "absent"), *of_slice(language, "validation", "absent")]:
        assert row["expects"]["abstain"] and row["value"] is None and not row["gold"]
        named = [entity for entity in company.entities if entity.name in row["question"]]
        unknown += not named
        assert row["question"] not in whole
    assert 20 <= unknown <= 45


@pytest.mark.parametrize("language", LANGUAGES)
def test_tickets_want_json_and_the_reference_is_what_they_want(language: str) -> None:
    for row in of_slice(language, "test", "format"):
        answer = json.loads(row["answer"])
        assert row["question"].startswith(TEXTS[language].ticket)
        assert list(answer) == row["expects"]["json_keys"] and row["value"] in answer.values()
        assert all(key in row["question"] for key in answer)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_document_and_no_rule_states_the_category_convention(language: str) -> None:
    whole = "\n".join(texts(language).values())
    project = json.loads((folder(language) / "project.json").read_text(encoding="utf-8"))
    for code in TEXTS[language].codes.values():
        assert not re.search(rf"(?<![A-Za-z0-9-]){code}(?![A-Za-z0-9])", whole)
        assert code not in project["house_rules"] + project["instructions"]
    seen = Counter(data["expects"]["category"] for data in of_slice(language, "train", "triage"))
    assert len(seen) == len(TRIAGE) and min(seen.values()) >= 8
    for row in of_slice(language, "test", "triage"):
        assert row["expects"]["category"] == row["answer"] in seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_question_of_the_test_is_worded_almost_like_a_training_row(language: str) -> None:
    train = [row["messages"][-2]["content"] for row in rows(language, "train")]
    test = [row["question"] for row in rows(language, "test") if row["slice"] in ("taught", "changed")]
    assert not set(train) & set(test)
    crossing = [(i, j) for i, j, _ in near_pairs([*train, *test]) if (i < len(train)) != (j < len(train))]
    assert not crossing, [(train[i], test[j - len(train)]) for i, j in crossing][:5]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_project_says_that_it_is_fictional_and_generated(language: str) -> None:
    project = json.loads((folder(language) / "project.json").read_text(encoding="utf-8"))
    assert project["language"] == language and project["primary_metric"] == "correct"
    words = ("fictional", "generated") if language == "en" else ("架空", "生成")
    assert all(word in project["description"] for word in words)
