"""``dataset draft`` and what follows on the command line: drafted as a job, listed, decided, added, counted."""

from __future__ import annotations

import json

from tests.approaches.world import make_project
from tests.cli.running import done, run, told
from tests.evaluation.judge_server import judge_server, part


def drafting(system: str, user: str) -> str:
    name = part(user, "passage").split("\n")[0]
    pairs = [
        {"question": f"In which town is the {name} made?", "answer": "Lyon"},
        {"question": f"Who designed the {name}?", "answer": "Ada Lovelace"},
    ]
    return json.dumps(pairs)


def test_questions_are_drafted_decided_and_added() -> None:
    make_project(index=False)
    of_shop = ("-p", "Shop")
    with judge_server(drafting) as server:
        asked = ("dataset", "draft", *of_shop, "--url", server.url, "--model", "m", "--document", "Birch Lamp.md")
        plan = told(*asked, "--plan")
        assert (plan["calls"], plan["drafts"]) == (1, 2) and not server.asked
        made = told(*asked)
    assert (made["drafts"], made["unreadable"]) == (2, 0) and made["counts"]["doubtful"] == 1
    good, bad = told("dataset", "drafts", *of_shop)
    assert "is made in Lyon" in good["source"]["text"] and good["doubts"] == []
    assert [doubt["code"] for doubt in bad["doubts"]] == ["not_in_passage"]
    assert "found in the" in done("dataset", "drafts", *of_shop, "--show", "doubtful").stdout
    told("dataset", "accept", *of_shop, good["id"], "--question", "Where does the Birch Lamp come from?")
    told("dataset", "reject", *of_shop, bad["id"])
    [kept] = told("dataset", "drafts", *of_shop, "--show", "rejected")
    assert kept["id"] == bad["id"] and kept["decided_by"] and kept["decided_at"]
    before = told("dataset", "missing", *of_shop)["slices"][0]
    version = told("dataset", "add-accepted", *of_shop, "--slice", "origin")
    assert version["lineage"]["reason"] == "drafts" and version["row_count"] == 25
    after = told("dataset", "missing", *of_shop)
    assert after["slices"][0]["questions"] == before["questions"] + 1 and after["unjudged"] == 0
    assert run("dataset", "add-accepted", *of_shop).exit_code == 1


def test_unreadable_replies_are_listed_and_unknown_lists_refused() -> None:
    make_project(index=False)
    with judge_server(lambda system, user: "No.") as server:
        told("dataset", "draft", "-p", "Shop", "--url", server.url, "--model", "m", "--sources", "1")
    [call] = told("dataset", "drafts", "-p", "Shop", "--show", "unreadable")
    assert call["text"] == "No."
    result = run("dataset", "drafts", "-p", "Shop", "--show", "funny")
    assert result.exit_code == 1 and "doubtful" in result.stderr
