"""What the pages do can be done by commands: readable for people, JSON for machines, errors with a hint."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import tests.jobs.targets  # noqa: F401  # registers small job kinds
from core.cli.root import app
from core.jobs import submit, tick, wait
from core.settings import ROOT, reset_settings
from tests.approaches.world import rows
from tests.cli.running import done, run, told
from tests.evaluation.test_changes import again
from tests.evaluation.test_results import Written
from tests.knowledge.test_readers import pdf
from tests.training.weights import put_adapter, put_run


def commands(group: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command and group by its words."""
    found = []
    for name, command in group.commands.items():
        found.append((*path, name))
        if hasattr(command, "commands"):
            found += commands(command, (*path, name))
    return found


ALL = commands(typer.main.get_command(app))
EXPECTED = {"demo", "doctor", "project", "dataset", "knowledge", "train", "jobs", "ask", "evaluate", "report", "host"}


def test_every_command_that_was_promised_is_there() -> None:
    assert EXPECTED <= {path[0] for path in ALL}


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    result = done(*path, "--help")
    assert "Usage" in result.stdout
    command: Any = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    assert command.help, "one sentence at least"


ROOMS = [path for path in ALL if path[0] in ("train", "jobs", "runs") and len(path) > 1]


@pytest.mark.parametrize("path", ROOMS, ids=" ".join)
def test_everything_about_trainings_runs_and_jobs_can_be_told_to_machines(path: tuple[str, ...]) -> None:
    command: Any = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    assert "--json" in {name for parameter in command.params for name in parameter.opts}


