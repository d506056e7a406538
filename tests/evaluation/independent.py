"""Every number of an experiment's page computed again from its exported answers, with scipy and nothing of Kurabe's.

Rows are those of the export: one an answer, scores as `score:<metric>` (None: the metric failed), why the primary score
is what it is as `reason`. Questions are plain records by id: `slice`, `coverage`, `absent` (no data holds an answer),
`source` (the document that holds it; None where nobody knows).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

Row = dict[str, Any]
Interval = dict[str, Any]

SKILL = {
    "json_broken", "json_keys_missing", "json_against_schema", "json_no_object", "category_none", "category_wrong",
    "phrase_missing", "phrase_forbidden", "too_long", "empty_answer",
}  # fmt: skip
UNTUNED = ("base", "few_shot", "many_shot", "rag", "whole_context")
SPANS = ("embed", "search", "rerank", "prepare", "queue", "first_token", "decode")


def page(
    rows: Iterable[Row],
    questions: dict[str, Row],
    presets: dict[str, str],
    baseline: str,
    primary: str,
    metrics: Sequence[str],
    repetitions: int = 1,
    prices: dict[tuple[str, str], tuple[float, float, float]] | None = None,
) -> dict[str, Any]:
    """All figures; approaches by id, `presets` being their presets in the order of the page.

    `prices` holds list prices of tokens read, read from the cache and written, by approach and version of the prices.
    """
    everything = list(rows)
    quality = [row for row in everything if row["phase"] == "quality"]
    timed = [row for row in everything if row["phase"] == "latency"]
    by_question = {a: per_question(quality, a, f"score:{primary}", failed=0.0) for a in presets}
    shown = {a: per_question(quality, a, "score:retrieval") for a in presets}
    ranked = [a for a, preset in presets.items() if preset != "oracle_context"]
    others = [a for a in ranked if a != baseline]
    slices = sorted({q["slice"] for q in questions.values()})
    versus = compared(by_question, [(a, baseline, None) for a in others], questions)
    discordance = float(np.mean([(c["up"] + c["down"]) / c["n"] for c in versus])) if versus else None
    return {
        "questions": len(questions),
        "repetitions": repetitions,
        "slices": dict(Counter(q["slice"] for q in questions.values())),
        "coverage": dict(Counter(q["coverage"] for q in questions.values() if q["coverage"])),
        "approaches": {
            a: {
                **approach([r for r in quality if r["approach_id"] == a], by_question[a], shown[a], questions,
                           primary, metrics, repetitions, prices or {}),
                "latency": latency([r for r in timed if r["approach_id"] == a]),
            }
            for a in presets
        },
        "comparisons": versus,
        "slice_comparisons": compared(by_question, [(a, baseline, s) for a in others for s in slices], questions),
        "pairs": compared(by_question, [(a, b, None) for a, b in combinations(ranked, 2)], questions),
        "discordance": discordance,
        "smallest_detectable": detectable(len(questions), discordance, 0.05 / len(versus)) if discordance else None,
        "sources": sources(list(questions), questions)[1],
        "headroom": headroom(by_question, shown, presets, questions),
        "spending": spending([row for row in (*quality, *timed) if row["status"] == "finished"]),
    }  # fmt: skip


def spending(done: list[Row]) -> dict[str, Any]:
    """What the run asked and paid in both phases; nothing was taken over here."""
    paid = [float(row["cost"]) for row in done if row["cost"] is not None]
    found = {"asked": len(done), "unpriced": len(done) - len(paid), "taken": 0}
    return found | ({"cost": sum(paid)} if paid else {})


def approach(
    mine: list[Row], primary_values: dict[str, float], shown: dict[str, float], questions: dict[str, Row],
    primary: str, metrics: Sequence[str], repetitions: int, prices: dict[tuple[str, str], tuple[float, float, float]],
) -> dict[str, Any]:  # fmt: skip
    """Figures of one approach's quality answers."""
    done = [row for row in mine if row["status"] == "finished"]
    status = Counter(row["status"] for row in mine)
    planned = len(questions) * repetitions
    absent = {q for q, known in questions.items() if known["absent"]}
    honest = per_question(mine, None, "score:abstention")
    honest |= {q: 0.0 for q, value in primary_values.items() if value == 0 and q not in honest}
    found: dict[str, Any] = {
        "counts": {
            "planned": planned,
            "finished": status["finished"],
            "failed": status["failed"],
            "stopped": status["stopped"],
            "open": planned - len(mine) + status["pending"] + status["streaming"],
            "empty": sum(1 for row in done if not row["text"]),
            "cut": sum(1 for row in mine if row["finish_reason"] == "length"),
        },
        "correct": share(list(primary_values.values())),
        "slices": grouped(primary_values, questions, "slice"),
        "coverage": grouped(primary_values, questions, "coverage"),
        "metrics": {},
        "tokens": {name: amount(done, f"{name}_tokens") for name in ("prompt", "context", "cached", "completion",
                                                                      "reasoning")},
        "cost": {**cost(done, primary), "parts": cost_parts(done, prices)},
        "device_seconds": amount(done, "device_seconds"),
        "attribution": causes(mine, questions, primary),
        "failures": dict(Counter(row["error"]["code"] for row in mine if row["status"] == "failed")),
        "declined": share([value for q, value in honest.items() if q in absent]),
        "retrieval": None,
    }  # fmt: skip
    for name in dict.fromkeys((primary, *metrics)):
        values = primary_values if name == primary else per_question(mine, None, f"score:{name}")
        failed = sum(1 for row in mine if f"score:{name}" in row and row[f"score:{name}"] is None)
        if values or failed:
            found["metrics"][name] = {
                "interval": share(list(values.values())),
                "applicable": len(values),
                "failed": failed,
            }
    if shown:
        right = [(primary_values.get(q), value >= 0.5) for q, value in shown.items()]
        found["retrieval"] = {
            "questions": len(shown),
            "found": share(list(shown.values())),
            "correct_if_found": share([value for value, there in right if there and value is not None]),
            "correct_if_missed": share([value for value, there in right if not there and value is not None]),
        }
    return found


