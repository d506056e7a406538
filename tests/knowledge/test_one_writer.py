"""One process at a time writes an index: who waits, who gives way, who is told, and what a killed writer leaves."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from core import knowledge
from core.errors import KurabeError
from core.i18n import LANGUAGES, describe, use_language
from core.identity import now
from core.knowledge import IndexConfig, index, leftovers
from core.knowledge import lease as room
from core.knowledge.tables import table_names
from core.settings import ROOT
from core.store import read, write
from core.store import tables as tb
from core.ui.documents import writing_text
from tests.knowledge.test_knowledge import TEXT_ONLY, manuals

__all__ = ["manuals"]

_BUILD = """
import sys
from core import knowledge
from core.knowledge import IndexConfig, index, leftovers
kb = sys.argv[1]

def held(stage, done, total):
    if stage == "choosing_index":  # all rows are written
        print("writing", flush=True)
        sys.stdin.readline()

made = knowledge.build_index(kb, IndexConfig(embedder="none", tokenizer="estimate"), held)
print(made.id, flush=True)
"""


@contextmanager
def another_writer(kb: str) -> Iterator[subprocess.Popen[str]]:
    """A second process in the middle of a build; a line to it lets it go on, and it prints the version it made."""
    command = [sys.executable, "-c", _BUILD, kb]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    try:
        yield process
    finally:
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=60)


def goes_on(process: subprocess.Popen[str]) -> str:
    """Let the other process write on, as often as it asks; return the id of the version it made."""
    assert process.stdin is not None and process.stdout is not None
    while True:
        process.stdin.write("\n")
        process.stdin.flush()
        line = process.stdout.readline().strip()
        if line != "writing":
            return line


def leases() -> list[tb.IndexLease]:
    with read() as session:
        return list(session.query(tb.IndexLease))


def test_a_second_build_is_refused_or_waits_while_readers_go_on(manuals: str) -> None:
    served = knowledge.build_index(manuals, TEXT_ONLY)
    knowledge.add_document(manuals, "new.md", b"# New\n\nThe Quimbolan is a lamp.")
    assert knowledge.index_writer(manuals) is None
    stages: list[str] = []
    made: list[str] = []
    with another_writer(manuals) as other:
        writer = knowledge.index_writer(manuals)
        assert writer is not None and writer.purpose == "build" and writer.who.startswith("cli:")
        with pytest.raises(KurabeError, match=r"knowledge\.index_busy_build") as refused:
            knowledge.build_index(manuals, TEXT_ONLY, patience=0)
        for language in LANGUAGES:
            use_language(language)
            assert all(writer.who in said or "60" in said for said in describe(refused.value))
        with pytest.raises(KurabeError, match="build_stopped"):
            knowledge.build_index(manuals, TEXT_ONLY, should_stop=lambda: True)
        assert len(table_names()) == 2, "no table of a build that was refused"
        assert [version.id for version in knowledge.index_versions(manuals)] == [served.id]
        assert knowledge.search(served.id, "How heavy is the Koridel 207?").hits

        def let_the_other_finish(stage: str, done: int, total: int) -> None:
            stages.append(stage)
            if len(stages) == 3:
                made.append(goes_on(other))

        after = knowledge.build_index(manuals, TEXT_ONLY, let_the_other_finish, patience=120)
    assert set(stages) == {"waiting_for_writer"} and [after.id] == made, "the other had done everything"
    assert knowledge.search(after.id, "What is the Quimbolan?").hits[0].document_name == "new.md"
    assert leases() == []


def test_a_killed_writer_gives_way_before_its_lease_expires_and_leaves_nothing(manuals: str) -> None:
    with another_writer(manuals) as other:
        with write() as session:  # long enough for a slow machine
            session.query(tb.IndexLease).update({"expires_at": now() + timedelta(hours=1)})
        other.kill()
        other.wait(timeout=60)
    assert len(leases()) == len(table_names()) == 1
    version = knowledge.build_index(manuals, TEXT_ONLY, patience=0)
    assert leases() == [] and table_names() == [version.table_name]
    assert [row.id for row in _versions(manuals)] == [version.id]


def test_a_deletion_does_not_wait_for_a_build_which_starts_over_without_the_document(manuals: str) -> None:
    first = knowledge.build_index(manuals, TEXT_ONLY)
    knowledge.add_document(manuals, "new.md", b"# New\n\nThe Quimbolan is a lamp.")
    gone = knowledge.current_document(manuals, "koridel-207.md")
    assert gone is not None
    with another_writer(manuals) as other:
        served = knowledge.delete_document(gone.id)
        assert served is not None and gone.id not in served.document_hashes
        assert table_names() == [served.table_name], "neither the old version nor what the build had written is left"
        assert goes_on(other) == served.id, "nothing was left for it to do"
    assert not any("Koridel 207" in chunk.text for chunk in knowledge.chunks_of(served.id))
    with pytest.raises(KurabeError, match="source_removed"):
        knowledge.search(first.id, "Koridel 207")
    assert leases() == [] and table_names() == [served.table_name]


def expire(kb: str) -> None:
    """Let the lease on an index run out, as if its machine had slept."""
    with write() as session:
        session.query(tb.IndexLease).filter_by(name=kb).update({"expires_at": now() - timedelta(seconds=1)})


def test_a_writer_that_overslept_makes_nothing_visible_and_starts_over(manuals: str) -> None:
    between: list[str] = []

    def oversleep(stage: str, done: int, total: int) -> None:
        if stage == "choosing_index" and not between:
            knowledge.add_document(manuals, "new.md", b"# New\n\nThe Quimbolan is a lamp.")
            expire(manuals)
            between.append("asleep")
            between.append(knowledge.build_index(manuals, TEXT_ONLY).id)

    version = knowledge.build_index(manuals, TEXT_ONLY, oversleep)
    assert version.id == between[1], "the one that took over had done everything"
    assert [row.id for row in _versions(manuals)] == [version.id]
    assert table_names() == [version.table_name]


def test_a_lease_is_renewed_while_its_holder_works_and_noticed_when_it_is_taken(
    manuals: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "RENEWED_EVERY", 0.05)
    kb = knowledge.knowledge_bases(_project(manuals))[0]
    with room.leased(kb, "build") as held:
        first = leases()[0].expires_at
        assert until(lambda: leases()[0].expires_at > first)
        with room.leased(kb, "deletion"):
            assert until(lambda: held.lost)
            with pytest.raises(KurabeError, match="index_busy_deletion"), room.leased(kb, "deletion", patience=0):
                pass
        assert leases() == []


def test_one_of_many_gets_a_lease_that_a_dead_process_left(manuals: str) -> None:
    kb = knowledge.knowledge_bases(_project(manuals))[0]
    with write() as session:
        holder = {"pid": 2**22 + 1, "start_time": 1.0, "pgid": 1, "host": socket.gethostname()}
        session.add(
            tb.IndexLease(project_id=kb.project_id, knowledge_base_id=kb.id, name=kb.id, purpose="build",
                          holder=holder, expires_at=now() + timedelta(hours=1))
        )  # fmt: skip
    at_once: list[int] = []
    most: list[int] = []

    def write_a_while() -> None:
        with room.leased(kb, "build", patience=30):
            at_once.append(1)
            most.append(len(at_once))
            time.sleep(0.02)
            at_once.pop()

    threads = [threading.Thread(target=write_a_while) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert most == [1] * 6


def test_what_lies_on_another_machine_is_taken_over_only_when_it_expires(manuals: str) -> None:
    kb = knowledge.knowledge_bases(_project(manuals))[0]
    with room.leased(kb, "build"):
        with write() as session:
            [held] = session.query(tb.IndexLease)
            held.holder = {**held.holder, "host": "another-machine", "pid": 2**22 + 1}
        writer = knowledge.index_writer(manuals)
        assert writer is not None and writer.machine == "another-machine"
        with pytest.raises(KurabeError, match="index_busy_build"):
            knowledge.build_index(manuals, TEXT_ONLY, patience=0)
        expire(manuals)
        assert knowledge.index_writer(manuals) is None
        assert knowledge.build_index(manuals, TEXT_ONLY, patience=0).ready


def test_a_build_spares_a_trial_at_work_and_removes_one_that_was_killed(manuals: str) -> None:
    with knowledge.trial_index(manuals, IndexConfig(90, 90, "none", "estimate")) as trial:
        served = knowledge.build_index(manuals, TEXT_ONLY)
        assert knowledge.search(trial.id, "How heavy is the Koridel 207?").hits
        assert {row.id for row in _versions(manuals)} == {trial.id, served.id}
    assert table_names() == [served.table_name]
    killed = (
        "import sys, os; from core import knowledge as k\n"
        "with k.trial_index(sys.argv[1], k.IndexConfig(90, 90, 'none', 'estimate')): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", killed, manuals], cwd=ROOT, timeout=300).returncode == 9
    assert len(table_names()) == 2
    knowledge.add_document(manuals, "new.md", b"# New\n\nThe Quimbolan is a lamp.")
    version = knowledge.refresh_index(manuals)
    assert set(table_names()) == {version.table_name, served.table_name}
    assert leases() == []


def test_a_trial_that_lost_its_lease_begins_again_under_a_new_one(
    manuals: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    cut = index._cut

    def cut_once_without_lease(build: index._Build, *given: Any) -> Any:
        seen.append(build.lease.id)
        if len(seen) == 1:
            with write() as session:
                session.execute(delete(tb.IndexLease).where(tb.IndexLease.id == build.lease.id))
        return cut(build, *given)

    monkeypatch.setattr(index, "_cut", cut_once_without_lease)
    asked = IndexConfig(90, 90, "none", "estimate")
    with knowledge.trial_index(manuals, asked, should_stop=lambda: len(seen) > 2) as trial:
        assert trial.ready and len(set(seen)) == 2


def test_a_late_lease_that_is_renewed_meanwhile_is_not_ended(manuals: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [kb] = knowledge.knowledge_bases(_project(manuals))
    with room.leased(kb, "trial") as trial:
        with write() as session:
            session.get_one(tb.IndexLease, trial.id).expires_at = now() - timedelta(seconds=1)

        def late(held: tb.IndexLease) -> bool:
            trial.renew()  # between the look and the end
            return room.is_free(held)

        monkeypatch.setattr(leftovers, "is_free", late)
        assert leftovers._trials_at_work(manuals) == [trial.id]
        assert trial.id in [each.id for each in leases()]


def test_the_page_says_who_writes(manuals: str) -> None:
    [kb] = knowledge.knowledge_bases(_project(manuals))
    with room.leased(kb, "deletion"):
        writer = knowledge.index_writer(manuals)
        assert writer is not None
        for language in LANGUAGES:
            use_language(language)
            assert writer.machine in writing_text(writer)


def until(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _versions(kb: str) -> list[tb.IndexVersion]:
    with read() as session:
        return list(session.query(tb.IndexVersion).filter_by(knowledge_base_id=kb))


def _project(kb: str) -> str:
    with read() as session:
        return session.get_one(tb.KnowledgeBase, kb).project_id
