"""Whatever a project has stored, earlier answers and live comparisons are found through an index."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import event

from core.approaches import recent_comparisons
from core.evaluation import ExperimentConfig, plan_experiment, robustness_outcome
from core.identity import new_id
from core.store import read
from core.store.database import engine
from tests.evaluation.test_results import Written


def selects(action: Callable[[], object]) -> list[str]:
    """What a call asks of the store."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, values: object, *rest: object) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    try:
        action()
    finally:
        event.remove(engine(), "before_cursor_execute", note)
    return seen


def plans(found: list[str]) -> str:
    with read() as session:
        connection = session.connection()
        return "\n".join(
            str(row) for sql in found for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", _values(sql))
        )


def _values(sql: str) -> tuple[str, ...]:
    """Something for every place of a value: a plan does not depend on it."""
    return ("1",) * sql.count("?")


def test_what_an_approach_took_before_is_read_from_its_newest_answers() -> None:
    written = Written("base", "rag")
    for place in range(12):
        written.put("base", place, 1.0, prompt_tokens=100 + place, completion_tokens=5, device_seconds=0.5)
    config = ExperimentConfig(**written.config())
    found = selects(lambda: plan_experiment(written.experiment.project_id, config))
    asked = [sql for sql in found if "FROM answers" in sql]
    assert asked and "SCAN answers" not in plans(asked)


def test_recent_comparisons_are_read_from_the_live_answers_alone() -> None:
    written = Written("base")
    project, asked = written.experiment.project_id, [new_id() for _ in range(3)]
    for compare_id in asked:
        for place in range(2):
            written.put("base", place, None, phase="live", experiment_id=None, compare_id=compare_id, example_id=None,
                        question=f"{compare_id} {place}", repetition=place)  # fmt: skip
    written.put("base", 0, 1.0)
    assert [row.compare_id for row in recent_comparisons(project, 2)] == asked[:0:-1]
    assert [row.question for row in recent_comparisons(project)] == [f"{i} 0" for i in reversed(asked)]
    assert "ix_answers_live" in plans(selects(lambda: recent_comparisons(project))[:1])


def test_a_second_look_reads_only_the_first_answers_that_it_compares_with() -> None:
    written = Written("base")
    for place in range(12):
        written.put("base", place, 1.0)
    assert robustness_outcome(written.experiment.id).results == ()
    written.put("base", 3, 0.0, phase="reworded")
    [result] = robustness_outcome(written.experiment.id).results
    assert (result.n, result.lost, result.gained) == (1, 1, 0)
