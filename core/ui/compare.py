"""The compare page's comparison: one column an approach, the figures under them, and both on a projector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import streamlit as st

from core.approaches import (
    Changed,
    approaches,
    change_before,
    comparison,
    get_approach,
    is_running,
    recent_comparisons,
    stop_answer,
)
from core.charts import latency_strip, spans_by_part
from core.datasets import example
from core.errors import KurabeError
from core.evaluation import DEFAULT_METRICS, echo, score_live
from core.i18n import describe, format_duration, format_money, format_number, t
from core.measures import Measured
from core.store import tables as tb
from core.ui.again import draw_before_after, draw_change, draw_change_form, draw_echo, reference_is_old
from core.ui.approaches import approach_label
from core.ui.cases import reason_text
from core.ui.compare_columns import Columns, columns_of, draw_column_head
from core.ui.compare_figures import draw_figures, draw_legend, figure_slides, slowest
from core.ui.compare_made import draw_made_of
from core.ui.compare_sources import draw_sources
from core.ui.live import draw_live
from core.ui.marked import left_out_text, marked_text
from core.ui.parts import error_text, plain, presenting, remember
from core.ui.presenting import Slide, draw_presentation, offer_presentation

__all__ = ["draw_comparison", "present_comparison"]

_POLL_SECONDS = 0.4
_LIVE_METRICS = (*DEFAULT_METRICS, "answer_language", "rouge_l", "bleu")
"""Measured on the spot, which takes no model: likeness in meaning and what a judge measures are left to test runs."""
_FINISH = ("stop", "length", "content_filter", "tool_calls")
"""Finish reasons of the API that have a sentence."""


def draw_comparison(project: tb.Project, compare_id: str) -> None:
    """Draw a comparison's columns, live while any of them is still answering, then its figures."""
    rows = _rows(compare_id)
    columns, changed = columns_of(rows), change_before(rows)
    st.subheader(plain(rows[0].question), anchor=False)
    _reference(rows[0], changed)
    if changed is not None:
        draw_change(rows, changed)
    if is_running(rows):
        draw_live(lambda: _live_columns(compare_id), _POLL_SECONDS)
        return
    rows = columns.rows(rows)
    if changed is not None:
        longest = slowest(rows)
        draw_before_after(
            rows, changed, lambda approach: draw_column_head(approach, columns), _draw_earlier,
            lambda row: _body(row, longest, None, changed),
        )  # fmt: skip
    else:
        _columns(rows, columns, _marked_against(rows, columns))
    draw_legend(rows)
    _repetitions(rows)
    draw_change_form(project, rows)
    draw_figures(rows, columns)
    offer_presentation()


def _rows(compare_id: str) -> list[tb.Answer]:
    rows = comparison(compare_id)
    if not rows:
        raise KurabeError("store.missing", kind="comparison", id=compare_id)
    return rows


def present_comparison(project: tb.Project, compare_id: str | None) -> None:
    """Draw a comparison (else the newest one) for a projector: three answers a screen, then where time and money go."""
    newest = recent_comparisons(project.id, limit=1)
    asked = compare_id or (str(newest[0].compare_id) if newest else None)
    if asked is None:
        draw_presentation([Slide(t("ui.compare.empty.title"), lambda: st.markdown(t("ui.compare.empty.text")))])
        return
    if is_running(_rows(asked)):
        draw_live(lambda: _present_live(asked), _POLL_SECONDS)
    else:
        _present(_rows(asked))


def _present_live(compare_id: str) -> None:
    rows = _rows(compare_id)
    if not presenting() or not is_running(rows):
        st.rerun()
    _present(rows)


def _present(rows: Sequence[tb.Answer]) -> None:
    columns, changed = columns_of(rows), change_before(rows)
    rows = columns.rows(rows)
    first = [row for row in rows if row.repetition == 0]
    base = _baseline(rows, columns) if st.query_params.get("differences") == "1" and changed is None else None
    slides = [
        Slide(plain(rows[0].question), lambda part=first[at : at + 3]: _answers_slide(part, columns, base, changed))  # type: ignore[misc]  # a default binds it
        for at in range(0, len(first), 3)
    ]
    if changed is not None:
        slides.insert(0, Slide(plain(rows[0].question), lambda: draw_change(rows, changed)))
    draw_presentation([*slides, *figure_slides(rows, columns)])


def _answers_slide(
    rows: Sequence[tb.Answer], columns: Columns, base: tb.Answer | None, changed: Changed | None
) -> None:
    """Draw three answers in columns, with the reference above and whether each is right."""
    _reference(rows[0], changed)
    earlier = {row.approach_id: row for row in comparison(changed.before)} if changed is not None else {}
    for place, row in zip(st.columns(3), rows, strict=False):
        with place, st.container(border=True, height="stretch"):
            draw_column_head(get_approach(row.approach_id), columns)
            if before := earlier.get(row.approach_id):
                st.caption(t("ui.again.before"))
                _text(before, None)
                st.caption(t("ui.again.after"))
            _text(row, base)
            _judgement(row, changed)
            if row.total_seconds is not None:
                st.caption(t("ui.compare.total", total=format_duration(row.total_seconds)))


