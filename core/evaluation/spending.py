"""What a run itself asked and paid: answers that it took over cost nothing a second time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Float, cast, func, select

from core.approaches import MEASURED
from core.store import read
from core.store import tables as tb

from .report import Spending


def spending(experiment_id: str, currency: str, factor: Callable[[str], float]) -> Spending:
    """Count and add up in SQL, whatever the number of answers.

    Args:
        experiment_id: whose answers.
        currency: of the project.
        factor: by how much an amount of a currency is multiplied to be one of the project's.

    Raises:
        KurabeError: what `factor` raises.
    """
    a = tb.Answer
    groups = a.taken_from, a.approach_id, a.currency
    counted = select(*groups, func.count(a.id), func.count(a.cost), func.sum(cast(a.cost, Float)))
    mine = a.experiment_id == experiment_id, a.phase.in_(MEASURED), a.status == "finished"
    with read() as session:
        rows = session.execute(counted.where(*mine).group_by(*groups)).all()
    own, taken = [row for row in rows if row[0] is None], [row for row in rows if row[0] is not None]
    by, source = Counter[str](), Counter[str]()
    for origin, approach_id, _, count, *_ in taken:
        by[approach_id] += count
        source[origin] += count
    return Spending(
        asked=sum(row[3] for row in own),
        cost=_amount(own, factor),
        unpriced=sum(row[3] - row[4] for row in own),
        taken=by.total(),
        taken_cost=_amount(taken, factor),
        currency=currency,
        taken_by=dict(by),
        taken_from=dict(source),
    )


def _amount(rows: Sequence[Any], factor: Callable[[str], float]) -> float | None:
    priced = [float(amount) * factor(currency) for _, _, currency, _, known, amount in rows if known and currency]
    return sum(priced) if priced else None