def per_question(rows: list[Row], approach_id: str | None, column: str, failed: float | None = None) -> dict[str, Any]:
    """Mean over repetitions by question; questions without any value are left out."""
    values: dict[str, list[float]] = {}
    for row in rows:
        value = row.get(column)
        if value is None and row["status"] == "failed":
            value = failed
        if value is not None and approach_id in (None, row["approach_id"]):
            values.setdefault(row["example_id"], []).append(value)
    return {question: float(np.mean(several)) for question, several in values.items()}


def grouped(values: dict[str, float], questions: dict[str, Row], label: str) -> dict[str, Interval]:
    """Intervals by slice or coverage."""
    groups: dict[str, list[float]] = {}
    for question, value in values.items():
        if name := questions[question][label]:
            groups.setdefault(name, []).append(value)
    return {name: found for name, several in groups.items() if (found := share(several)) is not None}


# intervals -----------------------------------------------------------------------------------------


def _interval(estimate: float, low: float | None, high: float | None, n: int) -> Interval:
    return {"estimate": estimate, "low": low, "high": high, "n": n}


def share(values: Sequence[float]) -> Interval | None:
    """Mean of scores between 0 and 1."""
    if not len(values):
        return None
    x = np.asarray(values, dtype=float)
    n, mean = x.size, float(x.mean())
    if set(x.tolist()) <= {0.0, 1.0}:
        ends = stats.binomtest(int(x.sum()), n).proportion_ci(method="wilson")
        return _interval(mean, ends.low, ends.high, n)
    if n < 2:
        return _interval(mean, None, None, n)
    return _interval(mean, *_effective(x), n)


