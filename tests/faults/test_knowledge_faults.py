"""kill -9 while an index is built, a document edited or deleted: nothing half-visible, and the next one goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core import jobs, knowledge
from core.identity import content_hash
from core.knowledge import IndexConfig
from core.knowledge.tables import table_names
from core.settings import ROOT, settings
from core.store import tables as tb
from core.store import write

CONFIG = IndexConfig(embedder="none", tokenizer="estimate")
DOCUMENTS = 40
TRIALS = int(os.environ.get("FAULT_TRIALS", "200"))

_LOADED = (
    "import sys; from core import knowledge; import lancedb; kb, name = sys.argv[1:]; print('ready', flush=True); "
)
REFRESH = _LOADED + "knowledge.refresh_index(kb)"
EDIT = _LOADED + (
    "n = 1\n"
    "while True:\n"
    "    row = knowledge.current_document(kb, name)\n"
    "    knowledge.edit_document(row.id, f'# Lamp 7\\n\\n' + f'Lamp 7 has {n} watts. ' * 200)\n"
    "    n += 1"
)
DELETE = _LOADED + "knowledge.delete_document(knowledge.current_document(kb, name).id)"


@pytest.fixture
def lamps() -> str:
    """Forty documents and an index that holds them."""
    with write() as session:
        project = tb.Project(name="Lamps", language="en")
        session.add(project)
    kb = knowledge.default_kb(project.id).id
    for n in range(DOCUMENTS):
        text = f"# Lamp {n}\n\n" + "\n\n".join(f"## Part {p}\n\nLamp {n} has part {p}." for p in range(20))
        knowledge.add_document(kb, f"lamp-{n}.md", text.encode())
    knowledge.build_index(kb, CONFIG)
    return kb


def struck(program: str, kb: str, name: str, seconds: float) -> int:
    """Run a program in a process of its own and kill it so long after it began to work; return how it ended."""
    process = subprocess.Popen([sys.executable, "-c", program, kb, name], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    time.sleep(seconds)
    process.kill()
    process.stdout.close()
    return process.wait(timeout=60)


def whole(kb: str) -> set[str]:
    """Require that what is served is whole; return the names of the documents it finds."""
    served = knowledge.latest_index(kb)
    assert served is not None
    chunks = knowledge.chunks_of(served.id)
    assert len(chunks) == served.chunk_count
    assert {chunk.document_id for chunk in chunks} == set(served.document_hashes)
    assert knowledge.search(served.id, "Which part has Lamp 3?", k=5).hits
    return {chunk.document_name for chunk in chunks}


def nothing_left(kb: str) -> None:
    """Require that after the next build only tables of versions that are known are there."""
    knowledge.refresh_index(kb)
    assert knowledge.stale_documents(kb) == []
    assert set(table_names()) == {version.table_name for version in knowledge.index_versions(kb)}


def strike_builds(kb: str, chance: random.Random) -> None:
    before = knowledge.latest_index(kb)
    assert before is not None
    knowledge.add_document(kb, f"new-{chance.random()}.md", b"# New\n\nSomething new.")
    ended = struck(REFRESH, kb, "-", chance.uniform(0.0, 1.5))
    after = knowledge.latest_index(kb)
    assert after is not None
    assert after.id == before.id if knowledge.stale_documents(kb) else after.id != before.id, ended
    assert len(whole(kb)) >= DOCUMENTS
    nothing_left(kb)
    assert whole(kb) == {row.name for row in knowledge.documents(kb)}


def strike_edits(kb: str, chance: random.Random) -> None:
    assert struck(EDIT, kb, "lamp-7.md", chance.uniform(0.0, 0.8)) == -9
    [current] = [row for row in knowledge.documents(kb) if row.name == "lamp-7.md"]
    versions = knowledge.document_versions(current.id)
    assert [row.current for row in versions] == [True] + [False] * (len(versions) - 1)
    for row in versions:
        assert content_hash(knowledge.document_original(row.id)) == row.hash
        assert row.text.count("watts") in (0, 200)
    assert len(whole(kb)) == DOCUMENTS
    nothing_left(kb)


def strike_deletions(kb: str, chance: random.Random) -> None:
    name = f"lamp-{chance.randrange(8, DOCUMENTS)}.md"
    row = knowledge.current_document(kb, name)
    assert row is not None
    digest = row.hash
    struck(DELETE, kb, name, chance.uniform(0.0, 1.5))
    if knowledge.current_document(kb, name) is not None:
        knowledge.delete_document(row.id)  # it was not deleted, so it can be
    assert all(row.id not in version.document_hashes for version in knowledge.index_versions(kb))
    assert name not in whole(kb)
    knowledge.add_document(kb, "lamp-0.md", b"# Lamp 0\n\nAnother one.")
    nothing_left(kb)
    original = settings().path("documents") / digest.rsplit(":", 1)[-1][:2] / digest.rsplit(":", 1)[-1]
    assert not original.exists()


STRIKES = {"build": strike_builds, "edit": strike_edits, "deletion": strike_deletions}


@pytest.mark.parametrize("what", STRIKES)
def test_struck_at_a_random_moment_the_earlier_version_is_served_and_the_next_try_succeeds(
    lamps: str, what: str
) -> None:
    STRIKES[what](lamps, random.Random(5))


@pytest.mark.faults
@pytest.mark.parametrize("what", STRIKES)
@pytest.mark.parametrize("seed", range(TRIALS // 20))
def test_full_length_nothing_half_made_is_ever_shown(lamps: str, what: str, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(3):
        STRIKES[what](lamps, chance)


def test_a_struck_build_job_is_lost_and_resumes_to_the_same_index(lamps: str, home: Path) -> None:
    knowledge.add_document(lamps, "new.md", b"# New\n\nSomething new.")
    before = knowledge.latest_index(lamps)
    payload = {"knowledge_base_id": lamps, "config": {"embedder": "none", "tokenizer": "estimate"}}
    job_id = jobs.submit("index", payload)
    deadline = time.monotonic() + 120
    while (view := jobs.job_view(job_id)).status in ("queued", "starting"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    if view.status == "running":
        from tests.faults.witness import Witness

        Witness(job_id, 0, home).strike("both")
    while (view := jobs.job_view(job_id)).recorded_status in ("queued", "starting", "running"):
        assert time.monotonic() < deadline
        jobs.tick()
        time.sleep(0.05)
    assert whole(lamps)
    if view.status != "succeeded":
        assert view.can_resume and before is not None
        served = knowledge.latest_index(lamps)
        assert served is not None and served.id == before.id
        jobs.resume(job_id)
        view = jobs.wait(job_id, timeout=120)
    assert view.status == "succeeded"
    assert "new.md" in whole(lamps)
    assert set(table_names()) == {version.table_name for version in knowledge.index_versions(lamps)}
