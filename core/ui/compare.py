"""The compare page's parts: the question, one column an approach, the figures under them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.approaches import (
    Changed,
    approaches,
    change_before,
    comparison,
    get_approach,
    is_running,
    recent_comparisons,
    start_comparison,
    stop_answer,
)
from core.charts import AnswerFigures, latency_parts, latency_strip, spans_by_part, tokens_and_cost
from core.datasets import example, examples, latest_version
from core.errors import KurabeError
from core.evaluation import echo, score_live
from core.i18n import describe, format_duration, format_money, format_number, t
from core.knowledge import get_chunks
from core.measures.differences import differences
from core.store import tables as tb
from core.ui.again import draw_before_after, draw_change, draw_change_form, draw_echo, reference_is_old
from core.ui.approaches import approach_label, choose_approaches, draw_missing
from core.ui.cases import reason_text
from core.ui.findings import when
from core.ui.live import draw_live
from core.ui.parts import draw_approach, draw_figure, error_text, plain, remember
from core.ui.presenting import Slide, draw_presentation, offer_presentation
from core.ui.questions import slice_label

__all__ = ["ask_form", "draw_comparison", "draw_recent", "present_comparison"]

_POLL_SECONDS = 0.4
_MOST_COLUMNS = 6
_USUAL = ("base", "rag", "fine_tuned", "fine_tuned_rag")


def ask_form(project: tb.Project) -> str | None:
    """Draw the question and the choice of approaches; return the new comparison's id when asked."""
    with st.container(border=True):
        question, example_id = _question(project)
        chosen = choose_approaches(project.id, "compare_approaches", _USUAL)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            asked = st.button(
                t("ui.compare.ask"),
                type="primary",
                icon=":material/send:",
                disabled=not question or not chosen or len(chosen) > _MOST_COLUMNS,
            )
            with st.popover(t("ui.compare.more"), icon=":material/tune:"):
                times = st.number_input(
                    t("ui.compare.times"), 1, 20, 1, key="compare_times", help=t("ui.compare.times.help")
                )
                search_off = st.toggle(
                    t("ui.compare.search_off"), key="compare_search_off", help=t("ui.compare.search_off.help")
                )
        if len(chosen) > _MOST_COLUMNS:
            st.warning(t("ui.compare.too_many", most=_MOST_COLUMNS), icon=":material/view_column:")
    draw_missing(project.id)
    if not asked:
        return None
    return start_comparison(project.id, question, chosen, example_id, repetitions=int(times), retrieval_off=search_off)


def _question(project: tb.Project) -> tuple[str, str | None]:
    """Draw where the question comes from; return it with the dataset row it is, if it is one."""
    version = latest_version(project.id)
    counts = (version.counts or {}).get("slices", {}).get("validation", {}) if version else {}
    sources = ["", *sorted(counts)]
    source = st.segmented_control(
        t("ui.compare.source"),
        sources,
        default=sources[-1],
        required=True,
        key=f"compare_source_{project.id}",
        format_func=lambda name: slice_label(name) if name else t("ui.compare.source.own"),
        wrap=True,
    )
    if not source or version is None:
        text = st.text_area(
            t("ui.compare.question"),
            key="compare_question",
            height=80,
            max_chars=4000,
            placeholder=t("ui.compare.question.placeholder"),
        )
        return text.strip(), None
    rows = {row.id: row for row in examples(version.id, split="validation", slices=[source])}
    picked = st.selectbox(
        t("ui.compare.pick"), list(rows), format_func=lambda key: rows[key].question, key=f"compare_pick_{source}"
    )
    return (rows[picked].question, picked) if picked else ("", None)


def draw_recent(project: tb.Project) -> str | None:
    """Draw what was asked before; return the comparison that was chosen."""
    found = recent_comparisons(project.id, limit=8)
    if not found:
        return None
    with st.expander(t("ui.compare.recent"), icon=":material/history:"):
        for row in found:
            label = f"{row.question[:90]} · {when(row.started_at or row.created_at)}"
            if st.button(plain(label), key=f"recent_{row.compare_id}", type="tertiary"):
                return str(row.compare_id)
    return None