def _effective(x: np.ndarray) -> tuple[float, float]:
    """Roots of (x̄ − μ)² = t²·μ(1 − μ)/n*, n* = n·x̄(1 − x̄)/s²."""
    n, mean, variance = x.size, float(x.mean()), float(stats.tvar(x))
    if mean in (0.0, 1.0):
        size = float(n)
    elif variance == 0:
        return mean, mean
    else:
        size = n * mean * (1 - mean) / variance
    t2 = stats.t.ppf(0.975, n - 1) ** 2 / size
    low, high = sorted(np.roots([1 + t2, -(2 * mean + t2), mean * mean]).real)
    return max(0.0, float(low)), min(1.0, float(high))


def amount(rows: list[Row], column: str) -> Interval | None:
    """Mean of what was counted, over questions: repetitions of one are averaged first."""
    return mean_amount(_by_question(rows, column))


def _by_question(rows: list[Row], column: str) -> list[float]:
    values: dict[str, list[float]] = {}
    for row in rows:
        if row[column] is not None:
            values.setdefault(row["example_id"], []).append(float(row[column]))
    return [float(np.mean(several)) for several in values.values()]


def mean_amount(values: Sequence[float]) -> Interval | None:
    """Mean of amounts of 0 or more, with Hall's interval."""
    if not values:
        return None
    x = np.asarray(values)
    n, mean = x.size, float(x.mean())
    if n < 2:
        return _interval(mean, None, None, n)
    s, skew = float(stats.tstd(x)), float(stats.skew(x)) if np.ptp(x) else 0.0
    t = stats.t.ppf(0.975, n - 1) / math.sqrt(n)

    def transformed(u: float) -> float:
        y = u - skew / (6 * n)
        return y if abs(skew) <= 1e-6 else 3 / skew * (np.cbrt(1 + skew * y) - 1)

    return _interval(mean, max(0.0, mean - s * transformed(t)), mean - s * transformed(-t), n)


def percentile(values: Sequence[float], q: float) -> Interval | None:
    """A percentile between two order statistics, or nothing where the sample is too small."""
    x, n = np.sort(values), len(values)
    low, high = max(1, int(stats.binom.ppf(0.025, n, q))), min(n, int(stats.binom.ppf(0.975, n, q)) + 1)
    while (covered := sum(stats.binom.pmf(range(low, high), n, q))) < 0.95 and (low, high) != (1, n):
        low, high = max(1, low - 1), min(n, high + 1)
    return _interval(float(np.quantile(x, q)), x[low - 1], x[high - 1], n) if n > 1 and covered >= 0.95 else None


# comparisons ---------------------------------------------------------------------------------------


def compared(
    values: dict[str, dict[str, float]], wanted: list[tuple[str, str, str | None]], questions: dict[str, Row]
) -> list[dict[str, Any]]:
    """Paired comparisons with Holm's adjustment over the list."""
    made = []
    for first, second, name in wanted:
        shared = [q for q in values[first] if q in values[second] and name in (None, questions[q]["slice"])]
        if shared:
            a, b = (np.array([values[one][q] for q in shared]) for one in (first, second))
            clusters, together = sources(shared, questions)
            difference = clustered(a, b, clusters) if together else paired(a, b)
            made.append({"first": first, "second": second, "slice": name, **difference})
    order, worst = sorted(range(len(made)), key=lambda i: made[i]["p_value"]), 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(made) - rank) * made[place]["p_value"]))
        made[place]["adjusted_p"] = worst
    for one in made:
        enough, sure = one["up"] + one["down"] >= 10, one["adjusted_p"] < 0.05
        word = ("better" if one["estimate"] > 0 else "worse") if sure else "no_difference"
        one["verdict"] = word if enough else "not_enough"
    return made


