"""One opened case of a test run over the whole width: every answer with all that the compare page shows of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.approaches import get_approach, spec_of_row, variant_of
from core.charts import spans_by_part
from core.decision import approach_name
from core.errors import KurabeError
from core.evaluation import ApproachResult, CaseRow, Results, answer_scores, case_answers
from core.i18n import describe, t
from core.store import tables as tb
from core.ui.cases import reason_text
from core.ui.compare import _body
from core.ui.parts import draw_approach, error_text, plain, remember
from core.ui.questions import slice_label
from core.ui.test_progress import origin_text

__all__ = ["draw_opened_case"]


def draw_opened_case(found: Results, case: CaseRow) -> None:
    """Draw the question, its reference, each approach's answer with its record, and every call in numbers."""
    rows = case_answers(found.experiment_id, case.example_id)
    with st.container(border=True, key="opened_case"):
        st.subheader(plain(case.question), anchor=False)
        facts = [slice_label(case.slice)]
        if case.coverage:
            facts.append(t(f"evaluation.coverage.{case.coverage}"))
        st.caption(" · ".join(plain(fact) for fact in facts))
        st.caption(t("ui.compare.reference"))
        st.text(case.reference or "–")
        base = _base(found, rows)
        first = {row.approach_id: row for row in rows if row.phase == "quality" and row.repetition == 0}
        longest = max((sum(spans_by_part(row.spans).values()) for row in first.values()), default=1.0)
        with st.grid(3 if len(first) != 2 else 2, min_column_width=320):
            for approach in found.approaches:
                row = first.get(approach.approach_id)
                if row is not None:
                    with st.container(border=True, height="stretch"):
                        # what Compare draws judges by `correct` itself; another primary metric is told beside it
                        cell = case.cells.get(approach.approach_id) if found.primary_metric != "correct" else None
                        _draw_answer(approach, row, cell, longest, base, _cause(case, approach.approach_id))
        _draw_calls(found, rows)


def _base(found: Results, rows: Sequence[tb.Answer]) -> tb.Answer | None:
    """Draw the switch that marks what others say differently from the baseline; return the baseline's answer."""
    base = found.approach(found.baseline_id)
    mine = (row for row in rows if row.approach_id == found.baseline_id and row.phase == "quality")
    answer = next((row for row in mine if row.repetition == 0 and row.text), None)
    if base is None or answer is None:
        return None
    asked = st.query_params.get("differences") == "1"
    label = t("ui.compare.differences", base=plain(approach_name(base)))
    wanted = st.toggle(label, asked, key=f"case_differences_{found.experiment_id}")
    remember("differences", "1" if wanted else None)
    return answer if wanted else None


def _draw_answer(
    approach: ApproachResult,
    row: tb.Answer,
    cell: dict[str, Any] | None,
    longest: float,
    base: tb.Answer | None,
    cause: str | None,
) -> None:
    draw_approach(approach.preset, approach_name(approach), variant=variant_of(row.project_id, row.approach_id))
    if cell is not None and row.status == "finished":
        _draw_value(cell)
    _draw_cause(cause)
    if row.status in ("pending", "streaming"):
        st.caption(f":material/hourglass_top: {t('ui.compare.waiting')}")
        return
    _body(row, longest, base, None)
    if row.taken_from:
        st.caption(f":material/content_copy: {t('setup.asked_in', run=origin_text(row.taken_from))}")
    _draw_scores(row)
    _draw_versions(row)


def _cause(case: CaseRow, approach_id: str) -> str | None:
    """Return why the answer that is shown is wrong; None for one that is not, whatever its repetitions say."""
    shown = case.cells.get(approach_id) or {}
    value = shown.get("value")
    wrong = shown.get("status") == "failed" or (value is not None and value < 0.5)
    return case.causes.get(approach_id) if wrong else None


def _draw_cause(cause: str | None) -> None:
    """Say why the answer is wrong, as far as the stored facts tell, and what could help."""
    if cause is not None:
        what = {"cause": t(f"evaluation.cause.{cause}"), "what": t(f"evaluation.cause.{cause}.help")}
        st.caption(f":material/troubleshoot: {t('ui.cases.cause.line', **what)}")


