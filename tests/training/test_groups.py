"""Runs that were started together: what a learning curve and several seeds say."""

from __future__ import annotations

import pytest

from core.errors import KurabeError
from core.settings import reset_settings
from core.store import tables as tb
from core.store import write
from core.training import TrainingConfig, run_group, runs, start_learning_curve
from tests.training.conftest import Known


def add(known: Known, group: str | None, loss: float | None, rows: int = 24, **fields: object) -> str:
    """A run that ended with this validation loss, or that has not ended."""
    config = TrainingConfig(dataset_version_id=known.version, epochs=1, **fields)  # type: ignore[arg-type]  # by name
    result = {} if loss is None else {"eval_loss": loss, "eval_loss_best": loss - 0.1, "rows": {"trained": rows}}
    run = tb.TrainingRun(
        project_id=known.project, name="n", dataset_version_id=known.version, base_ref="starter", method="lora",
        config=config.as_dict(), result=result, group_key=group,
    )  # fmt: skip
    with write() as session:
        session.add(run)
    return run.id


def curve(known: Known, *losses: float | None) -> str:
    shares = (0.1, 0.25, 0.5, 1.0)[-len(losses) :]
    made = [
        add(known, "g", loss, rows=round(240 * share), data_share=share)
        for share, loss in zip(shares, losses, strict=True)
    ]
    return made[0]


@pytest.mark.parametrize(
    ("losses", "finding"),
    [
        ((1.2, 0.9, 0.7, 0.5), "helps"),
        ((1.2, 0.6, 0.51, 0.505), "enough"),
        ((1.2, 0.6, 0.50, 0.55), "enough"),
        ((1.2, 0.9, 0.7, None), "waiting"),
        ((1.2, None), "waiting"),
    ],
)
def test_a_learning_curve_says_whether_more_examples_help(
    known: Known, losses: tuple[float | None, ...], finding: str
) -> None:
    group = run_group(curve(known, *losses))
    assert group is not None and group.kind == "shares" and group.finding == finding
    assert [point.examples for point in group.points] == sorted(point.examples for point in group.points)


def test_a_curve_without_its_largest_share_waits(known: Known) -> None:
    for key in ("cut", "cut:1", "whole:0.25"):
        made = [add(known, key, loss, data_share=share) for share, loss in ((0.1, 0.9), (0.25, 0.6))]
        group = run_group(made[0])
        assert group is not None and group.finding == ("helps" if key == "whole:0.25" else "waiting")


def test_a_curve_that_cannot_be_started_whole_is_not_trained_in_part(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KURABE_JOBS_PER_PROJECT", "2")
    monkeypatch.setenv("KURABE_FREE_SPACE_FLOOR_MB", str(1 << 40))  # nothing begins meanwhile
    reset_settings()
    with pytest.raises(KurabeError, match="quota"):
        start_learning_curve(known.project, TrainingConfig(dataset_version_id=known.version, epochs=1))
    assert [run.status for run in runs(known.project)] == ["cancelled", "cancelled"]


def test_the_gain_is_that_of_the_last_step(known: Known) -> None:
    group = run_group(curve(known, 1.2, 0.9, 0.8, 0.6))
    assert group is not None and group.last_gain == pytest.approx(0.25)


def test_seeds_show_their_spread(known: Known) -> None:
    first = [add(known, "s", loss, seed=seed) for seed, loss in enumerate((0.5, 0.6, 0.55))][0]
    group = run_group(first)
    assert group is not None and (group.kind, group.finding) == ("seeds", "spread")
    assert group.spread == pytest.approx(0.1 / 0.55)


def test_a_run_that_was_started_alone_has_no_group(known: Known) -> None:
    assert run_group(add(known, None, 0.5)) is None
    with pytest.raises(KurabeError, match="no_run"):
        run_group("nothing")