def sources(shared: list[str], questions: dict[str, Row]) -> tuple[list[str], int | None]:
    """The source of each question, and how many there are if ten or more are shared by some."""
    found = [questions[q]["source"] or f"alone {q}" for q in shared]
    count = len(set(found))
    return found, count if 10 <= count < len(found) else None


def clustered(a: np.ndarray, b: np.ndarray, clusters: list[str]) -> dict[str, Any]:
    """As `paired`, with whole sources flipped, and both halves of the interval stretched by √(design effect)·t/t₁."""
    alone, d, n = paired(a, b), a - b, a.size
    names = sorted(set(clusters), key=clusters.index)
    sums = np.array([sum(d[i] for i in range(n) if clusters[i] == name) for name in names])
    residuals = np.array([sum(d[i] - d.mean() for i in range(n) if clusters[i] == name) for name in names])
    c = len(names)
    robust, single = c / (c - 1) * float((residuals**2).sum()) / n**2, float(stats.tvar(d)) / n
    binary = set(a.tolist()) | set(b.tolist()) <= {0.0, 1.0}
    usual = stats.norm.ppf(0.975) if binary else stats.t.ppf(0.975, n - 1)
    stretch = math.sqrt(max(1.0, robust / single if single else 1.0)) * stats.t.ppf(0.975, c - 1) / usual
    estimate = alone["estimate"]
    return {
        **alone,
        "p_value": _flipped(sums),
        "low": max(-1.0, estimate - stretch * (estimate - alone["low"])),
        "high": min(1.0, estimate + stretch * (alone["high"] - estimate)),
    }


