"""The report: one HTML file that opens without a network, for the people who decide."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.graph_objects import Figure
from plotly.offline import get_plotlyjs

from core import __version__
from core.charts import (
    cost_by_part,
    cost_per_1000,
    latency_distribution,
    latency_overview,
    quality_by_slice,
    quality_overview,
    tokens_per_answer,
    tradeoff,
    tradeoff_latency,
)
from core.decision.criterion import CRITERIA
from core.decision.figures import headroom_figure, measured_approaches
from core.decision.records import decide_experiment
from core.decision.verdict import DecisionInputs, Ranked, Verdict
from core.decision.words import approach_name, finding, note_text, reason, share_text, verdict_word
from core.errors import KurabeError
from core.evaluation import ApproachResult, Results, results
from core.i18n import (
    Language,
    format_datetime,
    format_duration,
    format_money,
    format_number,
    format_percent,
    language,
    t,
)
from core.identity import now
from core.measures import Interval
from core.store import read
from core.store import tables as tb

__all__ = ["render_report", "report_html"]


def report_html(experiment_id: str, code: Language | None = None, inputs: DecisionInputs | None = None) -> str:
    """Return the report of an experiment as one self-contained page.

    Args:
        experiment_id: a finished experiment.
        code: language of the report; the reader's by default.
        inputs: the team's inputs; those kept with the project by default.

    Raises:
        KurabeError: ``store.missing``.
    """
    code = code or language()
    found = results(experiment_id)
    with read() as session:
        project = session.get(tb.Project, found.project_id)
    if project is None:
        raise KurabeError("store.missing", kind="project", id=found.project_id)
    return render_report(found, decide_experiment(project, experiment_id, inputs), project, code)


def render_report(found: Results, verdict: Verdict, project: tb.Project, code: Language) -> str:
    """Return the page of results and verdict that are at hand."""
    return (
        _environment(code)
        .get_template("report.html.j2")
        .render(
            **_context(found, verdict, project, code), figures=_figures(found, verdict, code), plotly=get_plotlyjs()
        )
    )


def _environment(code: Language) -> Environment:
    made = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    made.globals["t"] = lambda key, **params: t(key, code, **params)
    return made


def _context(found: Results, verdict: Verdict, project: tb.Project, code: Language) -> dict[str, Any]:
    chosen = found.approach(verdict.recommended) if verdict.recommended else None
    return {
        "code": code,
        "project": project,
        "found": found,
        "headline": finding(found, verdict, code),
        "why": reason(found, verdict, code),
        "tiles": _tiles(chosen, code) if chosen else [],
        "rows": [_row(found, verdict, approach, code) for approach in found.approaches],
        "gates": [_gate(found, gate, code) for gate in verdict.gates],
        "criteria": _criteria(found, code),
        "notes": [note_text(note, found, code) for note in verdict.notes],
        "inputs": verdict.inputs,
        "made": format_datetime(now(), code),
        "version": __version__,
        "provenance": _provenance(found.provenance),
    }


def _tiles(chosen: ApproachResult, code: Language) -> list[dict[str, str]]:
    cost, waiting = chosen.cost.per_1000, chosen.latency.total.get("p50")
    money = format_money(cost.estimate, chosen.cost.currency, code) if cost else "–"
    return [
        {"label": t("decision.criterion.correct", code), "value": share_text(chosen.correct, code)},
        {"label": t("decision.criterion.cost", code), "value": money},
        {"label": t("decision.criterion.waiting_time", code), "value": _seconds(waiting, code)},
    ]


def _seconds(interval: Interval | None, code: Language) -> str:
    if interval is None:
        return "–"
    text = format_duration(interval.estimate, code)
    if interval.low is None or interval.high is None:
        return text
    return t("decision.range", code, value=text, low=format_duration(interval.low, code),
             high=format_duration(interval.high, code))  # fmt: skip


def _row(found: Results, verdict: Verdict, approach: ApproachResult, code: Language) -> dict[str, str]:
    stands = {row.approach_id: row for row in verdict.ranking}
    row = stands.get(approach.approach_id)
    pair = next((p for p in found.comparisons if p.first == approach.approach_id and p.slice is None), None)
    cost, tokens = approach.cost, approach.tokens
    return {
        "name": approach_name(approach, code),
        "preset": approach.preset,
        "standing": t(f"decision.standing.{_standing(approach, row)}", code),
        "correct": share_text(approach.correct, code),
        "baseline": verdict_word(pair.verdict, code) if pair else "–",
        "counts": t("decision.counts", code, up=pair.up, down=pair.down, equal=pair.equal) if pair else "–",
        "prompt": format_number(tokens.prompt.estimate, code) if tokens.prompt else "–",
        "completion": format_number(tokens.completion.estimate, code, 1) if tokens.completion else "–",
        "cost": format_money(cost.per_1000.estimate, cost.currency, code) if cost.per_1000 else "–",
        "first": _seconds(approach.latency.first_token.get("p50"), code),
        "total": _seconds(approach.latency.total.get("p50"), code),
        "failed": format_number(approach.counts.failed, code),
        "period": format_money(row.total, cost.currency, code) if row and row.total is not None else "–",
    }


def _standing(approach: ApproachResult, row: Ranked | None) -> str:
    """Name where an approach stands, also when the verdict leaves it out."""
    if row is not None:
        return row.standing
    return "undecided" if approach.ranked else "reference"


def _gate(found: Results, gate: Any, code: Language) -> dict[str, str]:
    approach = found.approach(gate.approach_id)
    return {
        "approach": approach_name(approach, code) if approach else gate.approach_id,
        "criterion": t(f"decision.criterion.{gate.criterion}", code),
        "limit": _value(gate.criterion, gate.limit, approach, code),
        "measured": _value(gate.criterion, gate.measured.estimate, approach, code) if gate.measured else "–",
        "outcome": t(f"decision.gate.{gate.outcome}", code),
    }


def _value(criterion: str, value: float, approach: ApproachResult | None, code: Language) -> str:
    unit = CRITERIA.get(criterion).unit
    if unit == "share":
        return format_percent(value, code)
    if unit == "money":
        return format_money(value, (approach.cost.currency if approach else "") or "USD", code)
    return format_duration(value, code) if unit == "seconds" else format_number(value, code)


def _criteria(found: Results, code: Language) -> list[dict[str, Any]]:
    """Return every criterion with its measured value for every approach."""
    rows = []
    for name, kind in CRITERIA.all().items():
        criterion = kind()
        values = []
        for approach in found.approaches:
            interval = criterion.measure(approach)
            shown = share_text(interval, code) if criterion.unit == "share" else None
            values.append(shown or (_value(name, interval.estimate, approach, code) if interval else "–"))
        help_text = t(f"decision.criterion.{name}.help", code)
        rows.append({"name": t(f"decision.criterion.{name}", code), "help": help_text, "values": values})
    return rows


def _figures(found: Results, verdict: Verdict, code: Language) -> list[dict[str, str]]:
    measured = measured_approaches(found, code, verdict)
    makers = [quality_overview, quality_by_slice, tradeoff, cost_per_1000, latency_overview, tokens_per_answer]
    if any(approach.total for approach in measured):
        makers.append(tradeoff_latency)
    if any(approach.seconds for approach in measured):
        makers.append(latency_distribution)
    if any(approach.cost_parts for approach in measured):
        makers.append(cost_by_part)
    figures = [maker(measured, code) for maker in makers]
    if found.headroom is not None:
        figures.append(headroom_figure(found.headroom, code))
    return [_figure(figure, f"figure-{index}") for index, figure in enumerate(figures)]


def _figure(figure: Figure, name: str) -> dict[str, str]:
    title = unescape(str(figure.layout.title.text))  # the page escapes it itself
    figure.update_layout(title=None, margin={"t": 40}, font={"color": "#1B2430"})
    # Plotly escapes what stands between tags itself; the JSON is made safe for a script element here.
    spec = figure.to_json().replace("</", "<\\/")
    return {"title": title, "name": name, "spec": spec}


def _provenance(values: dict[str, Any]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            rows += [(f"{key}.{name}", str(inner)) for name, inner in value.items()]
        else:
            rows.append((key, str(value)))
    return rows
