"""What the editor of approaches does, by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.store import tables as tb
from tests.approaches.endpoint_server import service
from tests.approaches.world import make_project
from tests.cli.running import done, run, told


@pytest.fixture
def project() -> tb.Project:
    return make_project()


def test_an_approach_is_made_changed_shown_and_put_away(project: tb.Project, tmp_path: Path) -> None:
    here = ("-p", project.id)
    made = told("approaches", "save", *here, "Wide search", "--kind", "rag", "--field", "k=8", "--name-ja", "広い検索")
    assert made["version"] == 1 and made["spec"]["context"] == {"name": "retrieved", "k": 8}
    assert made["labels"] == {"en": "Wide search", "ja": "広い検索"} and made["trouble"] is None
    changed = told("approaches", "save", *here, "Wide search", "--style", "Short.", "--field", "mode=text",
                   "--top-p", "0.9")  # fmt: skip
    assert changed["spec"]["decoding"]["top_p"] == 0.9
    assert changed["version"] == 2 and changed["spec"]["prompt"]["style"] == "Short."
    assert changed["spec"]["context"] == {"name": "retrieved", "k": 8, "mode": "text"}
    shown = told("approaches", "show", *here, "広い検索")
    assert [each["version"] for each in shown["versions"]] == [2, 1] and shown["id"] == changed["id"]
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(shown))
    copied = told("approaches", "save", *here, "From a file", "--spec", file, "--name-ja", "ファイルから")
    assert copied["hash"] == changed["hash"] and copied["version"] == 1
    assert told("approaches", "archive", *here, "Wide search")["archived"]
    assert "Wide search" not in {each["name"] for each in told("approaches", "list", *here)}
    assert [each["name"] for each in told("approaches", "list", *here, "--archived")] == ["Wide search"]
    assert told("approaches", "restore", *here, "Wide search")["current"]


def test_a_service_is_added_tested_and_asked(project: tb.Project) -> None:
    here = ("-p", project.id)
    with service() as served:
        arguments = ("Team service", "--kind", "endpoint", "--url", served.url, "--model", "team-model")
        made = told("approaches", "save", *here, *arguments)
        assert made["list_price"] is None and made["spec"]["model"]["url"] == served.url
        found = told("approaches", "test", *here, "Team service")
        assert found["listed"] and found["reasoning"] and "embeddings" not in found["missing"]
        sent = told("approaches", "preview", *here, "Team service", "Why?")
        answered = told("ask", *here, "Why?", "--approach", "Team service")
    assert list(answered) == ["Team service"] and answered["Team service"]["text"] == "team-model: WHY?"
    assert served.asked[-1]["messages"] == sent["messages"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("save", "New one"), "cli.approaches.kind"),
        (("save", "New one", "--kind", "rga"), "approaches.bad_field"),
        (("save", "New one", "--kind", "endpoint", "--url", "x", "--model", "m"), "approaches.endpoint_url"),
        (("save", "New one", "--kind", "rag", "--context", "retreived"), "registry.unknown"),
        (("save", "New one", "--kind", "rag", "--field", "k"), "approaches.bad_field"),
        (("save", "New one", "--kind", "rag", "--field", "depth=3"), "registry.bad_fields"),
        (("save", "New one", "--kind", "fine_tuned", "--adapter", "nowhere"), "models.adapter_missing"),
        (("save", "New one", "--spec", "nowhere.json"), "cli.approaches.file"),
        (("show", "Nobody"), "registry.unknown"),
        (("restore", "Nobody"), "store.missing"),
    ],
)
def test_what_is_wrong_is_said_with_a_hint(arguments: tuple[str, ...], code: str, project: tb.Project) -> None:
    result = run("approaches", arguments[0], "-p", project.id, *arguments[1:], "--json")
    error = json.loads(result.stderr)["error"]
    assert result.exit_code == 1 and error["code"] == code and error["hint"]


def test_a_name_that_no_approach_has_is_refused_before_a_test_run_starts(project: tb.Project) -> None:
    for words in (("evaluate", "-p", project.id), ("project", "compare", "-p", project.id)):
        result = run(*words, "--approach", "Nobody", "--json")
        assert result.exit_code == 1 and json.loads(result.stderr)["error"]["code"] == "registry.unknown"


def test_the_list_for_people_names_kind_model_and_version(project: tb.Project) -> None:
    assert "Retrieval" in (shown := done("approaches", "list", "-p", project.id).stdout) and "retrieved" in shown