def _draw_value(cell: dict[str, Any]) -> None:
    """Draw whether the answer is right by the primary metric, as it is stored, and why."""
    value = cell.get("value")
    if value is None:  # not measured yet, or the metric has nothing to measure here
        st.badge(t("ui.cases.unmeasured"), color="gray", icon=":material/remove:")
        return
    right = value >= 0.5
    word = t("ui.look.stored.right") if right else t("ui.look.stored.wrong")
    st.badge(word, color="green" if right else "red", icon=":material/check:" if right else ":material/close:")
    if reason := reason_text(cell.get("reason")):
        st.caption(reason)


def _draw_scores(row: tb.Answer) -> None:
    """Draw every stored score with its reason; one that could not be measured says why."""
    scores = answer_scores(row.id)
    if not scores:
        return
    with st.expander(t("ui.look.scores"), icon=":material/straighten:"):
        shown = [
            {
                t("ui.look.metric"): t(f"measures.metric.{score.metric}"),
                t("ui.look.value"): score.value,
                t("ui.look.why"): reason_text(score.reason, markdown=False),
            }
            for score in scores
        ]
        config = {t("ui.look.value"): st.column_config.NumberColumn(format="%.3f")}
        st.dataframe(shown, hide_index=True, column_config=config, alt=t("ui.look.scores"))


def _draw_versions(row: tb.Answer) -> None:
    """Draw which model, adapter, index and prompt the answer came from."""
    with st.expander(t("ui.look.versions"), icon=":material/account_tree:"):
        try:
            approach = get_approach(row.approach_id)
        except KurabeError as error:
            st.caption(error_text(*describe(error)))
            return
        spec = spec_of_row(approach)
        adapter = spec.model.ref if spec.model.kind in ("adapter", "merged") else "–"
        facts = {
            t("ui.look.version.approach"): f"{approach.version} · {row.approach_hash}",
            t("ui.look.version.model"): f"{row.model} · {row.model_hash or '–'}",
            t("ui.look.version.adapter"): adapter,
            t("ui.look.version.index"): row.index_version_id or "–",
            t("ui.look.version.prompt"): row.template_hash or "–",
        }
        st.markdown("\n".join(f"- {name}: {plain(fact)}" for name, fact in facts.items()))
        for label, text in (("instructions", spec.prompt.instructions), ("rules", spec.prompt.house_rules)):
            if text:
                st.caption(t(f"ui.look.version.{label}"))
                st.text(text)


def _draw_calls(found: Results, rows: Sequence[tb.Answer]) -> None:
    """Draw every call of this question in numbers: batched ones, repetitions, and those asked alone for their time."""
    names = {approach.approach_id: approach_name(approach) for approach in found.approaches}
    shown = [_call(row, names[row.approach_id]) for row in rows if row.approach_id in names]
    if not shown:
        return
    st.caption(t("ui.look.calls"))
    st.dataframe(shown, hide_index=True, alt=t("ui.look.calls"))


def _call(row: tb.Answer, name: str) -> dict[str, Any]:
    """Return tokens by part, money and seconds by part of one call."""
    prompt, context = row.prompt_tokens, row.context_tokens or 0
    cost = None if row.cost is None else float(row.cost) * 1000
    seconds = {t(f"charts.part.{part}"): value for part, value in spans_by_part(row.spans).items()}
    return {
        t("ui.test.approach"): name,
        t("ui.look.phase"): t(f"ui.look.phase.{row.phase}"),
        "#": row.repetition + 1,
        t("ui.look.state"): t(f"approaches.status.{row.status}"),
        t("ui.questions.answer"): row.text,
        t("charts.tokens.question"): None if prompt is None else prompt - context,
        t("charts.tokens.context"): None if prompt is None else context,
        t("charts.tokens.answer"): row.completion_tokens,
        t("ui.look.cost", currency=row.currency or "–"): cost,
        t("ui.look.first"): row.first_token_seconds,
        t("ui.look.total"): row.total_seconds,
        **{f"{part} ({t('charts.axis.seconds')})": value for part, value in seconds.items()},
    }
