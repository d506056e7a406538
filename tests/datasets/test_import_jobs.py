"""Large imports, checks and repairs are jobs: they say how far they are, stop at any row, and survive a kill."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core import datasets, jobs
from core.datasets import versions
from core.datasets.checks import CheckInput, checks
from core.datasets.jobs import (
    check_version,
    edit_version,
    has_upload,
    import_upload,
    repair_version,
    split_version,
    start_check,
    start_edit,
    start_import,
    start_import_again,
    start_repair,
    start_split,
)
from core.errors import KurabeError
from core.jobs import JobContext, JobView
from core.projects import create_project
from core.settings import settings

ROWS = 4500
DATA = ("質問,回答\n" + "".join(f"質問{n},答え{n}\n" for n in range(ROWS))).encode()


class Submitted:
    """What would have been queued, to be run in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.attempt = folder, 0
        self.payload: dict[str, Any] = {}
        self.project_id: str | None = None

    def submit(self, kind: str, payload: dict[str, Any], *, project_id: str) -> str:
        self.payload, self.project_id = payload, project_id
        return kind

    def context(self) -> JobContext:
        self.attempt += 1
        return JobContext(
            "job", self.payload, self.folder, project_id=self.project_id, attempt=self.attempt,
            stop_file=self.folder / f"stop{self.attempt}.json",
        )  # fmt: skip


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Submitted:
    held = Submitted(tmp_path)
    monkeypatch.setattr("core.datasets.jobs.submit", held.submit)
    return held


@pytest.fixture
def project() -> str:
    return create_project("P", "ja").id


def uploads() -> list[Path]:
    return list(settings().path("uploads").rglob("upload"))


def test_an_import_says_how_far_it_is_and_leaves_no_upload(queue: Submitted, project: str) -> None:
    start_import(project, DATA, "../rows.csv", options={"dataset": "D", "split": "test", "fixes": {}})
    assert len(uploads()) == 1
    ctx = queue.context()
    found = import_upload(ctx)
    assert (found["rows"], found["left_out"], uploads()) == (ROWS, 0, [])
    told = [(event["stage"], event["total"]) for event in ctx.reported()]
    assert ("counting_rows", None) in told and ("storing_rows", ROWS) in told
    made = datasets.version(found["dataset_version_id"])
    assert datasets.count_examples(made.id, "test") == ROWS and made.lineage["files"][0]["name"] == "../rows.csv"


def test_a_stopped_import_leaves_nothing_and_goes_through_when_it_is_resumed(queue: Submitted, project: str) -> None:
    start_import(project, DATA, "rows.csv", options={})
    ctx = queue.context()
    ctx.ask_to_stop()
    assert import_upload(ctx) == {"stopped": True}
    assert datasets.latest_version(project) is None and len(uploads()) == 1
    found = import_upload(queue.context())
    assert found["rows"] == ROWS
    assert import_upload(queue.context()) == found, "killed after it was stored: the upload is gone, the rows are not"
    (queue.folder / "stored.json").unlink()
    assert not has_upload(queue.payload, queue.folder)
    with pytest.raises(KurabeError, match=r"datasets\.upload_gone"):
        import_upload(queue.context())


def test_an_import_killed_right_after_it_was_stored_adds_no_row_twice(queue: Submitted, project: str) -> None:
    first = datasets.import_file(project, b"question,answer\nq,a\n", "d.csv")
    start_import(project, b"question,answer\nq2,a2\n", "more.csv", options={"extend": first.id})
    upload = uploads()[0]
    found = import_upload(queue.context())
    (queue.folder / "stored.json").unlink()  # the process ended before it could write that down
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"question,answer\nq2,a2\n")
    assert import_upload(queue.context())["dataset_version_id"] == found["dataset_version_id"]
    newest = datasets.latest_version(project)
    assert newest is not None and newest.row_count == 2


def test_bad_rows_are_all_counted_before_the_file_is_refused(queue: Submitted, project: str) -> None:
    start_import(project, DATA + b",\xe7\xad\x94\n" * 3, "rows.csv", options={})
    with pytest.raises(KurabeError) as raised:
        import_upload(queue.context())
    assert (raised.value.code, raised.value.params["count"]) == ("datasets.rows_refused", 3)
    assert datasets.latest_version(project) is None
    assert not has_upload(queue.payload, queue.folder), "another attempt would end in the same way"
    start_import(project, DATA + b",\xe7\xad\x94\n" * 3, "rows.csv", options={}, on_problem="leave_out")
    assert import_upload(queue.context())["left_out"] == 3


