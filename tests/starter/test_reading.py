"""What the starter's examination counts: judged on the generator's own references and on wrong answers."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from core.starter.evaluation import Tally, cell, evaluate, table
from core.starter.kept import kept
from core.starter.network import Shape, new_network
from core.starter.reading import ReadingScore, abstains, cited, cites_rightly, draw
from core.starter.source import load_source
from core.starter.tokenizer import save_tokenizer, train_tokenizer


def test_every_reference_is_judged_right() -> None:
    score = ReadingScore()
    questions = draw(load_source(), random.Random(1), 400)
    for asked in questions:
        score.add(asked, asked.reference)
        assert kept(asked, asked.reference), asked.reference
    assert score.exact == score.answerable > 200
    assert score.cited == score.citable > 50
    assert score.abstained == score.absent > 40
    assert score.refused == 0
    assert score.identical == 400


@pytest.mark.parametrize("style", ["closing", "prefix"])
def test_only_the_whole_string_that_was_asked_for_keeps_the_format(style: str) -> None:
    for asked in draw(load_source(), random.Random(5), 60, kind="context", style=style):
        broken = asked.reference[1:-1]
        assert kept(asked, asked.reference) and not kept(asked, broken)


def test_a_wrong_refusal_is_not_counted_as_a_broken_format_too() -> None:
    refusals = {"en": "I could not find that in the documents.", "ja": "資料には見つかりませんでした。"}
    for style, marks in (("bold", "**"), ("cite", "[")):
        for language, refusal in refusals.items():
            common = {"kind": "context", "style": style, "missing": 0.0, "language": language}
            for asked in draw(load_source(), random.Random(6), 40, **common):
                if asked.values:
                    assert kept(asked, refusal)
                    assert not kept(asked, asked.reference.replace(marks, ""))


def test_another_questions_answer_is_judged_wrong() -> None:
    questions = [q for q in draw(load_source(), random.Random(2), 300, kind="context", missing=0.0) if q.values]
    score = ReadingScore()
    for asked, other in zip(questions, questions[1:] + questions[:1], strict=True):
        score.add(asked, other.reference)
    assert score.exact < 0.1 * score.answerable


def test_a_refusal_is_a_refusal_in_every_format_and_not_an_answer() -> None:
    for asked in draw(load_source(), random.Random(3), 200, kind="context", missing=1.0):
        if not asked.values:
            assert abstains(asked.reference)
    assert not abstains("The Zenta weighs 840 grams.", ["840 grams"])
    assert not abstains("The value is unknown to none: 840 grams.", ["840 grams"])


@pytest.mark.parametrize(
    ("text", "key", "number"),
    [
        ("It weighs 3 kg. [2]", None, "2"),
        ("重さは3kgです。[4]", None, "4"),
        ("Answer: 3 kg\nSource: 1", None, "1"),
        ('{"value": "3", "ref": 2}', "ref", "2"),
        ("It weighs 3 kg.", None, None),
        ("{broken", "ref", None),
    ],
)
def test_a_citation_is_read_from_brackets_fields_or_json(text: str, key: str | None, number: str | None) -> None:
    assert cited(text, key) == number


def test_a_wrong_passage_is_not_the_right_citation() -> None:
    asked = next(q for q in draw(load_source(), random.Random(4), 50, style="cite", kind="context") if q.citation)
    wrong = asked.reference.replace(f"[{asked.citation}]", "[9]")
    assert cites_rightly(asked, asked.reference) and not cites_rightly(asked, wrong)


def test_intervals_are_wilsons() -> None:
    tally = Tally()
    for index in range(100):
        tally.add(index < 95)
    report = tally.report()
    assert (report["low"], report["high"]) == (0.8882, 0.9785)
    assert cell(report) == "95.0 % (89–98), 95 of 100"
    assert cell(Tally().report()) == "not measured"


def test_the_report_of_a_model_covers_both_languages_and_every_kind(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(load_source(), vocabulary=600, count=40)
    model = new_network(Shape(width=64, layers=5, heads=4, inner=64), tokenizer.get_vocab_size())
    model.save_pretrained(str(tmp_path))
    save_tokenizer(tokenizer, tmp_path)
    report = evaluate(tmp_path, load_source(), questions=4, threads=1)
    assert len(report["slices"]) == 6
    for found in report["slices"].values():
        assert found["exact"]["all"] == 4 and found["abstains"]["all"] == 1 and found["closed"]["all"] == 1
    text = table(json.loads(json.dumps(report)))
    assert "en: invented names" in text and "ja: new wordings" in text
