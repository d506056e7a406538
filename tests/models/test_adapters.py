"""Adapters as files and as rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import KurabeError
from core.identity import new_id
from core.models import (
    adapter,
    adapter_files,
    adapter_folder,
    adapters,
    delete_adapter,
    merged_folder,
    register_adapter,
    served_names,
    write_adapter_card,
)
from core.store import tables as tb
from core.store import write


def make_files(adapter_id: str) -> Path:
    folder = adapter_folder(adapter_id)
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "adapter_config.json").write_text("{}")
    write_adapter_card(folder, base_ref="starter", base_hash="k1:base", kind="lora")
    return folder


def make_project() -> str:
    with write() as session:
        project = tb.Project(name="p", language="en")
        session.add(project)
    return project.id


def test_an_adapter_is_registered_with_what_it_rests_on() -> None:
    project_id, adapter_id = make_project(), new_id()
    make_files(adapter_id)
    register_adapter(project_id, adapter_id, "first", licence="Apache-2.0", facts={"epochs": 3})
    row = adapter(adapter_id)
    assert (row.base_ref, row.base_hash, row.kind, row.licence) == ("starter", "k1:base", "lora", "Apache-2.0")
    assert row.hash == adapter_files(adapter_id).hash and row.size > 7
    assert [entry.id for entry in adapters(project_id)] == [adapter_id]
    assert f"adapter:{adapter_id}" in served_names()


def test_other_weights_have_another_hash() -> None:
    folder = make_files("a")
    before = adapter_files("a").hash
    (folder / "adapter_model.safetensors").write_bytes(b"other weights")
    assert adapter_files("a").hash != before


def test_deleting_removes_the_files_and_keeps_the_row() -> None:
    project_id, adapter_id = make_project(), new_id()
    folder = make_files(adapter_id)
    register_adapter(project_id, adapter_id, "first")
    delete_adapter(adapter_id)
    assert not folder.exists()
    assert adapters(project_id) == []
    assert adapters(project_id, deleted=True)[0].deleted_at is not None
    assert f"adapter:{adapter_id}" not in served_names()


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a\\b", ".hidden"])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    for place in (adapter_folder, merged_folder):
        with pytest.raises(KurabeError) as caught:
            place(name)
        assert caught.value.code == "models.adapter_missing"


def test_an_adapter_without_its_card_is_not_one() -> None:
    adapter_folder("bare").mkdir(parents=True)
    with pytest.raises(KurabeError) as caught:
        adapter_files("bare")
    assert caught.value.code == "models.adapter_missing"
    assert "adapter:bare" not in served_names()