def test_refused_rows_are_mended_or_left_out_without_the_file_sent_again(project: str) -> None:
    file = DATA + b",\xe7\xad\x94\n" * 3
    refused = jobs.wait(start_import(project, file, "rows.csv", options={}), timeout=120)
    assert refused.status == "failed" and not refused.can_resume and len(uploads()) == 1
    mended = {str(ROWS + 2): {"質問": "直した質問"}}
    view = jobs.wait(start_import_again(refused, mended, on_problem="leave_out"), timeout=120)
    assert view.status == "succeeded" and view.result is not None
    assert (view.result["rows"], view.result["left_out"], uploads()) == (ROWS + 1, 2, [])
    newest = datasets.latest_version(project)
    assert newest is not None and datasets.examples(newest.id, offset=ROWS)[0].question == "直した質問"
    with pytest.raises(KurabeError, match=r"datasets\.upload_gone"):
        start_import_again(refused, {}, on_problem="leave_out")


def test_a_store_that_fails_for_a_moment_costs_no_upload(
    queue: Submitted, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_import(project, b"question,answer\nq,a\n", "rows.csv", options={})
    with monkeypatch.context() as passing:

        def busy(writer: versions.VersionWriter) -> None:
            raise KurabeError("store.unreachable")

        passing.setattr(versions.VersionWriter, "_flush", busy)
        with pytest.raises(KurabeError, match=r"store\.unreachable"):
            import_upload(queue.context())
    assert has_upload(queue.payload, queue.folder)
    assert import_upload(queue.context())["rows"] == 1


def test_an_import_adds_to_the_newest_version_and_keeps_edits_made_while_it_ran(
    queue: Submitted, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = datasets.import_file(project, b"question,answer\nq,a\n", "d.csv")
    start_import(project, b"question,answer\nq2,a2\n", "more.csv", options={"extend": first.id})
    edits = iter(["before", "meanwhile"])
    second = datasets.edit_rows(first.id, {0: {"answer": next(edits)}})
    flush = versions.VersionWriter._flush

    def flush_and_edit(writer: versions.VersionWriter) -> None:
        flush(writer)
        if (answer := next(edits, None)) is not None:
            datasets.edit_rows(second.id, {0: {"answer": answer}})

    monkeypatch.setattr(versions.VersionWriter, "_flush", flush_and_edit)
    found = import_upload(queue.context())
    newest = datasets.latest_version(project)
    assert newest is not None and newest.id == found["dataset_version_id"] and found["rows"] == 1
    assert [row.answer for row in datasets.rows_of(newest.id)] == ["meanwhile", "a2"]


def test_the_newest_version_is_the_one_that_was_ready_last(project: str) -> None:
    with versions.VersionWriter(project, "D") as slow:
        slow.add(datasets.Row("q", "a", split="train"))
        datasets.import_file(project, b"question,answer\nq2,a2\n", "d.csv", dataset="D")
        made = slow.finish({"operation": "import"})
    newest = datasets.latest_version(project)
    assert newest is not None and newest.id == made.id == datasets.project_versions(project)[0].id


def test_a_version_that_is_deleted_while_it_is_checked_is_missing(queue: Submitted, project: str) -> None:
    made = datasets.import_file(project, b"question,answer\nq,a\n", "d.csv")

    def delete(done: float, total: int) -> None:
        datasets.delete_dataset(made.dataset_id)

    with pytest.raises(KurabeError, match=r"store\.missing"):
        datasets.run_checks(made.id, [checks.get("empty_answers")()], watch=delete)


def test_checks_are_asked_to_stop_while_answers_are_looked_up() -> None:
    asked: list[int] = []
    rows = [datasets.Row(f"How heavy is the Koridel {n}?", f"It weighs {n} kg.", split="train") for n in range(3)]
    texts = [datasets.Passage("a.md", "Koridel", "The Koridel 1 weighs 1 kg.")]
    data = CheckInput(lambda: iter(list(enumerate(rows))), 3, passages=lambda: texts, watch=lambda: asked.append(1))
    checks.get("answerability")().run(data)
    assert len(asked) == 3


KILLED = """
import json, sys, time
from pathlib import Path
from core.datasets import versions
from core.datasets.checks import CheckInput, checks
from core.datasets.jobs import import_upload
from core.jobs import JobContext

flush = versions.VersionWriter._flush

def flush_and_wait(self):
    flush(self)
    print("written", flush=True)
    time.sleep(600)

versions.VersionWriter._flush = flush_and_wait
payload, project, folder = json.loads(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
import_upload(JobContext("job", payload, folder, project_id=project))
"""


def test_a_killed_import_shows_nothing_and_goes_through_when_it_is_resumed(queue: Submitted, project: str) -> None:
    start_import(project, DATA, "rows.csv", options={})
    command = [sys.executable, "-c", KILLED, json.dumps(queue.payload), project, str(queue.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "written\n"
        process.kill()
    assert datasets.datasets(project) == [] and len(uploads()) == 1
    queue.attempt = 1
    assert import_upload(queue.context())["rows"] == ROWS
    newest = datasets.latest_version(project)
    assert newest is not None and datasets.examples(newest.id, offset=ROWS - 1)[0].answer == f"答え{ROWS - 1}"


def test_checks_say_how_far_they_are_and_stop_between_rows(
    queue: Submitted, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = datasets.import_file(project, b"question,answer\nWhich?,a@corp.co.jp\n", "a.csv")
    start_check(project, made.id, 64)
    ctx = queue.context()
    found = check_version(ctx)
    kept = datasets.version(made.id).checks
    assert kept is not None and len(kept["findings"]) == found["findings"] > 0 and kept["max_length"] == 64
    assert {event["total"] for event in ctx.reported()} == {len(datasets.checks.names())}
    ctx = queue.context()
    ctx.ask_to_stop()
    assert check_version(ctx) == {"stopped": True}


def test_a_queued_import_runs_in_a_process_of_its_own(project: str) -> None:
    job = start_import(project, DATA, "rows.csv", options={"dataset": "D"})
    view: JobView = jobs.wait(job, timeout=120)
    assert view.status == "succeeded" and view.result is not None and view.result["rows"] == ROWS
    assert versions.latest_version(project) is not None


MAILS = ("question,answer\n" + "".join(f"q{n},a{n}@corp.co.jp\n" for n in range(ROWS))).encode()


def answers(version_id: str) -> set[str]:
    return {row.answer for row in datasets.rows_of(version_id)}


def test_a_repair_says_how_far_it_is_and_its_version_says_what_it_repaired(queue: Submitted, project: str) -> None:
    made = datasets.import_file(project, MAILS, "a.csv")
    start_repair(project, made.id, "personal_data", "email")
    ctx = queue.context()
    found = repair_version(ctx)
    repaired = datasets.version(found["dataset_version_id"])
    assert (found["rows"], answers(repaired.id)) == (ROWS, {"[EMAIL]"}) and len(answers(made.id)) == ROWS
    told = {(event["stage"], event["done"], event["total"]) for event in ctx.reported()}
    assert {("checking", 0, ROWS), ("storing_rows", ROWS, ROWS)} <= told
    lineage = repaired.lineage
    assert (lineage["parent"], lineage["job"], lineage["reason"]) == (made.id, ctx.job_id, "personal_data.email")
    assert (lineage["repair"]["check"], lineage["repair"]["code"]) == ("personal_data", "email")
    assert lineage["repair"]["found"][0]["count"] == ROWS


def test_a_stopped_repair_leaves_nothing_and_one_that_was_killed_late_makes_no_second_version(
    queue: Submitted, project: str
) -> None:
    made = datasets.import_file(project, MAILS, "a.csv")
    start_repair(project, made.id, "personal_data", "email")
    ctx = queue.context()
    ctx.ask_to_stop()
    assert repair_version(ctx) == {"stopped": True}
    assert [each.id for each in datasets.project_versions(project)] == [made.id]
    found = repair_version(queue.context())
    datasets.edit_rows(found["dataset_version_id"], {0: {"answer": "by hand"}})
    assert repair_version(queue.context()) == found, "its process was killed before it could say what it had made"
    assert len(datasets.project_versions(project)) == 3


def test_a_repair_keeps_the_edits_made_while_it_ran(
    queue: Submitted, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = datasets.import_file(project, b"question,answer\nq,a@corp.co.jp\nq2,a2\n", "d.csv")
    start_repair(project, made.id, "personal_data", "email")
    flush, edits = versions.VersionWriter._flush, iter(["meanwhile"])

    def flush_and_edit(writer: versions.VersionWriter) -> None:
        flush(writer)
        if (answer := next(edits, None)) is not None:
            datasets.edit_rows(made.id, {1: {"answer": answer}})

    monkeypatch.setattr(versions.VersionWriter, "_flush", flush_and_edit)
    found = repair_version(queue.context())
    newest = datasets.latest_version(project)
    assert newest is not None and newest.id == found["dataset_version_id"]
    assert [row.answer for row in datasets.rows_of(newest.id)] == ["[EMAIL]", "meanwhile"]


def test_a_repair_of_what_is_not_there_is_refused(queue: Submitted, project: str) -> None:
    made = datasets.import_file(project, b"question,answer\nq,a\n", "d.csv")
    start_repair(project, made.id, "personal_data", "email")
    with pytest.raises(KurabeError, match=r"datasets\.no_repair"):
        repair_version(queue.context())
    datasets.delete_dataset(made.dataset_id)
    with pytest.raises(KurabeError, match=r"store\.missing"):
        repair_version(queue.context())


REPAIRED = KILLED.replace("import_upload", "repair_version")


def test_a_killed_repair_shows_nothing_and_goes_through_when_it_is_resumed(queue: Submitted, project: str) -> None:
    made = datasets.import_file(project, MAILS, "a.csv")
    start_repair(project, made.id, "personal_data", "email")
    command = [sys.executable, "-c", REPAIRED, json.dumps(queue.payload), project, str(queue.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "written\n"
        process.kill()
    assert [each.id for each in datasets.project_versions(project)] == [made.id]
    queue.attempt = 1
    found = repair_version(queue.context())
    assert answers(found["dataset_version_id"]) == {"[EMAIL]"}
    assert len(datasets.project_versions(project)) == 2


def test_a_queued_repair_runs_in_a_process_of_its_own(project: str) -> None:
    made = datasets.import_file(project, MAILS, "a.csv")
    view = jobs.wait(start_repair(project, made.id, "personal_data", "email"), timeout=120)
    assert view.status == "succeeded" and view.result is not None
    newest = datasets.latest_version(project)
    assert newest is not None and newest.id == view.result["dataset_version_id"] and answers(newest.id) == {"[EMAIL]"}


def test_a_division_says_how_far_it_is_stops_and_is_made_once(queue: Submitted, project: str) -> None:
    made = datasets.import_file(project, DATA, "d.csv")
    start_split(project, made.id, datasets.SplitConfig(0.1, 0.2))
    ctx = queue.context()
    ctx.ask_to_stop()
    assert split_version(ctx) == {"stopped": True}
    assert len(datasets.project_versions(project)) == 1
    ctx = queue.context()
    found = split_version(ctx)
    assert found["rows"] == ROWS
    told = {(event["stage"], event["done"]) for event in ctx.reported()}
    assert {("counting_rows", ROWS), ("storing_rows", ROWS)} <= told
    divided = datasets.version(found["dataset_version_id"])
    assert divided.counts["splits"]["test"] == ROWS // 5 and divided.lineage["config"]["validation"] == 0.1
    datasets.edit_rows(divided.id, {0: {"answer": "by hand"}})
    assert split_version(queue.context()) == found, "its process was killed before it could say what it had made"


def test_rows_are_changed_once_and_not_where_somebody_else_changed_them_meanwhile(
    queue: Submitted, project: str
) -> None:
    made = datasets.import_file(project, DATA, "d.csv")
    start_edit(project, made.id, {1: {"answer": "changed"}}, drop=[0])
    found = edit_version(queue.context())
    assert found["rows"] == ROWS - 1 and datasets.examples(found["dataset_version_id"], limit=1)[0].answer == "changed"
    assert edit_version(queue.context()) == found
    start_edit(project, found["dataset_version_id"], {0: {"answer": "twice"}})
    queue.attempt = 0
    other = datasets.edit_rows(found["dataset_version_id"], drop=[0])
    with pytest.raises(KurabeError, match=r"datasets\.repair_moved_on"):
        edit_version(queue.context())
    newest = datasets.latest_version(project)
    assert newest is not None and newest.id == other.id
