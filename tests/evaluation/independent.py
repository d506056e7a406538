"""The figures of an experiment computed again from its exported answers, with scipy and nothing of Kurabe's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import stats


def figures(rows: Iterable[dict[str, Any]], metric: str = "correct") -> dict[str, dict[str, Any]]:
    """Per approach: share of correct answers with Wilson's interval, mean tokens and cost, waiting times."""
    everything = list(rows)
    found: dict[str, dict[str, Any]] = {}
    for approach in {row["approach_id"] for row in everything}:
        mine = [row for row in everything if row["approach_id"] == approach]
        quality = [row for row in mine if row["phase"] == "quality"]
        right = [row[f"score:{metric}"] if row["status"] == "finished" else 0.0 for row in quality]
        share = stats.binomtest(int(sum(right)), len(right)).proportion_ci(method="wilson")
        prompt = [row["prompt_tokens"] for row in quality if row["status"] == "finished"]
        timed = sorted(
            row["total_seconds"] for row in mine if row["phase"] == "latency" and row["status"] == "finished"
        )
        found[approach] = {
            "correct": (float(np.mean(right)), share.low, share.high),
            "prompt": float(np.mean(prompt)),
            "prompt_interval": stats.ttest_1samp(prompt, 0).confidence_interval() if np.ptp(prompt) else None,
            "cost_1000": 1000 * float(np.mean([float(r["cost"]) for r in quality if r["status"] == "finished"])),
            "median": float(np.median(timed)) if timed else None,
            "by_question": {row["example_id"]: value for row, value in zip(quality, right, strict=True)},
        }
    return found


def paired(first: dict[str, float], second: dict[str, float]) -> tuple[float, float]:
    """Mean difference and the exact p-value of McNemar's test."""
    up = sum(first[q] > second[q] for q in first)
    down = sum(first[q] < second[q] for q in first)
    p = stats.binomtest(up, up + down).pvalue if up + down else 1.0
    return (up - down) / len(first), float(p)
