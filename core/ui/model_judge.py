"""The test run's view of a judge model: what it is asked and what that takes, what it says, how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.approaches import ModelChoice
from core.decision import approach_name
from core.errors import KurabeError
from core.evaluation import (
    JudgeChoice,
    JudgeConfig,
    JudgeOutcome,
    JudgePlan,
    Results,
    judge_outcome,
    judge_refused,
    judged_names,
    judgements,
    judgings,
    plan_judging,
    start_judging,
)
from core.i18n import describe, format_duration, format_money, format_number, format_percent, t
from core.measures.metrics.rubric import USUAL
from core.store import tables as tb
from core.ui.findings import when
from core.ui.forms import choose_model
from core.ui.jobs import follow_job
from core.ui.parts import Tile, draw_tiles, error_text, interval_text, plain, remember, section, told_apart
from core.votes import agreement, vote_count

__all__ = ["choose_judge", "choose_judged", "draw_judge"]

_PAIRS = ("baseline", "all", "none")
_SHOW = ("all", "flipped", "unreadable", "failed")
_PAGE = 20


def draw_judge(project: tb.Project, found: Results) -> None:
    """Draw the judgings of a test run, and the form for another one."""
    section(t("ui.judge.title"), t("ui.judge.text"))
    made = judgings(found.experiment_id)
    if made:
        _draw_judging(found, _choose(made, "judging"))
    elif (refused := judge_refused(found.experiment_id)) is not None:
        message, hint = describe(refused)
        st.warning(f"{t('ui.judge.refused')}\n\n{error_text(message, hint)}", icon=":material/gavel:")
    with st.expander(t("ui.judge.new"), icon=":material/gavel:", expanded=not made):
        _draw_form(project, found)


def choose_judged(found: Results) -> JudgeOutcome | None:
    """Draw whose judgement the results show, where one is complete; the address names it.

    Returns:
        What the chosen judge said; None where no judging is complete.
    """
    made = [row for row in judgings(found.experiment_id) if row.completed_at and row.config.get("metrics")]
    if not made:
        return None
    return judge_outcome(_choose(made, "judged").id)


def _choose(made: list[tb.Judging], key: str) -> tb.Judging:
    known = {row.id: row for row in made}
    asked = st.query_params.get("judging")
    picked = st.selectbox(
        t("ui.judge.which"),
        list(known),
        index=list(known).index(asked) if asked in known else 0,
        format_func=told_apart(
            known, lambda key: f"{known[key].config['model']['ref']} · {when(known[key].created_at)}"
        ),
        key=f"{key}_{len(made)}",
    )
    remember("judging", picked)
    return known[picked]


def choose_judge(project: tb.Project, key: str) -> JudgeChoice | None:
    """Draw who judges, by what, and what is judged; None while the model is not named."""
    model = choose_model(project, key, t("ui.judge.model"), t("ui.judge.address_first"))
    rubric = st.text_area(
        t("ui.judge.rubric"),
        key=f"{key}_rubric",
        height=80,
        max_chars=4000,
        placeholder=USUAL["ja" if project.language == "ja" else "en"],
        help=t("ui.judge.rubric.help"),
    )
    with st.grid(2, min_column_width=220):
        pairs = st.selectbox(
            t("ui.judge.pairs"), _PAIRS, format_func=lambda one: t(f"ui.judge.pairs.{one}"), key=f"{key}_pairs"
        )
        metrics = st.multiselect(
            t("ui.judge.metrics"),
            judged_names(),
            default=["groundedness", "relevance"],
            format_func=lambda one: t(f"measures.metric.{one}"),
            key=f"{key}_metrics",
        )
    if model is None:
        return None
    return JudgeChoice(model=model, rubric=rubric.strip(), pairs=pairs, metrics=tuple(metrics))  # type: ignore[arg-type]  # one of _PAIRS


def _draw_form(project: tb.Project, found: Results) -> None:
    chosen = choose_judge(project, "judge")
    questions = st.number_input(
        t("evaluation.field.questions"), 1, None, value=None, placeholder=t("ui.all"), key="judge_questions", width=240
    )
    if chosen is None:
        return
    config = JudgeConfig(
        experiment_id=found.experiment_id,
        model=chosen.model,
        rubric=chosen.rubric,
        pairs=chosen.pairs,
        metrics=chosen.metrics,
        questions=int(questions) if questions else None,
    )
    plan = _plan(config.model_dump_json(), vote_count(project.id))
    _draw_plan(project, plan, chosen.model)
    if st.button(t("ui.judge.start"), type="primary", icon=":material/play_arrow:", disabled=not plan.calls):
        st.query_params["judging"] = start_judging(config).id
        st.rerun()


@st.cache_data(max_entries=16, ttl=300, show_spinner=False)
def _plan(config: str, votes: int) -> JudgePlan:
    """Plan once for so many votes: each may add a pair to ask about."""
    return plan_judging(JudgeConfig.model_validate_json(config))


def _draw_plan(project: tb.Project, plan: JudgePlan, model: ModelChoice) -> None:
    kinds = [f"{_kind(name)} {format_number(n)}" for name, n in plan.by_kind.items()]
    unknown = t("ui.judge.cost.device") if model.kind == "base" else t("ui.judge.cost.unknown")
    draw_tiles(
        [
            Tile(t("ui.judge.calls"), format_number(plan.calls), " · ".join(kinds)),
            Tile(
                t("ui.judge.tokens"),
                format_number(plan.prompt_tokens),
                t("ui.judge.tokens.note", n=format_number(plan.completion_tokens)),
            ),
            Tile(
                t("ui.test.plan.cost"),
                format_money(plan.cost, plan.currency) if plan.cost is not None else "–",
                t("ui.judge.cost.most") if plan.cost is not None else unknown,
            ),
            Tile(t("ui.judge.same"), format_number(plan.same), t("ui.judge.same.note")),
        ]
    )
    if plan.candidate:
        st.warning(t("ui.judge.candidate"), icon=":material/balance:")
    if model.kind == "base" and project.base_ref == "starter":
        st.warning(t("ui.judge.practice"), icon=":material/science:")


def _kind(name: str) -> str:
    return t("ui.judge.kind.pair") if name == "pair" else t(f"measures.metric.{name}")


def _draw_judging(found: Results, judging: tb.Judging) -> None:
    if judging.completed_at is None and judging.job_id is not None:
        follow_job(judging.job_id)
    outcome = judge_outcome(judging.id)
    names = {approach.approach_id: approach_name(approach) for approach in found.approaches}
    _draw_trust(outcome)
    if outcome.pairs:
        _draw_pairs(outcome, names)
    if outcome.metrics or outcome.unmeasured:
        _draw_metrics(outcome, names)
    if outcome.rubric:
        st.caption(t("ui.judge.rubric"))
        st.text(outcome.rubric)
    _draw_records(judging)


def _draw_trust(outcome: JudgeOutcome) -> None:
    """Draw what tells how far the judge is to be trusted, before anything that it says."""
    people = agreement(outcome.judging_id)
    cost = format_money(outcome.cost, outcome.currency) if outcome.cost is not None else t("ui.judge.cost.unknown")
    tokens = format_number(outcome.prompt_tokens + outcome.completion_tokens)
    kappa = "–" if people is None or people.kappa is None else format_number(people.kappa, digits=2)
    draw_tiles(
        [
            Tile(t("ui.judge.flips"), interval_text(outcome.flip_rate), t("ui.judge.flips.note")),
            Tile(t("ui.judge.first"), interval_text(outcome.first_shown), t("ui.judge.first.note")),
            Tile(
                t("ui.judge.people"),
                interval_text(people.agree) if people else "–",
                t("ui.judge.people.note", n=people.pairs, voters=people.voters, kappa=kappa)
                if people
                else t("ui.judge.people.none"),
            ),
            Tile(
                t("ui.judge.replies"),
                f"{format_number(outcome.finished - outcome.unreadable)} / {format_number(outcome.calls)}",
                t("ui.judge.replies.note", unreadable=outcome.unreadable, failed=outcome.failed),
            ),
        ]
    )
    st.caption(t("ui.judge.spent", tokens=tokens, cost=plain(cost)))
    if outcome.flip_rate is not None and outcome.flip_rate.estimate >= 0.3:
        share = format_percent(outcome.flip_rate.estimate)
        st.warning(t("ui.judge.unreliable", share=share), icon=":material/swap_horiz:")


def _draw_pairs(outcome: JudgeOutcome, names: dict[str, str]) -> None:
    st.markdown(f"**{t('ui.judge.pairs.title')}**")
    rows = [
        {
            t("ui.test.approach"): names.get(pair.first, "–"),
            t("ui.judge.against"): names.get(pair.second, "–"),
            t("ui.judge.share"): interval_text(pair.share),
            t("ui.judge.word"): t(f"decision.word.{pair.verdict}"),
            t("ui.judge.wins"): pair.wins,
            t("ui.judge.losses"): pair.losses,
            t("ui.judge.ties"): pair.ties,
            t("ui.judge.of_them_flips"): pair.flips,
            t("ui.judge.undecided"): pair.undecided,
        }
        for pair in outcome.pairs
    ]
    st.dataframe(rows, hide_index=True, alt=t("ui.judge.pairs.title"))
    st.caption(t("ui.judge.pairs.note"))


def _draw_metrics(outcome: JudgeOutcome, names: dict[str, str]) -> None:
    st.markdown(f"**{t('ui.judge.metrics.title')}**")
    rows = []
    for approach_id, name in names.items():
        means, missing = outcome.metrics.get(approach_id, {}), outcome.unmeasured.get(approach_id, {})
        row: dict[str, Any] = {t("ui.test.approach"): name}
        for metric in judged_names():
            if metric in outcome.measured:
                row[t(f"measures.metric.{metric}")] = interval_text(means.get(metric))
        row[t("ui.judge.unmeasured")] = sum(missing.values())
        rows.append(row)
    st.dataframe(rows, hide_index=True, alt=t("ui.judge.metrics.title"))


def _draw_records(judging: tb.Judging) -> None:
    """Draw every call with its full record, those first that a reader doubts."""
    asked = st.query_params.get("records")
    named = asked is not None or "judgement" in st.query_params
    with st.expander(t("ui.judge.records"), icon=":material/receipt_long:", expanded=named):
        show = st.segmented_control(
            t("ui.cases.show"),
            _SHOW,
            default=asked if asked in _SHOW else "all",
            required=True,
            format_func=lambda key: t(f"ui.judge.show.{key}"),
            key=f"judge_show_{judging.id}",
        )
        total = judgements(judging.id, show, limit=0).total
        pages = max(1, -(-total // _PAGE))
        turned = st.query_params.get("records_page", "")
        opened = int(turned) if turned.isdigit() and 1 <= int(turned) <= pages and show == (asked or "all") else 1
        page = st.pagination(pages, default=opened, key=f"judge_page_{judging.id}_{show}") if pages > 1 else 1
        remember("records", show if show != "all" or page > 1 else None)
        remember("records_page", str(page) if page > 1 else None)
        found = judgements(judging.id, show, offset=(page - 1) * _PAGE, limit=_PAGE)
        if not found.rows:
            st.caption(t("ui.questions.nothing_found"))
            return
        rows = [
            {
                t("ui.judge.kind"): _kind(row.kind),
                t("ui.questions.question"): found.questions.get(row.example_id, "–"),
                t("ui.judge.order"): _order(row),
                t("ui.judge.reply"): row.text or t(f"approaches.status.{row.status}"),
            }
            for row in found.rows
        ]
        picked = st.dataframe(
            rows, hide_index=True, on_select="rerun", selection_mode="single-row",
            key=f"judge_rows_{judging.id}_{show}_{page}", alt=t("ui.judge.records"),
        )  # fmt: skip
        chosen = next((found.rows[place].id for place in picked.selection.rows if place < len(found.rows)), None)
        _draw_opened(found.rows, chosen)


def _draw_opened(shown: Sequence[tb.Judgement], chosen: str | None) -> None:
    """Draw the open call: what was selected or let go in this visit counts before what the address names."""
    asked = st.query_params.get("judgement")
    if chosen != st.session_state.get("judgement_chosen"):
        asked = st.session_state["judgement_chosen"] = chosen
    opened = next((row for row in shown if row.id == asked), None)
    remember("judgement", opened.id if opened else None)
    if opened is not None:
        _draw_record(opened)


def _order(row: tb.Judgement) -> str:
    return t(f"ui.judge.order.{'second' if row.swapped else 'first'}") if row.other_answer_id else "–"


def _draw_record(row: tb.Judgement) -> None:
    if row.error:
        message, hint = describe(KurabeError(row.error["code"], **row.error["params"]))
        st.error(error_text(message, hint))
    for message in row.messages:
        st.caption(message["role"])
        st.text(message["content"])
    st.caption(t("ui.judge.reply"))
    st.text(row.text or "–")
    spent = t("ui.compare.tokens.plain", prompt=row.prompt_tokens or 0, answer=row.completion_tokens or 0)
    st.caption(f"{plain(row.model)} · {spent} · {format_duration(row.seconds) if row.seconds else '–'}")
