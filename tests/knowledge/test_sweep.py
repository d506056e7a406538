"""Passage lengths, ways and numbers of passages are tried on the same questions, and what was served stays served."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import datasets, knowledge
from core.errors import KurabeError
from core.jobs import JobContext
from core.knowledge import AskedOf, SweepConfig, SweepReport
from core.knowledge.jobs import sweep as sweep_job
from core.knowledge.tables import table_names
from tests.knowledge.test_knowledge import TEXT_ONLY, manuals

__all__ = ["manuals"]

CONFIG = SweepConfig((40, 200), (1, 4), tokenizer="estimate", embedder="none")
ASKED = [
    AskedOf(f"How heavy is the Koridel {n}?", ((f"koridel-{n}.md", f"weighs {n - 198} kg"),), "weight")
    for n in range(201, 221)
]
# It names five others, so that the right one is not among the first four by the chance of equal scores.
OTHERS = ", ".join(f"Koridel {n}" for n in (201, 202, 204, 205, 206))
LOST = AskedOf(f"Which shelf suits the {OTHERS}?", (("koridel-203.md", "kitchen counter that is level"),))


def test_every_combination_is_judged_on_the_same_questions(manuals: str, tmp_path: Path) -> None:
    served = knowledge.build_index(manuals, TEXT_ONLY)
    report = knowledge.sweep_search(manuals, [*ASKED, LOST], CONFIG, tmp_path)
    assert report.questions == 21
    assert {(p.max_tokens, p.mode, p.k) for p in report.points} == {(s, "text", k) for s in (40, 200) for k in (1, 4)}
    by = {(p.max_tokens, p.k): p for p in report.points}
    assert by[40, 1].passages > by[200, 1].passages
    assert by[200, 1].tokens < by[200, 4].tokens and by[40, 4].tokens < by[200, 4].tokens
    assert by[200, 4].recall.estimate >= by[200, 1].recall.estimate >= 19 / 21
    assert report.best.verdict is None and report.best in report.level
    assert [miss.question for miss in report.missed] == [LOST.question]
    assert (report.missed[0].rank or 99) > report.best.k and report.missed[0].documents == ("koridel-203.md",)
    newest = knowledge.latest_index(manuals)
    assert newest is not None and newest.id == served.id
    assert table_names() == [served.table_name]


def test_a_stopped_sweep_goes_on_with_the_lengths_that_are_missing(manuals: str, tmp_path: Path) -> None:
    project = datasets.import_file(
        knowledge.document(knowledge.documents(manuals)[0].id).project_id,
        ("question,answer,quote,document\n" + "".join(
            f"How heavy is the Koridel {n}?,{n - 198} kg,weighs {n - 198} kg,koridel-{n}.md\n" for n in range(201, 221)
        )).encode(), "q.csv", split="validation",
    )  # fmt: skip
    payload = {"knowledge_base_id": manuals, "dataset_version_id": project.id, "sizes": [40, 200], "ks": [2],
               "tokenizer": "estimate", "embedder": "none"}  # fmt: skip

    class Stopping(JobContext):
        def progress(self, done: float, total: float | None, stage: str = "working", **data: object) -> None:
            if stage == "trying" and done == 1:
                (tmp_path / "stop.json").write_text('{"mode": "stop"}')

    assert sweep_job(Stopping("job", payload, tmp_path)) == {"stopped": True}
    assert sorted(path.name for path in tmp_path.glob("sweep-*.json")) == ["sweep-40.json"]
    first = (tmp_path / "sweep-40.json").stat().st_mtime_ns
    (tmp_path / "stop.json").unlink()
    result = json.loads(json.dumps(sweep_job(JobContext("job", payload, tmp_path, attempt=2))))
    assert (tmp_path / "sweep-40.json").stat().st_mtime_ns == first
    report = SweepReport.from_record(result)
    assert (report.questions, len(report.points), result["split"]) == (20, 2, "validation")
    assert table_names() == [] and knowledge.index_versions(manuals) == []


@pytest.mark.parametrize("wrong", [{"sizes": (5,)}, {"ks": (0,)}, {"sizes": ()}, {"sizes": tuple(range(20, 40))}])
def test_what_cannot_be_tried_is_refused(wrong: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(KurabeError, match="sweep_range"):
        SweepConfig(**wrong)