def _live_columns(compare_id: str) -> None:
    rows = comparison(compare_id)
    if not is_running(rows):
        st.rerun()
    columns = columns_of(rows)
    _columns(columns.rows(rows), columns, live=True)


def _reference(row: tb.Answer, changed: Changed | None = None) -> None:
    if row.example_id is None:
        return
    try:
        asked = example(row.example_id)
    except KurabeError:
        return  # the dataset was deleted since; what was answered is still shown
    with st.container(border=True, key="reference"):
        st.caption(t("ui.compare.reference"))
        st.text(asked.answer or "–")
        if reference_is_old(row, changed):
            st.caption(f":material/history: {t('ui.again.reference_old')}")
        elif asked.coverage:
            st.caption(t("ui.compare.coverage", where=t(f"evaluation.coverage.{asked.coverage}")))


def _baseline(rows: Sequence[tb.Answer], columns: Columns) -> tb.Answer | None:
    """Return the baseline's answer; None if there is none to hold others against."""
    first = next(row for row in rows if row.repetition == 0 and row.approach_id == columns.baseline)
    return first if first.status == "finished" and first.text else None


def _marked_against(rows: Sequence[tb.Answer], columns: Columns) -> tb.Answer | None:
    """Draw the switch that marks what the other answers say differently; return the answer they are held against.

    Where the baseline gave no answer, that is said: another one never takes its place unasked.
    """
    if len(columns.order) < 2:
        return None
    name = plain(approach_label(get_approach(columns.baseline)))
    answer = _baseline(rows, columns)
    if answer is None:
        st.warning(t("ui.compare.baseline.silent", base=name), icon=":material/flag:")
        return None
    key = f"differences_{rows[0].compare_id}"
    wanted = st.toggle(t("ui.compare.differences", base=name), st.query_params.get("differences") == "1", key=key)
    remember("differences", "1" if wanted else None)
    return answer if wanted else None


