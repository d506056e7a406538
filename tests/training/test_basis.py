"""What a run rests on is chosen: another base, an older dataset version, another index; and each licence is told."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from core import datasets, knowledge
from core.datasets import set_licence
from core.i18n import LANGUAGES, t
from core.knowledge import default_kb, latest_index
from core.models import bases_here, remember_base, resolve_base
from core.prompting import ChatTemplate
from core.settings import DATA
from core.training import TrainingConfig, export_kit, model_card, preflight, prepare_rows, start_training
from tests.approaches.world import make_project
from tests.training.conftest import Begin, Known
from tests.training.weights import put_run


def codes(config: TrainingConfig) -> set[str]:
    return {finding.code for finding in preflight(config).findings}


@pytest.fixture
def other_base(tmp_path: Path) -> str:
    """The practice model under another name, without a word about its licence."""
    folder = tmp_path / "other-base"
    shutil.copytree(DATA / "starter", folder)
    (folder / "kurabe.json").unlink(missing_ok=True)
    return str(folder)


def test_a_preset_takes_the_newest_unless_something_else_is_chosen(home: Path, other_base: str) -> None:
    project = make_project()
    base = default_kb(project.id)
    first, first_index = datasets.latest_version(project.id), latest_index(base.id)
    assert first is not None and first_index is not None
    newer = datasets.edit_rows(first.id, drop=[0, 1])
    knowledge.add_document(base.id, "More.md", b"# More\n\nThe Amber Kettle is blue.\n")
    newer_index = knowledge.build_index(base.id, knowledge.IndexConfig(embedder="none"))
    usual = TrainingConfig.preset(project.id, row_style="raft")
    assert (usual.dataset_version_id, usual.index_version_id) == (newer.id, newer_index.id)
    chosen = TrainingConfig.preset(
        project.id,
        row_style="raft",
        base_ref=other_base,
        dataset_version_id=first.id,
        index_version_id=first_index.id,
    )
    assert (chosen.base_ref, chosen.dataset_version_id, chosen.index_version_id) == (
        other_base, first.id, first_index.id,
    )  # fmt: skip
    template = ChatTemplate.load(DATA / "starter")
    asked, fewer = (prepare_rows(config, template, "en").rows_in for config in (chosen, usual))
    assert asked > fewer, "the rows are those of the chosen version"
    assert TrainingConfig.preset(project.id, index_version_id=first_index.id).index_version_id is None


def test_the_record_and_the_preflight_follow_what_was_chosen(
    home: Path, other_base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.control.tick", lambda: None)  # it need not really train here
    project = make_project()
    first = datasets.latest_version(project.id)
    assert first is not None
    datasets.edit_rows(first.id, drop=[0])
    config = TrainingConfig.preset(project.id, base_ref=other_base, dataset_version_id=first.id)
    found = preflight(config)
    assert {"other_base", "licence_unknown"} <= {finding.code for finding in found.findings}
    run = start_training(project.id, config, preflight=found.as_dict())
    assert (run.base_ref, run.dataset_version_id) == (other_base, first.id)
    assert "other_base" in {finding["code"] for finding in run.preflight["findings"]}
    assert "other_base" not in codes(TrainingConfig.preset(project.id))


def test_a_base_that_a_run_rested_on_is_offered_while_its_files_are_there(home: Path, other_base: str) -> None:
    assert [base.ref for base in bases_here()] == ["starter"]
    remember_base(resolve_base(other_base))
    assert [base.ref for base in bases_here()] == ["starter", other_base]
    shutil.rmtree(other_base)
    assert [base.ref for base in bases_here()] == ["starter"]


@pytest.mark.parametrize(
    ("licence", "code", "level"),
    [
        ("", "data_licence_unknown", "go"),
        ("CC-BY-NC-4.0", "data_licence_private", "risky"),
        ("MIT + House rules", "data_licence_terms", "go"),
        ("CC-BY-4.0 + MIT", None, "go"),
    ],
)
def test_the_preflight_says_what_the_licence_of_the_data_asks(
    known: Known, licence: str, code: str | None, level: str
) -> None:
    set_licence(known.version, licence)
    found = preflight(TrainingConfig(dataset_version_id=known.version, epochs=1))
    told = [finding for finding in found.findings if finding.code.startswith("data_licence")]
    assert [(finding.code, finding.level) for finding in told] == ([(code, level)] if code else [])
    assert found.data_licence == licence
    for finding in told:
        for language in LANGUAGES:
            assert "{" not in t(f"training.preflight.{finding.code}", language, **finding.params)


def test_the_card_names_the_licences_of_base_and_data_as_they_are_known_today(known: Known) -> None:
    run = put_run(known.project, known.version)
    assert f"| {t('training.card.data_licence')} | {t('training.card.unknown')} |" in model_card(str(run.adapter_id))
    set_licence(known.version, "CC-BY-SA-4.0")
    card = model_card(str(run.adapter_id))
    assert f"| {t('training.card.data_licence')} | CC-BY-SA-4.0 |" in card
    assert f"| {t('training.card.licence')} | Apache-2.0 |" in card


def test_kit_and_weights_carry_the_licences_along(begin: Begin, known: Known, home: Path, tmp_path: Path) -> None:
    set_licence(known.version, "CC-BY-4.0")
    training = begin(epochs=1, evaluations=1)
    training.go()
    with zipfile.ZipFile(export_kit(training.run_id, tmp_path / "kit.zip")) as kit:
        assert json.loads(kit.read("config.json"))["licences"]["data"] == "CC-BY-4.0"
        assert "CC-BY-4.0" in kit.read("README.md").decode()
    beside = json.loads((home / "adapters" / training.run_id / "kurabe.json").read_text())
    assert beside["data_licence"] == "CC-BY-4.0"
