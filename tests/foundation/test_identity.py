"""What is hashed stays comparable, what is written survives a crash, and a process is not mistaken for another."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import identity
from core.settings import ROOT

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(json_values)
def test_canonical_json_reads_back_as_the_same_value_and_text(value: object) -> None:
    text = identity.canonical_json(value)
    assert identity.canonical_json(json.loads(text)) == text


def test_the_order_of_keys_does_not_matter_to_a_hash_and_the_order_of_items_does() -> None:
    assert identity.content_hash({"a": 1, "b": [2]}) == identity.content_hash({"b": [2], "a": 1})
    assert identity.content_hash([1, 2]) != identity.content_hash([2, 1])


def test_text_is_hashed_as_stored_and_folded_for_matching_only() -> None:
    assert identity.content_hash("\uff76\uff8c\uff9e") != identity.content_hash("カブ")
    assert identity.match_key(" \uff76\uff8c\uff9e\u3000\uff21 ") == identity.match_key("カブ a")


def test_a_hash_names_its_scheme_and_a_file_hashes_like_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"kurabe")
    assert identity.content_hash("").startswith("k1:e3b0c44298fc1c14")
    assert identity.file_hash(tmp_path / "file") == identity.content_hash(b"kurabe") == identity.content_hash("kurabe")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_without_a_json_form_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        identity.content_hash({"value": value})


def test_ids_are_unique_and_in_the_order_of_creation() -> None:
    ids = [identity.new_id() for _ in range(500)]
    assert ids == sorted(set(ids))


def test_the_present_time_has_its_zone() -> None:
    assert identity.now().utcoffset() == timedelta(0)


_KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from core import identity
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv[2], die)
identity.atomic_write(Path(sys.argv[1]), "new" * 100_000)
"""


@pytest.mark.parametrize("moment", ["fsync", "chmod", "replace"])
def test_a_file_keeps_its_old_content_if_the_writer_is_killed_before_the_rename(moment: str, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    identity.atomic_write(file, "old")
    done = subprocess.run([sys.executable, "-c", _KILLED_WHILE_WRITING, str(file), moment], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert file.read_text() == "old"


def test_a_write_that_fails_leaves_no_second_file_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        identity.atomic_write(tmp_path / "folder", "a file cannot replace a folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_written_file_has_the_rights_that_were_asked_for(tmp_path: Path) -> None:
    identity.atomic_write(tmp_path / "deep" / "host.json", "{}", mode=0o600)
    assert (tmp_path / "deep" / "host.json").stat().st_mode & 0o777 == 0o600


def test_a_line_after_a_torn_one_can_still_be_read(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    identity.append_line(file, {"seq": 1, "text": "行\u2028\r末"})
    with file.open("ab") as torn:
        torn.write(b'{"seq": 2, "te')
    identity.append_line(file, {"seq": 3})
    assert identity.read_lines(file) == [{"seq": 1, "text": "行\u2028\r末"}, {"seq": 3}]


def test_a_last_line_that_is_being_written_is_not_read_yet(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    identity.append_line(file, {"seq": 1})
    with file.open("ab") as torn:
        torn.write('{"text": "文'.encode()[:-1])
    assert identity.read_lines(file) == [{"seq": 1}]
    assert identity.read_lines(tmp_path / "missing") == []


def test_a_process_lives_until_it_ends_and_a_zombie_does_not() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known = identity.process_identity(child.pid)
    assert identity.alive(known)
    child.kill()
    deadline = time.monotonic() + 20
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:  # not reaped yet
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not identity.alive(known)
    child.wait()
    assert not identity.alive(known)


def test_another_process_under_the_same_number_is_not_the_same_process() -> None:
    own = identity.process_identity()
    assert identity.alive(own)
    assert not identity.alive(dataclasses.replace(own, start_time=own.start_time - 3600))


def test_an_identity_survives_its_stored_form() -> None:
    own = identity.process_identity()
    assert identity.ProcessIdentity.from_dict(json.loads(json.dumps(own.as_dict()))) == own
    assert (own.pid, own.pgid) == (os.getpid(), os.getpgid(0))


def test_the_actor_is_the_person_that_was_named_or_the_account() -> None:
    import contextvars

    def named() -> str:
        identity.as_actor("mika")
        return identity.actor()

    assert contextvars.copy_context().run(named) == "mika"
    assert identity.actor().startswith("cli:")