@pytest.mark.parametrize(
    "path",
    [("train", "start"), ("runs", "repeat"), ("runs", "show"), ("jobs", "resume"), ("jobs", "stop"), ("jobs", "log")],
    ids=" ".join,
)
def test_what_takes_long_can_be_followed(path: tuple[str, ...]) -> None:
    assert "--follow" in done(*path, "--help").stdout


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project named Shop, made by command, without an embedder; returns a folder with its files."""
    monkeypatch.setenv("KURABE_EMBEDDER", "none")
    reset_settings()
    done("project", "create", "Shop", "--instructions", "Answer the customer.")
    lines = [json.dumps(row, ensure_ascii=False) for row in rows()]
    (tmp_path / "questions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "kettle.md").write_text("# Amber Kettle\n\nThe warranty period of the Amber Kettle is 24 months.\n")
    (tmp_path / "lamp.md").write_text("# Birch Lamp\n\nThe price of the Birch Lamp is 129 dollars.\n")
    return tmp_path


# ── errors ──


def test_an_error_is_its_code_what_happened_and_what_to_do_on_stderr() -> None:
    result = run("dataset", "list", "--project", "nowhere")
    assert result.exit_code == 1 and result.stdout == ""
    code, message, hint = result.stderr.strip().splitlines()
    assert code == "project.unknown" and "nowhere" in message and hint.startswith("→ ")


def test_an_error_is_told_in_the_language_that_was_asked_for() -> None:
    result = run("--language", "ja", "dataset", "list", "--project", "nowhere")
    assert "プロジェクト" in result.stderr


def test_for_machines_an_error_is_one_json_document_on_stderr() -> None:
    result = run("dataset", "list", "--project", "nowhere", "--json")
    assert result.exit_code == 1 and result.stdout == ""
    error = json.loads(result.stderr)["error"]
    assert error["code"] == "project.unknown" and error["hint"] and error["params"]["name"] == "nowhere"


def test_text_that_looks_like_markup_is_printed_as_it_is() -> None:
    assert "[red]x[/red]" in run("dataset", "list", "--project", "[red]x[/red]").stderr


def test_an_unknown_command_or_option_ends_with_usage_and_status_2() -> None:
    assert run("compare").exit_code == 2
    assert run("project", "list", "--colour").exit_code == 2


def test_an_unexpected_error_shows_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    import core.cli.project as room

    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(room, "projects", broken)
    result = run("project", "list")
    assert result.exit_code == 1 and result.stderr.startswith("internal\n") and "Traceback" not in result.stderr


def test_as_a_process_of_its_own_it_answers_the_same(home: Path) -> None:
    done_by_process = subprocess.run(
        [sys.executable, "-m", "core", "project", "list", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert (done_by_process.returncode, done_by_process.stdout.strip(), done_by_process.stderr) == (0, "[]", "")


# ── projects ──


def test_a_project_is_created_listed_edited_and_deleted() -> None:
    made = told("project", "create", "Help desk", "--language", "ja")
    assert [project["id"] for project in told("project", "list")] == [made["id"]]
    table = done("project", "list").stdout
    assert made["id"] in table and "Help desk" in table
    done("project", "edit", "--project", made["id"], "--house-rules", "Be brief.", "--currency", "JPY")
    [edited] = told("project", "list")
    assert (edited["house_rules"], edited["currency"]) == ("Be brief.", "JPY")
    assert run("project", "delete", "--project", made["id"], answer="n\n").exit_code == 1
    assert len(told("project", "list")) == 1, "who says no keeps it"
    done("project", "delete", "--project", made["id"], "--yes")
    assert told("project", "list") == []


# ── questions ──


def test_questions_are_previewed_imported_listed_and_shown(shop: Path) -> None:
    file = shop / "questions.jsonl"
    assert json.loads(done("dataset", "preview", file).stdout)
    [version] = told("dataset", "import", "--project", "Shop", file)
    assert version["row_count"] == len(rows()) and version["hash"].startswith("k1:")
    assert [known["id"] for known in told("dataset", "list", "--project", "Shop")] == [version["id"]]
    shown = told("dataset", "show", "--project", "Shop", "--split", "test", "--limit", "3")
    assert len(shown) == 3 and {row["split"] for row in shown} == {"test"}
    assert "Amber Kettle" in done("dataset", "show", "--project", "Shop").stdout


def test_a_row_that_cannot_be_taken_over_is_named_and_nothing_is_imported(shop: Path) -> None:
    file = shop / "bad.jsonl"
    file.write_text('{"question": "What?", "answer": "That."}\n{"question": "And?", "answer": \n')
    result = run("dataset", "import", "--project", "Shop", file)
    assert result.exit_code == 1 and "2" in result.stderr
    assert told("dataset", "list", "--project", "Shop") == []
    [version] = told("dataset", "import", "--project", "Shop", file, "--leave-out-bad")
    assert version["row_count"] == 1


def test_a_table_is_read_as_told_and_its_bad_cells_are_mended(shop: Path) -> None:
    file = shop / "table.csv"
    file.write_bytes("Anfrage,Text,類\n返品は?,#N/A,返品\n保証は?,2年です。,保証\n".encode("cp932"))
    reading = ("--map", "question=Anfrage", "--map", "answer=Text", "--map", "slice=類", "--encoding", "cp932")
    seen = json.loads(done("dataset", "preview", file, *reading).stdout)
    assert [problem["row"] for problem in seen["problems"]] == [2]
    mended = (*reading, "--fix", "2:Text=30日以内です。")
    assert json.loads(done("dataset", "preview", file, *mended).stdout)["problems"] == []
    done("dataset", "import", "--project", "Shop", file, *mended)
    rows = told("dataset", "show", "--project", "Shop")
    assert [(row["answer"], row["slice"]) for row in rows] == [("30日以内です。", "返品"), ("2年です。", "保証")]
    assert run("dataset", "import", "--project", "Shop", file, "--fix", "two=x").exit_code == 2


def test_rows_are_changed_and_left_out_as_new_versions(shop: Path) -> None:
    file = shop / "two.jsonl"
    file.write_text('{"question": "a", "answer": "b"}\n{"question": "c", "answer": "d"}\n')
    [first] = told("dataset", "import", "--project", "Shop", file)
    [second] = told("dataset", "edit", "--project", "Shop", "2", "--set", "answer=e", "--set", "split=test")
    assert second["id"] != first["id"] and second["row_count"] == 2
    assert [row["answer"] for row in told("dataset", "show", "--project", "Shop")] == ["b", "e"]
    [third] = told("dataset", "edit", "--project", "Shop", "1", "--drop")
    assert third["row_count"] == 1
    assert run("dataset", "edit", "--project", "Shop", "9", "--drop").exit_code == 2
    assert run("dataset", "edit", "--project", "Shop", "1").exit_code == 2


def test_checks_are_told_for_people_and_for_machines(shop: Path) -> None:
    done("dataset", "import", "--project", "Shop", shop / "questions.jsonl")
    for finding in told("dataset", "check", "--project", "Shop"):
        assert {"check", "code", "severity"} <= finding.keys()
    assert "⟦" not in done("dataset", "check", "--project", "Shop").stdout


def test_rows_for_which_a_file_is_refused_are_listed(shop: Path) -> None:
    file = shop / "bad.csv"
    file.write_text("question,answer\nWho?,me\n,nobody asks\n,nobody\n")
    refused = run("dataset", "import", "--project", "Shop", file)
    assert refused.exit_code == 1
    assert [line.split(",")[0] for line in refused.stderr.splitlines() if line.startswith("Row ")] == ["Row 3", "Row 4"]
    told_once = run("dataset", "import", "--project", "Shop", file, "--json")
    assert len(json.loads(told_once.stderr)["error"]["params"]["problems"]) == 2


def test_what_a_check_found_is_repaired_by_its_name_as_a_new_version(shop: Path) -> None:
    file = shop / "mails.csv"
    file.write_text("question,answer\nWho?,a@corp.co.jp\n")
    [first] = told("dataset", "import", "--project", "Shop", file)
    found = [one for one in told("dataset", "check", "--project", "Shop") if one["repairable"]]
    assert ("personal_data", "email") in {(one["check"], one["code"]) for one in found}
    assert "personal_data email" in done("dataset", "check", "--project", "Shop").stdout
    [second] = told("dataset", "repair", "--project", "Shop", "personal_data", "email")
    assert second["lineage"]["parent"] == first["id"] and second["lineage"]["repair"]["code"] == "email"
    assert [row["answer"] for row in told("dataset", "show", "--project", "Shop")] == ["[EMAIL]"]
    again = run("dataset", "repair", "--project", "Shop", "personal_data", "email")
    assert again.exit_code == 1 and again.stderr.startswith("datasets.no_repair\n")


def test_exported_questions_can_be_imported_again(shop: Path) -> None:
    done("dataset", "import", "--project", "Shop", shop / "questions.jsonl")
    out = shop / "exported.jsonl"
    done("dataset", "export", "--project", "Shop", out)
    done("project", "create", "Copy")
    [version] = told("dataset", "import", "--project", "Copy", out)
    assert version["row_count"] == len(rows())


def test_questions_are_divided_anew_and_versions_are_compared(shop: Path) -> None:
    [first] = told("dataset", "import", "--project", "Shop", shop / "questions.jsonl")
    [second] = told("dataset", "split", "--project", "Shop", "--validation", "0.2", "--test", "0.3", "--seed", "7")
    sizes = {name: sum(counts.values()) for name, counts in second["counts"]["slices"].items()}
    assert sum(sizes.values()) == first["row_count"] and sizes["test"] >= sizes["validation"] > 0
    assert second["lineage"]["config"]["seed"] == 7
    said = done("dataset", "split", "--project", "Shop", "--seed", "8").stderr
    assert "for the test" in said, "what a test of this size can find"
    moved = told("dataset", "diff", "--project", "Shop", first["id"])
    assert {row["question"] for row in moved["added"]} == {row["question"] for row in moved["removed"]}
    assert told("dataset", "diff", "--project", "Shop", second["id"], second["id"]) == {
        "removed": [], "added": [], "removed_count": 0, "added_count": 0
    }  # fmt: skip
    assert "⟦" not in done("dataset", "diff", "--project", "Shop", first["id"], second["id"]).stdout
    several = run("dataset", "diff", "--project", "Shop", first["id"][:2])
    assert several.exit_code == 1 and several.stderr.startswith("cli.several_versions\n")
    rows = told("dataset", "show", "--project", "Shop", "--version", first["id"], "--limit", "100")
    assert len(rows) == first["row_count"]
    result = run("dataset", "split", "--project", "Shop", "--by", "time", "--column", "day")
    assert result.exit_code == 1 and result.stderr.startswith("datasets.no_time\n")


def test_a_project_without_questions_says_so(shop: Path) -> None:
    result = run("dataset", "check", "--project", "Shop")
    assert result.exit_code == 1 and result.stderr.startswith("comparison.no_data\n")


# ── documents ──


def test_pages_of_a_document_that_could_not_be_read_are_named(shop: Path) -> None:
    (shop / "lamp.pdf").write_bytes(pdf([[("The Quimbolan is a blue lamp.", 11)], []]))
    added = done("knowledge", "add", "--project", "Shop", shop / "lamp.pdf")
    assert "Page 2 holds no text" in added.stderr
    [row] = told("knowledge", "add", "--project", "Shop", shop / "lamp.pdf")
    assert row["notes"] == [{"code": "page_without_text", "params": {"page": 2}}]
    assert told("knowledge", "index", "--project", "Shop")
    shown = done("knowledge", "search", "--project", "Shop", "Quimbolan").stdout
    assert "lamp.pdf, page 1" in shown and "1 (" in shown


def test_documents_are_added_indexed_searched_and_removed(shop: Path) -> None:
    [early] = told("knowledge", "add", "--project", "Shop", shop / "kettle.md", "--preview", "--overlap", "20")
    assert told("knowledge", "list", "--project", "Shop") == []
    done("knowledge", "add", "--project", "Shop", shop / "kettle.md", shop / "lamp.md")
    [late] = told("knowledge", "chunks", "--project", "Shop", "kettle.md", "--overlap", "20")
    assert [chunk["text"] for chunk in late["chunks"]] == [chunk["text"] for chunk in early["chunks"]] != []
    shown = done("knowledge", "chunks", "--project", "Shop", "kettle.md").stdout
    assert "24" in shown and "months" in shown, "a table may break the line between them"
    assert {row["name"] for row in told("knowledge", "list", "--project", "Shop")} == {"kettle.md", "lamp.md"}
    assert "overlap_range" in run("knowledge", "index", "--project", "Shop", "--overlap", "2000").stderr
    assert told("knowledge", "index", "--project", "Shop")
    found = told("knowledge", "search", "--project", "Shop", "How long is the warranty of the Amber Kettle?")
    assert found["hits"][0]["document_name"] == "kettle.md" and "24 months" in found["hits"][0]["text"]
    assert "24 months" in done("knowledge", "search", "--project", "Shop", "warranty").stdout
    lamps = told("knowledge", "search", "--project", "Shop", "warranty", "--document", "lamp.md", "--mode", "text")
    assert [hit["document_name"] for hit in lamps["hits"]] in ([], ["lamp.md"])
    narrowed = ("knowledge", "search", "--project", "Shop", "warranty", "--kind", "pdf", "--budget", "50")
    assert told(*narrowed, "--tag", "x", "--since", "2020-01-01", "--until", "2020-01-02")["hits"] == []
    [version] = told("knowledge", "versions", "--project", "Shop")
    assert version["chunk_count"] == 2 and version["config"]["vector_index"] is None
    assert told("knowledge", "build", "--project", "Shop")["index_version_id"] == version["id"]
    assert told("knowledge", "check", "--project", "Shop") == []
    asked = shop / "asked.jsonl"
    rows = [("How long is the warranty of the Amber Kettle?", "kettle.md"), ("How bright is the lamp?", "nowhere.md")]
    asked.write_text("\n".join(json.dumps({"question": q, "gold_document_ids": [d]}) for q, d in rows))
    judged = told("knowledge", "evaluate", "Shop", asked, "--k", "1", "--mode", "text")
    assert judged == told("knowledge", "evaluate", "--project", "Shop", asked, "--k", "1", "--mode", "text")
    assert judged["questions"] == 1 and judged["modes"][0]["hit"]["estimate"] == 1
    assert [found["ranks"] for found in judged["ranks"]["text"]] == [[1]]
    assert judged["not_indexed"] == ["How bright is the lamp?"]
    asked.write_text('{"question": "Which?", "gold_document_ids": "kettle.md"}')
    assert "cli.gold_row" in run("knowledge", "evaluate", "--project", "Shop", asked).stderr
    asked.write_text('{"question": "And the documents?"}')
    assert "cli.gold_row" in run("knowledge", "evaluate", "--project", "Shop", asked).stderr
    done("knowledge", "remove", "--project", "Shop", "kettle.md")
    gone = told("knowledge", "search", "--project", "Shop", "How long is the warranty of the Amber Kettle?")
    assert all(hit["document_name"] != "kettle.md" for hit in gone["hits"])


def test_passage_lengths_are_tried_by_command(shop: Path) -> None:
    done("knowledge", "add", "--project", "Shop", shop / "kettle.md", shop / "lamp.md")
    row = {"question": "How long is the warranty of the Amber Kettle?", "answer": "24 months"}
    gold = [{"document": "kettle.md", "quote": "The warranty period of the Amber Kettle is 24 months."}]
    (shop / "asked.jsonl").write_text(json.dumps({**row, "gold": gold}))
    done("dataset", "import", "--project", "Shop", shop / "asked.jsonl", "--split", "validation")
    tried = told("knowledge", "sweep", "--project", "Shop", "--sizes", "50,100", "--k", "1")
    assert [(point["max_tokens"], point["k"], point["recall"]["estimate"]) for point in tried["points"]] == [
        (50, 1, 1.0),
        (100, 1, 1.0),
    ]
    assert "100%" in done("knowledge", "sweep", "--project", "Shop", "--sizes", "50", "--k", "1").stdout
    assert "knowledge.sweep_range" in run("knowledge", "sweep", "--project", "Shop", "--sizes", "many").stderr


def test_searching_before_there_is_an_index_says_what_to_do(shop: Path) -> None:
    result = run("knowledge", "search", "--project", "Shop", "warranty")
    assert result.exit_code == 1 and result.stderr.count("\n") == 3 and "→" in result.stderr


# ── jobs ──


def test_jobs_are_listed_shown_and_logged() -> None:
    job = submit("t-echo", {"x": 1})
    assert wait(job, timeout=120).status == "succeeded"
    assert [view["id"] for view in told("jobs", "list")] == [job]
    assert told("jobs", "show", job[:20])["status"] == "succeeded"
    assert "hello from the child" in done("jobs", "log", job).stdout
    assert json.loads(done("jobs", "events", job).stdout)
    done("jobs", "watch", job)


def test_every_command_about_jobs_prints_one_json_document() -> None:
    job = submit("t-count-cpu", {"n": 2000})
    assert told("jobs", "list", "--active")[0]["id"] == told("jobs", "tick")[0]["id"] == job
    assert told("jobs", "stop", job, "--follow")["status"] == "stopped"
    assert told("jobs", "resume", job)["attempt"] == 2
    assert told("jobs", "cancel", job, "--follow")["status"] in ("stopped", "cancelled")
    echo = submit("t-echo", {})
    assert told("jobs", "watch", echo)["status"] == "succeeded"
    assert told("jobs", "show", echo, "--follow")["status"] == "succeeded"
    assert any("hello from the child" in line for line in told("jobs", "log", echo)["lines"])
    assert told("jobs", "events", job)[0]["seq"] == 1


def test_a_job_is_followed_as_lines_of_json_and_by_its_log() -> None:
    job = submit("t-count-cpu", {"n": 30})
    followed = [json.loads(line) for line in done("jobs", "events", job, "--follow").stdout.splitlines()]
    assert [event["seq"] for event in followed] == list(range(1, len(followed) + 1))
    assert told("jobs", "show", job)["status"] == "succeeded"
    assert any(event["kind"] == "progress" and event["total"] == 30 for event in followed)
    assert "hello from the child" in done("jobs", "log", submit("t-echo", {}), "--follow").stdout
    found = done("jobs", "log", submit("t-echo", {}), "--follow", "--search", "nowhere").stdout
    assert "hello" not in found, "followed or not, only the lines that were asked for"


def test_following_a_job_that_fails_ends_with_its_error() -> None:
    job = submit("t-fails", {"detail": "no such row"})
    result = run("jobs", "watch", job)
    assert result.exit_code == 1 and "jobs.bad_payload" in result.stderr and "no such row" in result.stderr


def test_an_unknown_job_is_an_error() -> None:
    assert run("jobs", "show", "nothing").exit_code == 1


# ── trainings ──


def test_a_training_is_checked_and_started_as_a_learning_curve_or_with_seeds(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)  # they need not really train here
    done("dataset", "import", "--project", "Shop", shop / "questions.jsonl")
    checked = done("train", "start", "--project", "Shop", "--check", "--json")
    assert json.loads(checked.stdout)["verdict"] in ("go", "risky") and told("runs", "list", "--project", "Shop") == []
    curve = told("train", "start", "--project", "Shop", "--learning-curve", "--detach", "--anyway")
    assert [run["config"]["data_share"] for run in curve] == [0.1, 0.25, 0.5, 1.0]
    assert all(run["preflight"]["verdict"] == json.loads(checked.stdout)["verdict"] for run in curve)
    seeds = told("train", "start", "--project", "Shop", "--seeds", 3, "--seed", 5, "--detach", "--anyway")
    assert [run["config"]["seed"] for run in seeds] == [5, 6, 7]
    assert told("runs", "group", seeds[0]["id"])["kind"] == "seeds"
    assert "two seeds are trained" in done("runs", "group", seeds[0]["id"]).stderr
    assert run("train", "start", "--project", "Shop", "--seeds", 3, "--learning-curve").exit_code == 2


def test_what_will_not_work_is_not_started_unless_one_insists(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)
    done("dataset", "import", "--project", "Shop", shop / "questions.jsonl")
    monkeypatch.setattr("core.training.outlook.training_device", lambda _n: ("cpu", 1 << 20))
    refused = run("train", "start", "--project", "Shop", "--detach")
    assert refused.exit_code == 1 and "training.will_not_work" in refused.stderr and "MB" in refused.stderr
    assert told("runs", "list", "--project", "Shop") == []
    started = done("train", "start", "--project", "Shop", "--anyway", "--detach", "--json")
    insisted = json.loads(started.stdout)
    assert insisted["preflight"]["verdict"] == "will_not"
    assert started.stderr.count(insisted["id"]) == 1, "it is announced once"


def test_what_is_risky_is_started_only_by_somebody_who_says_so(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)
    done("dataset", "import", "--project", "Shop", shop / "questions.jsonl")
    monkeypatch.setattr("core.training.outlook.training_device", lambda _n: ("cpu", None))
    start = ("train", "start", "--project", "Shop", "--detach")
    refused = run(*start)
    assert refused.exit_code == 1 and "training.risky" in refused.stderr and "memory" in refused.stderr
    told_why = json.loads(run(*start, "--json").stderr.splitlines()[-1])["error"]
    assert told_why["code"] == "training.risky" and "memory" in told_why["params"]["reasons"]
    monkeypatch.setattr("core.cli.training._at_a_terminal", lambda: True)
    assert run(*start, answer="n\n").exit_code == 1
    assert told("runs", "list", "--project", "Shop") == []
    assert run(*start, answer="y\n").exit_code == 0
    assert told(*start, "--anyway")["preflight"]["verdict"] == "risky"
    assert [seen["preflight"]["verdict"] for seen in told("runs", "list", "--project", "Shop")] == ["risky", "risky"]


def test_any_field_is_set_by_command_and_devices_are_counted(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)
    done("dataset", "import", "--project", "Shop", shop / "questions.jsonl")
    start = ("train", "start", "--project", "Shop", "--detach", "--anyway")
    made = told(*start, "--set", "rank=4", "--set", "batch_size=2", "--epochs", 3, "--set", "epochs=2")
    assert made["config"]["method"]["rank"] == 4
    assert (made["config"]["batch_size"], made["config"]["epochs"]) == (2, 2.0)
    wrong = run(*start, "--set", "batch_sise=2")
    assert wrong.exit_code == 1 and "training.unknown_field" in wrong.stderr and "batch_size" in wrong.stderr
    assert run(*start, "--set", "batch_size=0").exit_code == 1
    assert "training.too_many_processes" in run(*start, "--processes", 2).stderr
    monkeypatch.setenv("KURABE_TRAINING_DEVICES", "2")
    reset_settings()
    both = told(*start, "--processes", 2)
    assert (both["launcher"], both["processes"], both["preflight"]["processes"]) == ("accelerate", 2, 2)


def test_a_run_is_named_noted_promoted_put_away_and_deleted_by_command(shop: Path) -> None:
    [version] = told("dataset", "import", "--project", "Shop", shop / "questions.jsonl")
    project = told("project", "list")[0]["id"]
    first, second = (put_run(project, version["id"], name).id for name in ("one", "two"))
    assert told("runs", "rename", first, "The good one")["name"] == "The good one"
    assert told("runs", "note", first, "Ask Mika.")["note"] == "Ask Mika."
    assert told("runs", "promote", first)["promoted_for"] == "plain"
    people = done("runs", "list", "--project", "Shop").stdout
    assert "Promoted" in people and "Ask Mika." in people
    assert told("runs", "demote", first)["promoted_for"] is None
    assert told("runs", "archive", second)["archived"]
    assert [run["id"] for run in told("runs", "list", "-p", "Shop")] == [first]
    assert len(told("runs", "list", "-p", "Shop", "--archived", "--dataset-version", version["id"])) == 2
    assert not told("runs", "unarchive", second)["archived"]
    assert told("runs", "show", first)["lineage"]["dataset_version_id"] == version["id"]
    assert told("runs", "compare", first, second)["differing"] == {}
    assert told("runs", "group", first) == {"points": []}
    assert told("runs", "export", first_adapter(first), shop / "out.zip")["bytes"] > 0
    assert told("runs", "kit", first, shop / "kit.zip")["bytes"] > 0
    assert (
        told("runs", "show", first[-8:])["record"]["config_hash"]
        == told("runs", "show", first)["record"]["config_hash"]
    )
    assert "several_runs" in run("runs", "show", first[:5]).stderr
    gone = told("runs", "delete", second)
    assert (gone["id"], gone["deleted"], gone["approaches"], gone["answers"]) == (second, True, [], 0)
    assert len(gone["adapters"]) == 1
    assert "no_run" in run("runs", "promote", second).stderr


def test_an_adapter_is_merged_by_command_as_a_job(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)  # it need not really merge here
    project = told("project", "list")[0]["id"]
    adapter = put_adapter(project)
    job = told("runs", "merge", adapter.id, "--detach")["job"]
    view = told("jobs", "show", job)
    assert (view["kind"], view["payload"]["adapter_id"]) == ("merge", adapter.id)
    assert "adapter_missing" in run("runs", "merge", "nothing").stderr


def test_a_job_that_waits_says_its_place_and_what_stands_in_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)
    monkeypatch.setattr("core.cli.jobs.tick", lambda: None)
    first, second = (submit("t-count-cpu", {"n": 5}, needs_secret="SHOP_TOKEN") for _ in range(2))
    assert "Number 1" in done("jobs", "show", first).stdout and "Number 2" in done("jobs", "list").stdout
    tick()
    said = done("jobs", "show", second).stdout
    assert "SHOP_TOKEN" in said and "Blocked" in said


def first_adapter(run_id: str) -> str:
    return str(told("runs", "show", run_id)["adapter_id"])


# ── the machine ──


def test_the_doctor_looks_at_everything_and_says_what_to_do_about_each_no() -> None:
    result = run("doctor", "--json")
    findings = json.loads(result.stdout)
    assert {"python", "torch", "gpu", "four_bit", "memory", "disk", "hub", "models", "port"} <= {
        finding["check"] for finding in findings
    }
    needed = [finding for finding in findings if finding["needed"] and not finding["ok"]]
    assert result.exit_code == (1 if needed else 0)
    for code in ("en", "ja"):
        text = run("--language", code, "doctor").stdout
        assert "⟦" not in text and "{" not in text


def test_models_and_trainings_of_a_fresh_home() -> None:
    assert any(model["ref"] == "starter" for model in told("models"))
    done("project", "create", "Shop")
    assert told("runs", "list", "--project", "Shop") == told("train", "adapters", "--project", "Shop") == []
    assert done("version").stdout.strip()


def test_a_training_on_pairs_is_started_by_its_objective_and_refused_without_pairs(tmp_path: Path) -> None:
    done("project", "create", "Shop")
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"question": "Where?", "answer": "There."}))
    done("dataset", "import", "-p", "Shop", file, "--split", "train")
    start = ("train", "start", "-p", "Shop", "--detach", "--anyway")
    assert "no_pairs" in run(*start, "--objective", "dpo").stderr
    assert "registry.unknown" in run(*start, "--objective", "dqo").stderr
    assert "bad_field" in run(*start, "--beta", "0.2").stderr
    assert "bad_field" in run(*start, "--objective", "dpo", "--beta", "0").stderr


def test_an_option_of_the_objective_stands_beside_what_set_gives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)
    done("project", "create", "Shop")
    file = tmp_path / "rows.jsonl"
    rows = [{"question": f"Where is {n}?", "answer": f"At {n}.", "rejected": "Nowhere."} for n in range(9)]
    file.write_text("\n".join(json.dumps(row) for row in rows))
    done("dataset", "import", "-p", "Shop", file, "--split", "train")
    start = ("train", "start", "-p", "Shop", "--detach", "--anyway", "--objective", "dpo", "--beta", "0.3")
    aim = told(*start, "--set", "answer_weight=0.5")["config"]["objective"]
    assert (aim["beta"], aim["answer_weight"]) == (0.3, 0.5)
    assert told(*start, "--set", "beta=0.2")["config"]["objective"]["beta"] == 0.2, "--set counts before --beta"


# ── answers that are there ──


def test_answers_are_exported_and_two_test_runs_compared(tmp_path: Path) -> None:
    first = Written("base")
    second = again(first)
    for place in range(12):
        first.put("base", place, 0.0)
        second.put("base", place, 1.0)
    shop = first.experiment.project_id
    assert "cli.no_experiment" in run("export", "-p", shop, "-o", tmp_path / "a.csv").stderr
    done("export", "-p", shop, "-o", tmp_path / "a.json", "--experiment", first.experiment.id)
    assert len(json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))) == 12
    refused = run("export", "-p", shop, "-o", tmp_path / "a.xlsx", "--experiment", first.experiment.id)
    assert refused.exit_code == 1 and "evaluation.export_format" in refused.stderr
    [change] = told("changes", "-p", shop, first.experiment.id, second.experiment.id)["approaches"]
    assert (change["up"], change["down"], change["verdict"], change["same"]) == (12, 0, "better", True)
    for code, word in (("en", "better"), ("ja", "上回る")):
        assert word in run("--language", code, "changes", "-p", shop, first.experiment.id, second.experiment.id).stdout
    assert run("changes", "-p", shop, "nothing").exit_code == 1