def _columns(rows: Sequence[tb.Answer], columns: Columns, base: tb.Answer | None = None, *, live: bool = False) -> None:
    first = [row for row in rows if row.repetition == 0]
    longest = slowest(rows)
    across = len(first) if len(first) <= 4 else -(-len(first) // 2)
    with st.grid(across, min_column_width=230):
        for row in first:
            with st.container(border=True, height="stretch"):
                draw_column_head(get_approach(row.approach_id), columns, fixed=live)
                _body(row, longest, base, None)


def _body(row: tb.Answer, longest: float, base: tb.Answer | None, changed: Changed | None) -> None:
    _text(row, base)
    if row.status in ("pending", "streaming"):
        if st.button(t("ui.compare.stop"), key=f"stop-{row.id}", icon=":material/stop:"):
            stop_answer(row.id)
        return
    st.caption(f":material/flag_circle: {finish_text(row)}")
    if row.notes.get("retrieval_off"):
        st.caption(f":material/cloud_off: {t('ui.compare.search_was_off')}")
    _judgement(row, changed)
    st.space("stretch")
    if row.total_seconds is not None:
        st.plotly_chart(
            latency_strip(row.spans, longest),
            key=f"strip-{row.id}",
            config={"displayModeBar": False},
            theme=None,
            alt=_strip_alt(row),
        )
    st.caption(_figures_text(row))
    draw_sources(row)
    draw_made_of(row, get_approach(row.approach_id))
    with st.expander(t("ui.compare.record"), icon=":material/receipt_long:"):
        st.json(_record(row, get_approach(row.approach_id)), expanded=1)


def _draw_earlier(row: tb.Answer) -> None:
    """Draw an answer from before the change: what it said or why it failed, and what it took."""
    _text(row, None)
    if row.status != "finished":
        st.caption(f":material/flag_circle: {finish_text(row)}")
    st.caption(_figures_text(row))


def finish_text(row: tb.Answer) -> str:
    """Return why an answer ended, in words; what a server says otherwise stands as it is."""
    if row.status in ("stopped", "failed"):
        key = f"ui.compare.finish.{row.status}"
        return t(f"{key}.partly") if row.text else t(key)
    if row.finish_reason in _FINISH:
        return t(f"ui.compare.finish.{row.finish_reason}")
    if row.finish_reason:
        return t("ui.compare.finish.other", reason=plain(row.finish_reason))
    return t("ui.compare.finish.unknown")


def _strip_alt(row: tb.Answer) -> str:
    parts = spans_by_part(row.spans).items()
    return ", ".join(f"{t(f'charts.part.{part}')} {format_duration(seconds)}" for part, seconds in parts if seconds)


def _text(row: tb.Answer, base: tb.Answer | None) -> None:
    if row.reasoning:
        with st.expander(t("ui.compare.reasoning")):
            st.text(row.reasoning)
    if row.text and base is not None and base.id != row.id:
        st.markdown(marked_text(base.text, row.text))
        if left := left_out_text(base.text, row.text):
            st.caption(f":material/do_not_disturb_on: {t('ui.compare.left_out', words=left)}")
    elif row.text:
        st.text(row.text)  # never as Markdown or HTML: what a model writes is untrusted
    elif row.status in ("pending", "streaming"):
        st.caption(f":material/hourglass_top: {t('ui.compare.waiting')}")
    elif row.status == "finished":
        st.caption(t("ui.compare.empty_answer"))
    if row.status == "failed":
        error = row.error or {"code": "approaches.lost", "params": {}}
        message, hint = describe(KurabeError(error["code"], **error["params"]))
        st.error(error_text(message, hint))


def _judgement(row: tb.Answer, changed: Changed | None = None) -> None:
    """Say whether the answer is right, where a reference tells, and whether it repeats what held before."""
    draw_echo(echo(row, changed))
    if reference_is_old(row, changed):
        return  # held against an answer that is not true any more, a right one would look wrong
    if row.status != "finished" or row.example_id is None:
        return
    found = _scores(row.id, row)
    correct = found.get("correct")
    if correct is not None and correct.value is not None:
        right = correct.value >= 0.5
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(
                t("ui.cases.right") if right else t("ui.cases.wrong"),
                color="green" if right else "red",
                icon=":material/check:" if right else ":material/close:",
            )
            st.caption(reason_text({"code": correct.reason, "params": dict(correct.params)}))
    if found and not presenting():
        st.caption(f"{t('ui.compare.scores')} {scores_text(found)}", help=t("ui.compare.scores.help"))


@st.cache_data(max_entries=500, show_spinner=False)
def _scores(answer_id: str, _row: tb.Answer) -> dict[str, Measured]:
    """Return what applies of the usual metrics to a finished answer; it stays as it is, so it is measured once."""
    return score_live(_row, _LIVE_METRICS)


def scores_text(found: Mapping[str, Measured]) -> str:
    """Return measured values with the names of their metrics; whether it is right is told apart from them."""
    return " · ".join(
        f"{plain(t(f'measures.metric.{name}'))} "
        + (format_number(score.value, digits=2) if score.value is not None else t("ui.compare.scores.failed"))
        for name, score in found.items()
        if name != "correct"
    )


def _figures_text(row: tb.Answer) -> str:
    """Return an answer's tokens, times and cost in words; what is not known is said, never shown as nothing."""
    lines = [_tokens_text(row)]
    if row.total_seconds is not None:
        total = format_duration(row.total_seconds)
        if row.first_token_seconds is not None:
            lines.append(t("ui.compare.times_text", first=format_duration(row.first_token_seconds), total=total))
        else:
            lines.append(t("ui.compare.total", total=total))
    if row.cost is not None and row.currency:
        basis = t(f"prices.basis.{row.cost_basis}")
        cost = plain(format_money(row.cost * 1000, row.currency))
        lines.append(t("ui.compare.cost", cost=cost, basis=basis))
    elif row.status == "finished":
        lines.append(t("ui.compare.cost.unknown"))
    return "  \n".join(line for line in lines if line)


def _tokens_text(row: tb.Answer) -> str:
    if row.prompt_tokens is None or row.completion_tokens is None:
        return t("ui.compare.tokens.unknown") if row.status == "finished" else ""
    prompt, answer = format_number(row.prompt_tokens), format_number(row.completion_tokens)
    if row.context_tokens:
        text = t("ui.compare.tokens", prompt=prompt, context=format_number(row.context_tokens), answer=answer)
    else:
        text = t("ui.compare.tokens.plain", prompt=prompt, answer=answer)
    if row.reasoning_tokens:
        return f"{text}  \n{t('ui.compare.tokens.reasoning', n=format_number(row.reasoning_tokens))}"
    return text


def _record(row: tb.Answer, approach: tb.Approach) -> dict[str, object]:
    left_out = {"text", "reasoning", "owner", "project_id"}  # shown above it, or nobody's concern
    columns = (name for name in tb.Answer.__table__.columns.keys() if name not in left_out)
    return {"preset": approach.preset, **{name: _readable(getattr(row, name)) for name in columns}}


def _readable(value: object) -> object:
    """Return times and amounts as text, which JSON has no form for."""
    return str(value) if isinstance(value, (datetime, Decimal)) else value


def _repetitions(rows: Sequence[tb.Answer]) -> None:
    """Draw the further answers, where the question was asked several times."""
    if max(row.repetition for row in rows) == 0:
        return
    known = {approach.id: approach for approach in approaches(rows[0].project_id, retired=True)}
    shown = [
        {
            t("ui.test.approach"): approach_label(known[row.approach_id]),
            "#": row.repetition + 1,
            t("ui.questions.answer"): row.text,
            t("ui.compare.ended"): finish_text(row).replace("\\", ""),
            t("ui.compare.seconds"): row.total_seconds,
            t("ui.compare.tokens_written"): row.completion_tokens,
        }
        for row in rows
    ]
    st.dataframe(shown, hide_index=True, alt=t("ui.compare.times"))
