"""Every sentence exists in both languages with the same parameters, and every key that the code names exists."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from core.i18n import LANGUAGES, t
from core.i18n.catalogue import catalogue

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*ROOT.glob("core/**/*.py"), *ROOT.glob("pages/*.py")])
JAPANESE = re.compile(r"[ぁ-ヿ一-鿿]")


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def fields(sentence: str) -> list[tuple[str, str]]:
    """Names and what stands behind their colons, those inside of forms included."""
    here = [(name, spec or "") for _, name, spec, _ in string.Formatter().parse(sentence) if name]
    return here + [inner for _, spec in here for inner in fields(spec)]


def parameters(sentence: str) -> set[str]:
    return {name for name, _ in fields(sentence)}


def forms(sentence: str) -> list[tuple[str, str, str]]:
    """A count, its words for one, and its words for any other number."""
    return [(name, *spec.split("|")) for name, spec in fields(sentence) if "|" in spec]  # type: ignore[misc]  # two


def test_both_languages_have_the_same_keys() -> None:
    english, japanese = (catalogue(code).keys() for code in LANGUAGES)
    assert sorted(english - japanese) == []
    assert sorted(japanese - english) == []


def test_a_sentence_takes_the_same_parameters_in_both_languages() -> None:
    english, japanese = (catalogue(code) for code in LANGUAGES)
    different = [key for key in english if parameters(english[key]) != parameters(japanese.get(key, ""))]
    assert different == []


AGREEING = {key: forms(sentence) for key, sentence in catalogue("en").items() if forms(sentence)}
COUNTS = {name for found in AGREEING.values() for name, _, _ in found}
NOUNS = {many.split()[0] for found in AGREEING.values() for _, one, many in found if one and many.split()[0][-1] == "s"}
NEVER_ONE = {
    "charts.quality.title.many": "more than three lead",
    "datasets.finding.duplicates.near": "rows that repeat each other are two or more",
    "datasets.finding.duplicates.not_examined": "more than the limit",
    "datasets.finding.leakage.not_examined": "more than the limit",
    "decision.others": "more than three are not named",
    "error.cli.several_versions": "several begin alike",
    "training.preflight.sampled": "samples hold many rows",
    "ui.changes.points": "always with a decimal",
    "ui.changes.points.bare": "always with a decimal",
}
"""Sentences whose count keeps its plural, and why."""


def without_forms(sentence: str) -> str:
    parts = string.Formatter().parse(sentence)
    return "".join(text + ("" if name is None else "…" if "|" in (spec or "") else f"{{{name}}}")
                   for text, name, spec, _ in parts)  # fmt: skip


def test_words_agree_with_a_count_in_english_alone_and_have_two_forms() -> None:
    assert [key for key, sentence in catalogue("ja").items() if any("|" in spec for _, spec in fields(sentence))] == []
    assert AGREEING and all(one != many for found in AGREEING.values() for _, one, many in found)


@pytest.mark.parametrize("key", AGREEING)
def test_a_sentence_with_a_count_reads_for_one_and_for_two(key: str, caplog: pytest.LogCaptureFixture) -> None:
    sentence = catalogue("en")[key]
    texts = [t(key, "en", **dict.fromkeys(parameters(sentence), count)) for count in ("1", "2")]
    for place, text in enumerate(texts):
        expected = [found[1 + place] for found in AGREEING[key]]
        assert all(words.format(**dict.fromkeys(parameters(words), place + 1)) in text for words in expected), text
        assert "|" not in text and "{" not in text and "  " not in text
    assert not caplog.records, "both fit their parameters"


def test_a_count_before_a_plural_noun_agrees_with_it() -> None:
    """`{n} rows` would say "1 rows"; a share, a limit or the whole before it ("of {n} rows") keeps its plural."""
    whole = "".join(rf"(?<!{words} )" for words in (r"\bof", r"\bof the", r"\bthan", r"\b[Aa]bove", r"\bat most"))
    count, nouns = "|".join(sorted(COUNTS)), "|".join(sorted(NOUNS | {"people"}))
    stiff = re.compile(rf"{whole}\{{({count})\}} (?:(?!(?:of|the)\b)[a-z-]+ ){{0,2}}(?:{nouns})\b")
    found = {key: match.group() for key, sentence in catalogue("en").items()
             if (match := stiff.search(without_forms(sentence)))}  # fmt: skip
    assert {key: words for key, words in found.items() if key not in NEVER_ONE} == {}
    assert NEVER_ONE.keys() <= found.keys(), "an exception that is needed no more"


def test_no_sentence_is_empty_and_english_holds_no_japanese() -> None:
    assert [key for code in LANGUAGES for key, value in catalogue(code).items() if not value.strip()] == []
    mixed = [key for key, value in catalogue("en").items() if JAPANESE.search(value)]
    assert [key for key in mixed if not key.startswith(("ui.brand", "ui.language"))] == []


def test_every_error_says_what_to_do_next() -> None:
    known = catalogue("en")
    errors = [key for key in known if key.startswith("error.") and not key.endswith(".hint")]
    assert [key for key in errors if f"{key}.hint" not in known] == []


def literal_keys(file: Path) -> list[str]:
    """Keys given as plain text to `t`, and codes given to `KurabeError`."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            if name == "t":
                found.append(first.value)
            elif name == "KurabeError":
                found.append(f"error.{first.value}")
    return found


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_every_key_that_a_file_names_has_its_sentence(file: Path) -> None:
    known = catalogue("en")
    assert [key for key in literal_keys(file) if key not in known] == []


def test_every_approach_metric_criterion_method_and_setting_is_documented_in_both_languages() -> None:
    from core.approaches import PRESETS
    from core.decision import CRITERIA
    from core.measures import METRICS
    from core.settings import Settings
    from core.training import METHODS

    named = {
        "approaches.preset": PRESETS,
        "measures.metric": METRICS.names(),
        "decision.criterion": CRITERIA.names(),
        "training.method": METHODS.names(),
    }
    wanted = [f"{room}.{name}{part}" for room, names in named.items() for name in names for part in ("", ".help")]
    wanted += [f"settings.{name}" for name in Settings.model_fields]
    assert [key for code in LANGUAGES for key in wanted if key not in catalogue(code)] == []


def test_every_setting_has_a_sentence_under_its_field() -> None:
    import inspect

    from core.settings import Settings

    tree = ast.parse(inspect.getsource(Settings))
    documented = {
        field.target.id
        for field, doc in zip(tree.body[0].body, tree.body[0].body[1:], strict=False)  # type: ignore[attr-defined]  # a class
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(doc, ast.Expr)
    }
    assert documented == set(Settings.model_fields)
