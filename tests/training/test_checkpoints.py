"""Checkpoints: only whole ones count."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.training.checkpoints import MANIFEST, keep_newest, newest_valid, seal


def saved(folder: Path, step: int, *, sealed: bool = True) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    for name in ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"):
        (path / name).write_bytes(f"{name} {step}".encode() * 50)
    if sealed:
        seal(path, step, {"seconds": step * 1.5})
    return path


def test_the_newest_whole_checkpoint_is_found_by_number_not_by_name(tmp_path: Path) -> None:
    for step in (9, 10, 100):
        saved(tmp_path, step)
    found, broken = newest_valid(tmp_path)
    assert found is not None and (found.step, found.facts, broken) == (100, {"seconds": 150.0}, [])


@pytest.mark.parametrize("name", ["optimizer.pt", "adapter_model.safetensors", "rng_state.pth", MANIFEST])
@pytest.mark.parametrize("damage", ["missing", "short", "changed"])
def test_a_damaged_newest_checkpoint_is_passed_over(tmp_path: Path, name: str, damage: str) -> None:
    saved(tmp_path, 1)
    file = saved(tmp_path, 2) / name
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(content[:-9] if damage == "short" else b"x" + content[1:])
    found, broken = newest_valid(tmp_path)
    assert found is not None and found.step == 1 and broken == ["checkpoint-2"]


def test_a_save_that_was_cut_short_has_no_manifest_and_does_not_count(tmp_path: Path) -> None:
    saved(tmp_path, 5, sealed=False)
    assert newest_valid(tmp_path) == (None, ["checkpoint-5"])
    assert newest_valid(tmp_path / "nothing") == (None, [])


def test_old_checkpoints_are_let_go_but_never_the_last_whole_ones(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        saved(tmp_path, step)
    saved(tmp_path, 4, sealed=False)
    keep_newest(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-2", "checkpoint-3", "checkpoint-4"]