def draw_comparison(project: tb.Project, compare_id: str) -> None:
    """Draw a comparison's columns, live while any of them is still answering, then its figures."""
    rows = _rows(compare_id)
    changed = change_before(rows)
    st.subheader(plain(rows[0].question), anchor=False)
    _reference(rows[0], changed)
    if changed is not None:
        draw_change(rows, changed)
    if is_running(rows):
        draw_live(lambda: _live_columns(compare_id), _POLL_SECONDS)
        return
    if changed is not None:
        longest = _longest(rows)
        draw_before_after(rows, changed, lambda row: _body(row, longest, None, changed))
    else:
        _columns(rows, _marked_against(rows))
    _repetitions(rows)
    draw_change_form(project, rows)
    _figures(rows)
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
    rows = _rows(asked)
    changed = change_before(rows)
    first = [row for row in rows if row.repetition == 0]
    slides = [
        Slide(plain(rows[0].question), lambda part=first[at : at + 3]: _answers_slide(part, changed))  # type: ignore[misc]  # a default binds it
        for at in range(0, len(first), 3)
    ]
    if changed is not None:
        slides.insert(0, Slide(plain(rows[0].question), lambda: draw_change(rows, changed)))
    figures = _answer_figures(rows)
    if figures:
        slides.append(Slide("", lambda: draw_figure(latency_parts(figures), "present_latency")))
        slides.append(Slide("", lambda: draw_figure(tokens_and_cost(figures), "present_tokens")))
    draw_presentation(slides)


def _answers_slide(rows: Sequence[tb.Answer], changed: Changed | None) -> None:
    """Draw three answers in columns, with the reference above and whether each is right."""
    _reference(rows[0], changed)
    earlier = {row.approach_id: row for row in comparison(changed.before)} if changed is not None else {}
    for place, row in zip(st.columns(3), rows, strict=False):
        approach = get_approach(row.approach_id)
        with place, st.container(border=True, height="stretch"):
            draw_approach(approach.preset, approach_label(approach))
            if before := earlier.get(row.approach_id):
                st.caption(t("ui.again.before"))
                st.text(before.text or "–")
                st.caption(t("ui.again.after"))
            _text(row, None)
            _judgement(row, changed)
            if row.total_seconds is not None:
                st.caption(t("ui.compare.total", total=format_duration(row.total_seconds)))


def _live_columns(compare_id: str) -> None:
    rows = comparison(compare_id)
    if not is_running(rows):
        st.rerun()
    _columns(rows)


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


def _marked_against(rows: Sequence[tb.Answer]) -> tb.Answer | None:
    """Draw the switch that marks what the other answers say differently; return the answer they are held against."""
    finished = [row for row in rows if row.repetition == 0 and row.status == "finished" and row.text]
    if len(finished) < 2:
        return None
    base = plain(approach_label(get_approach(finished[0].approach_id)))
    key = f"differences_{rows[0].compare_id}"
    wanted = st.toggle(t("ui.compare.differences", base=base), st.query_params.get("differences") == "1", key=key)
    remember("differences", "1" if wanted else None)
    return finished[0] if wanted else None


def _columns(rows: Sequence[tb.Answer], base: tb.Answer | None = None) -> None:
    first = [row for row in rows if row.repetition == 0]
    longest = _longest(rows)
    across = len(first) if len(first) <= 4 else -(-len(first) // 2)
    with st.grid(across, min_column_width=230):
        for row in first:
            with st.container(border=True, height="stretch"):
                _column(row, longest, base)


def _longest(rows: Sequence[tb.Answer]) -> float:
    return max((sum(spans_by_part(row.spans).values()) for row in rows if row.repetition == 0), default=1.0)


def _column(row: tb.Answer, longest: float, base: tb.Answer | None) -> None:
    approach = get_approach(row.approach_id)
    draw_approach(approach.preset, approach_label(approach))
    _body(row, longest, base, None)


def _body(row: tb.Answer, longest: float, base: tb.Answer | None, changed: Changed | None) -> None:
    _text(row, base)
    if row.status in ("pending", "streaming"):
        if st.button(t("ui.compare.stop"), key=f"stop-{row.id}", icon=":material/stop:"):
            stop_answer(row.id)
        return
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
    _sources(row)
    with st.expander(t("ui.compare.record"), icon=":material/receipt_long:"):
        st.json(_record(row, get_approach(row.approach_id)), expanded=1)


def _strip_alt(row: tb.Answer) -> str:
    parts = spans_by_part(row.spans).items()
    return ", ".join(f"{t(f'charts.part.{part}')} {format_duration(seconds)}" for part, seconds in parts if seconds)


def _text(row: tb.Answer, base: tb.Answer | None) -> None:
    if row.reasoning:
        with st.expander(t("ui.compare.reasoning")):
            st.text(row.reasoning)
    if row.text and base is not None and base.id != row.id:
        st.markdown(marked_text(base.text, row.text))
    elif row.text:
        st.text(row.text)  # never as Markdown or HTML: what a model writes is untrusted
    elif row.status in ("pending", "streaming"):
        st.caption(f":material/hourglass_top: {t('ui.compare.waiting')}")
    if row.status == "failed" and row.error:
        message, hint = describe(KurabeError(row.error["code"], **row.error["params"]))
        st.error(error_text(message, hint))
    elif row.status == "stopped":
        st.caption(t("ui.compare.stopped"))
    elif row.finish_reason == "length":
        st.caption(t("ui.compare.cut"))


def marked_text(before: str, after: str) -> str:
    """Return Markdown that shows a text as it stands, with what another text does not say on a coloured ground."""
    lines: list[list[str]] = [[]]
    for piece in differences(before, after):
        for number, line in enumerate(piece.text.split("\n")):
            if number:
                lines.append([])
            if line.strip():
                # the colour's brackets must hold no space at their ends, or Markdown does not see them
                inner = plain(line)
                lead, tail = line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]
                if not lines[-1]:
                    lead = "\u00a0" * len(lead)  # spaces at the beginning would make it a block of code
                lines[-1].append(f"{lead}:blue-background[{inner}]{tail}" if piece.new else f"{lead}{inner}{tail}")
            else:
                lines[-1].append(line)
    return "  \n".join("".join(line) for line in lines)


