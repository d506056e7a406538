"""What begins when an experiment's last answer is there: the judge that was chosen beforehand."""

from __future__ import annotations

from core.errors import KurabeError
from core.store import read, write
from core.store import tables as tb


def begin_judge(experiment_id: str) -> str | None:
    """Queue the judging that the experiment's configuration names, once; returns its id.

    What stands in its way does not undo the experiment: it is written into `provenance["judge"]`, and a person can
    begin the judging by hand. An experiment that runs without a job only gets the judging stored.
    """
    from .judge import JudgeConfig, judgings, start_judging  # they read experiments, and so what runs them

    with read() as session:
        experiment = session.get_one(tb.Experiment, experiment_id)
    choice = experiment.config.get("judge")
    if not choice:
        return None
    if made := judgings(experiment_id):
        return made[0].id  # an attempt that was killed at the very end had begun it
    try:
        config = JudgeConfig(experiment_id=experiment_id, **choice)
        found = start_judging(config, launch=experiment.job_id is not None)
    except KurabeError as error:
        with write() as session:
            stored = session.get(tb.Experiment, experiment_id)
            if stored is not None:
                stored.provenance = {**stored.provenance, "judge": {"error": dict(error.as_record())}}
        return None
    return found.id


def judge_refused(experiment_id: str) -> KurabeError | None:
    """Return why the judge that was chosen beforehand did not begin; None if nothing stood in its way."""
    with read() as session:
        experiment = session.get_one(tb.Experiment, experiment_id)
    kept = (experiment.provenance or {}).get("judge")
    return KurabeError.from_record(kept["error"]) if kept else None
