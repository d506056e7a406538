"""A verdict in words: one sentence for the stakeholder, and what must be known beside it."""

from __future__ import annotations

from typing import Any

from core.approaches import called
from core.decision.verdict import Verdict
from core.errors import KurabeError
from core.evaluation import ApproachResult, Results
from core.i18n import Language, describe, format_number, format_percent, language, t
from core.measures import Interval
from core.measures import Verdict as Word

__all__ = [
    "approach_name",
    "called",
    "difference_text",
    "failure_texts",
    "finding",
    "headline",
    "note_text",
    "reason",
    "share_text",
    "verdict_word",
]


_BETWEEN: dict[Language, str] = {"en": " ", "ja": ""}
"""What stands between two sentences."""


def approach_name(approach: ApproachResult, code: Language | None = None) -> str:
    """Return an approach's name for readers: the preset's, or what the team called it."""
    return called(approach.name, approach.preset, approach.names, code)


def verdict_word(word: Word, code: Language | None = None) -> str:
    """Return one of the four fixed words."""
    return t(f"decision.word.{word}", code)


def share_text(interval: Interval | None, code: Language | None = None) -> str:
    """Return a share with its interval: 84% (79–88%)."""
    if interval is None:
        return "–"
    if interval.low is None or interval.high is None:
        return format_percent(interval.estimate, code)
    low = format_percent(interval.low, code).rstrip("%")
    return t("decision.share", code, value=format_percent(interval.estimate, code), low=low,
             high=format_percent(interval.high, code))  # fmt: skip


def difference_text(difference: tuple[float, float | None, float | None], code: Language | None = None) -> str:
    """Return a difference in points with its interval: +22 points (+15 to +29)."""
    points = ["–" if value is None else f"{'+' if value >= 0 else '−'}{format_number(abs(value) * 100, code)}"
              for value in difference]  # fmt: skip
    return t("decision.points", code, value=points[0], low=points[1], high=points[2])


def headline(found: Results, verdict: Verdict, code: Language | None = None) -> str:
    """Return the finding and its reason, as they are read in one go."""
    parts = (finding(found, verdict, code), reason(found, verdict, code))
    return _BETWEEN[code or language()].join(part for part in parts if part)


def finding(found: Results, verdict: Verdict, code: Language | None = None) -> str:
    """Return the finding as one sentence: what to use, and how often it was right."""
    chosen = found.approach(verdict.recommended) if verdict.recommended else None
    if chosen is None:
        return t(f"decision.verdict.{verdict.code}", code)
    return t(f"decision.verdict.{verdict.code}", code, **_facts(found, verdict, chosen, code))


def reason(found: Results, verdict: Verdict, code: Language | None = None) -> str:
    """Return why it is this approach and no other, and how it compares with the baseline; may be empty."""
    chosen = found.approach(verdict.recommended) if verdict.recommended else None
    if chosen is None:
        return ""
    why = t(f"decision.reason.{verdict.code}", code, **_facts(found, verdict, chosen, code))
    beside = _beside_baseline(found, verdict, chosen, code)
    return _BETWEEN[code or language()].join(part for part in (why, beside) if part)


def _facts(found: Results, verdict: Verdict, chosen: ApproachResult, code: Language | None) -> dict[str, Any]:
    others = [found.approach(key) for key in verdict.tied if key != verdict.recommended]
    names = _names([approach_name(other, code) for other in others if other], code)
    return {
        "approach": approach_name(chosen, code),
        "share": share_text(chosen.correct, code),
        "others": names,
        "n": found.questions,
    }


_MOST_NAMES = 3
"""More names than this make a sentence that nobody reads aloud; their number says it better."""


def _names(names: list[str], code: Language | None) -> str:
    if len(names) > _MOST_NAMES:
        return t("decision.others", code, n=len(names))
    return t("decision.and", code).join(names)


def _beside_baseline(found: Results, verdict: Verdict, chosen: ApproachResult, code: Language | None) -> str:
    base = found.approach(found.baseline_id)
    if base is None or verdict.against_baseline is None or verdict.difference is None or base is chosen:
        return ""
    return t(
        f"decision.baseline.{verdict.against_baseline}",
        code,
        base=approach_name(base, code),
        difference=difference_text(verdict.difference, code),
    )


def failure_texts(found: Results, code: Language | None = None) -> list[str]:
    """Return a sentence for each way in which an approach's calls failed, the most frequent first, then its waits'."""
    texts = []
    for approach in found.approaches:
        for error, count in approach.failures.items():
            said, _ = describe(KurabeError(error, **approach.reasons.get(error, {})), code)
            name = approach_name(approach, code)
            texts.append(t("decision.failures", code, approach=name, n=format_number(count, code), reason=said))
        texts += _waiting_texts(approach, code)
    return texts


def _waiting_texts(approach: ApproachResult, code: Language | None) -> list[str]:
    """Return what disturbed an approach's waiting times: calls that count for none of them, and cold starts in them."""
    waits, name = approach.latency, approach_name(approach, code)
    counts = {"failed": waits.failed, "cold": waits.cold}
    of = {"failed": waits.n + waits.failed, "cold": waits.n}
    return [
        t(f"decision.waiting.{what}", code, approach=name, n=format_number(n, code), of=format_number(of[what], code))
        for what, n in counts.items()
        if n
    ]


def note_text(note: dict[str, Any], found: Results, code: Language | None = None) -> str:
    """Return what must be known beside the verdict, as a sentence."""
    params = dict(note.get("params", {}))
    for name in ("first", "second"):
        if name in params and (approach := found.approach(str(params[name]))):
            params[name] = approach_name(approach, code)
    for name in ("changed", "taught"):
        if name in params:
            params[name] = format_percent(params[name], code)
    if "difference" in params:
        params["difference"] = format_number(100 * params["difference"], code)
    if "criterion" in params:
        params["criterion"] = t(f"decision.criterion.{params['criterion']}", code)
    return t(f"decision.note.{note['code']}", code, **params)