def _judgement(row: tb.Answer, changed: Changed | None = None) -> None:
    """Say whether the answer is right, where a reference tells, and whether it repeats what held before."""
    draw_echo(echo(row, changed))
    if reference_is_old(row, changed):
        return  # held against an answer that is not true any more, a right one would look wrong
    if row.status != "finished" or row.example_id is None:
        return
    found = score_live(row, ["correct"]).get("correct")
    if found is None or found.value is None:
        return
    right = found.value >= 0.5
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(
            t("ui.cases.right") if right else t("ui.cases.wrong"),
            color="green" if right else "red",
            icon=":material/check:" if right else ":material/close:",
        )
        st.caption(reason_text({"code": found.reason, "params": dict(found.params)}))


def _figures_text(row: tb.Answer) -> str:
    lines = []
    if row.prompt_tokens is not None:
        prompt, context = format_number(row.prompt_tokens), format_number(row.context_tokens or 0)
        key = "ui.compare.tokens" if row.context_tokens else "ui.compare.tokens.plain"
        answer = "–" if row.completion_tokens is None else format_number(row.completion_tokens)
        lines.append(t(key, prompt=prompt, context=context, answer=answer))
    if row.first_token_seconds is not None and row.total_seconds is not None:
        first, total = format_duration(row.first_token_seconds), format_duration(row.total_seconds)
        lines.append(t("ui.compare.times_text", first=first, total=total))
    if row.cost is not None and row.currency:
        basis = t(f"prices.basis.{row.cost_basis}")
        cost = plain(format_money(row.cost * 1000, row.currency))
        lines.append(t("ui.compare.cost", cost=cost, basis=basis))
    return "  \n".join(lines)


def _sources(row: tb.Answer) -> None:
    if not row.chunks or row.index_version_id is None:
        return
    with st.expander(t("ui.compare.sources", n=len(row.chunks)), icon=":material/menu_book:"):
        texts = _passages(row)
        for chunk in row.chunks:
            st.markdown(f"**\\[{chunk['number']}\\] {plain(chunk['document'])}**")
            st.caption(t("ui.search.score", score=format_number(float(chunk["score"]), digits=3)))
            st.text(texts.get(chunk["chunk_id"]) or t("ui.compare.source_removed"))


def _passages(row: tb.Answer) -> dict[str, str]:
    """Return the texts of an answer's passages; none if their index was deleted."""
    try:
        found = get_chunks(str(row.index_version_id), [chunk["chunk_id"] for chunk in row.chunks])
    except KurabeError:
        return {}
    return {hit.chunk_id: hit.text for hit in found}


def _record(row: tb.Answer, approach: tb.Approach) -> dict[str, object]:
    names = ("id", "model", "model_hash", "approach_hash", "template_hash", "index_version_id", "decoding", "seed")
    more = ("finish_reason", "token_source", "spans", "serving", "price_version", "messages")
    return {"preset": approach.preset, **{name: getattr(row, name) for name in (*names, *more)}}


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
            t("ui.compare.seconds"): row.total_seconds,
        }
        for row in rows
    ]
    st.dataframe(shown, hide_index=True, alt=t("ui.compare.times"))


def _answer_figures(rows: Sequence[tb.Answer]) -> list[AnswerFigures]:
    done = [row for row in rows if row.repetition == 0 and row.status == "finished"]
    known = {approach.id: approach for approach in approaches(rows[0].project_id, retired=True)}
    return [
        AnswerFigures(
            approach_label(known[row.approach_id]),
            known[row.approach_id].preset,
            row.spans,
            row.prompt_tokens,
            row.context_tokens or 0,
            row.completion_tokens,
            float(row.cost) if row.cost is not None else None,
            row.currency or "USD",
        )
        for row in done
    ]


def _figures(rows: Sequence[tb.Answer]) -> None:
    figures = _answer_figures(rows)
    if not figures:
        return
    with st.grid(2, min_column_width=420, gap="medium"):
        with st.container():
            draw_figure(latency_parts(figures), "compare_latency")
        with st.container():
            draw_figure(tokens_and_cost(figures), "compare_tokens")
    st.caption(t("ui.compare.live_note"))