def paired(a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    """Difference of the means, its interval and p-value."""
    up, down, n = int((a > b).sum()), int((a < b).sum()), a.size
    found: dict[str, Any] = {"estimate": float((a - b).mean()), "n": n, "up": up, "down": down, "equal": n - up - down}
    if set(a.tolist()) | set(b.tolist()) <= {0.0, 1.0}:
        p = stats.binomtest(up, up + down).pvalue if up + down else 1.0
        both, neither = int(((a == 1) & (b == 1)).sum()), int(((a == 0) & (b == 0)).sum())
        table = np.array([[both, up], [down, neither]])
        margins = float(np.prod(table.sum(axis=0)) * np.prod(table.sum(axis=1)))
        cross = float(both * neither - up * down)
        r = (max(cross - n / 2, 0.0) if cross > 0 else cross) / math.sqrt(margins) if margins else 0.0
    else:
        p = _flipped(a - b)
        r = stats.pearsonr(a, b).statistic if np.ptp(a) and np.ptp(b) else 0.0
        r = max(0.0, r - 2 / n) if r > 0 else r
    low, high = _square_and_add(a, b, r)
    return {**found, "low": low, "high": high, "p_value": float(p)}


def _square_and_add(a: np.ndarray, b: np.ndarray, r: float) -> tuple[float | None, float | None]:
    binary = set(a.tolist()) | set(b.tolist()) <= {0.0, 1.0}
    if a.size < 2 and not binary:
        return None, None
    ends = [(share(x) if binary else dict(zip(("low", "high"), _effective(x), strict=True))) for x in (a, b)]
    (l1, u1), (l2, u2) = ((one["low"], one["high"]) for one in ends if one)
    m1, m2 = a.mean(), b.mean()
    below = (m1 - l1) ** 2 - 2 * r * (m1 - l1) * (u2 - m2) + (u2 - m2) ** 2
    above = (m2 - l2) ** 2 - 2 * r * (m2 - l2) * (u1 - m1) + (u1 - m1) ** 2
    d = float(m1 - m2)
    return max(-1.0, d - math.sqrt(max(0.0, below))), min(1.0, d + math.sqrt(max(0.0, above)))


def _flipped(d: np.ndarray) -> float:
    if d.size < 2 or not d.any():
        return 1.0
    return float(
        stats.permutation_test(
            (d,), lambda x, axis=-1: x.mean(axis=axis), permutation_type="samples", vectorized=True,
            n_resamples=9_999, batch=1000, rng=0,
        ).pvalue
    )  # fmt: skip


def detectable(n: int, discordance: float, alpha: float) -> float | None:
    """Smallest difference on a grid of 1/5,000 that is found in 4 of 5 runs, summed over every outcome."""

    def found(difference: float) -> float:
        share_won, total = (discordance + difference) / (2 * discordance), 0.0
        for pairs in range(10, n + 1):
            won = np.arange(pairs + 1)
            p = np.minimum(1.0, 2 * stats.binom.cdf(np.minimum(won, pairs - won), pairs, 0.5))
            significant = stats.binom.pmf(won, pairs, share_won)[p <= alpha].sum()
            total += stats.binom.pmf(pairs, n, discordance) * significant
        return float(total)

    steps = [d for d in np.arange(0.0, discordance, 1 / 5_000) if found(float(d)) >= 0.8]
    return float(steps[0]) if steps else None


# the rest ------------------------------------------------------------------------------------------


def cost(done: list[Row], primary: str) -> dict[str, Any]:
    """Money of the quality answers."""
    priced = [row for row in done if row["cost"] is not None]
    known = [float(row["cost"]) for row in priced]
    mean = amount(done, "cost")
    if mean is None:
        return {"per_answer": None, "per_1000": None, "per_correct": None, "total": None, "unpriced": len(done)}
    thousand = {name: value if name == "n" or value is None else 1000 * value for name, value in mean.items()}
    right = sum(row.get(f"score:{primary}") or 0.0 for row in priced)
    return {
        "per_answer": mean,
        "per_1000": thousand,
        "per_correct": sum(known) / right if right else None,
        "total": sum(known),
        "unpriced": len(done) - len(known),
    }


def cost_parts(done: list[Row], prices: dict[tuple[str, str], tuple[float, float, float]]) -> dict[str, float]:
    """What 1,000 answers cost by part: shared out by list prices within answers priced alike."""
    priced = [row for row in done if row["cost"] is not None]
    found: dict[str, float] = {}
    for basis, version in {(row["cost_basis"], row["price_version"]) for row in priced}:
        alike = [row for row in priced if (row["cost_basis"], row["price_version"]) == (basis, version)]
        money = sum(float(row["cost"]) for row in alike) * 1000 / len(priced)
        tokens = {
            name: sum(row[f"{name}_tokens"] or 0 for row in alike)
            for name in ("prompt", "cached", "context", "completion")
        }
        known = prices.get((alike[0]["approach_id"], version))
        if basis == "device" or known is None:
            shares = {"device" if basis == "device" else "whole": 1.0}
        else:
            context = tokens["context"] / tokens["prompt"]
            read = (tokens["prompt"] - tokens["cached"]) * known[0] + tokens["cached"] * known[1]
            written = tokens["completion"] * known[2]
            shares = {"question": read * (1 - context), "context": read * context, "answer": written}
            shares = {name: amount / (read + written) for name, amount in shares.items()}
        for name, share_of in shares.items():
            found[name] = found.get(name, 0.0) + share_of * money
    return found


def latency(mine: list[Row]) -> dict[str, Any]:
    """Waiting times of answers asked alone and answered at the first try."""
    done = [row for row in mine if row["status"] == "finished" and row["attempts"] == 1 and row["total_seconds"]]
    again = [row for row in mine if row["status"] == "finished" and row["attempts"] > 1]
    first = [row["first_token_seconds"] for row in done if row["first_token_seconds"] is not None]
    total = [row["total_seconds"] for row in done]
    lengths = [row["completion_tokens"] for row in done if row["completion_tokens"] is not None]

    def summary(seconds: list[float]) -> dict[str, Any]:
        if not seconds:
            return {"p50": None, "p95": None, "mean": None}
        return {"p50": percentile(seconds, 0.5), "p95": percentile(seconds, 0.95), "mean": mean_amount(seconds)}

    return {
        "n": len(done),
        "failed": len(again) + sum(1 for row in mine if row["status"] == "failed"),
        "first_token": summary(first),
        "total": summary(total),
        "spans": {
            name: sum(row["spans"].get(name) or 0.0 for row in done) / len(done)
            for name in SPANS
            if any(name in row["spans"] for row in done)
        },
        "seconds": total,
        "first_token_seconds": first,
        "completion_tokens": float(np.mean(lengths)) if lengths else None,
        "cached": _kept([row for row in done if row.get("cached_tokens") is not None]),
        "cold": sum(1 for row in done if row["serving"].get("warm") is False),
    }


def _kept(told: list[Row]) -> float | None:
    tokens = sum(row["prompt_tokens"] or 0 for row in told)
    return sum(row["cached_tokens"] for row in told) / tokens if tokens else None


def causes(mine: list[Row], questions: dict[str, Row], primary: str) -> dict[str, int]:
    """Why answers are wrong, each question counted once."""
    names = ("retrieval_missed", "had_not_used", "format", "invented", "unknown", "declined", "failed")
    found, seen = dict.fromkeys(names, 0), set()
    for row in mine:
        cause = _cause(row, questions[row["example_id"]]["absent"], primary)
        if cause and row["example_id"] not in seen:
            seen.add(row["example_id"])
            found[cause] += 1
    return found


def _cause(row: Row, absent: bool, primary: str) -> str | None:
    value, reason, shown = row.get(f"score:{primary}"), row.get("reason", ""), row.get("score:retrieval")
    if row["status"] == "failed":
        return "failed"
    if value is None or value >= 0.5:
        return None
    if absent:
        return "invented" if reason == "answered_without_source" else "format"
    if reason in SKILL:
        return "format"
    if shown is not None:
        return "had_not_used" if shown else "retrieval_missed"
    return "declined" if reason == "declined_needlessly" else "unknown"


def headroom(
    values: dict[str, dict[str, float]], shown: dict[str, dict[str, float]], presets: dict[str, str],
    questions: dict[str, Row],
) -> dict[str, Any] | None:  # fmt: skip
    """What better search and tuning could gain at most over the best untuned approach."""
    ceiling = next((a for a, preset in presets.items() if preset == "oracle_context"), None)
    untuned = [a for a, preset in presets.items() if preset in UNTUNED]
    if ceiling is None or not untuned:
        return None
    known = [q for q in questions if all(q in values[a] for a in (*untuned, ceiling))]
    if not known:
        return None
    best = max(reversed(untuned), key=lambda a: float(np.mean([values[a][q] for q in known])))
    counts = Counter(
        "right" if values[best][q] >= 0.5 else _mended(q, values[ceiling], shown[ceiling], shown[best], questions[q])
        for q in known
    )
    parts = {name: [1.0] * counts[name] + [0.0] * (len(known) - counts[name])
             for name in ("right", "retrieval", "either", "tuning", "neither")}  # fmt: skip
    for name in ("tuning", "retrieval"):
        most = counts[name] + counts["either"]
        parts[f"{name}_at_most"] = [1.0] * most + [0.0] * (len(known) - most)
    return {"n": len(known), **{name: share(several) for name, several in parts.items()}}


def _mended(
    q: str, ceiling: dict[str, float], handed: dict[str, float], read: dict[str, float], known: Row
) -> str:  # fmt: skip
    with_gold = ceiling[q] >= 0.5 if handed.get(q, 0) >= 0.5 or known["absent"] else None
    covered = known["coverage"]
    if covered == "neither" and not known["absent"] and not with_gold:
        return "neither"
    if with_gold is None:
        return "tuning" if covered == "taught" else "either"
    if not with_gold:
        return "tuning"
    taught = covered in (None, "taught", "both")
    return "either" if read.get(q, 0) >= 0.5 or known["absent"] or taught else "retrieval"
