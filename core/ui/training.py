"""Runs and adapters on the training page: one run live, what came of it, and the list of what was trained."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.charts import (
    accuracy_curve,
    gradient_curve,
    learning_curve,
    loss_curve,
    margin_curve,
    rate_curve,
    seed_spread,
)
from core.i18n import format_bytes, format_duration, format_number, format_percent, t
from core.jobs import JobView
from core.models import adapters, delete_adapter
from core.store import tables as tb
from core.training import METHODS, RunView, approaches_with, listed_rows, run_group, run_view, runs
from core.ui.approaches import approach_label
from core.ui.findings import base_name, when
from core.ui.jobs import draw_slots, follow_job
from core.ui.lineage import draw_lineage
from core.ui.parts import Tile, draw_figure, draw_tiles, plain, remember, told_apart
from core.ui.registry import draw_about, draw_import, draw_keeping, draw_taking, draw_work
from core.ui.run_record import draw_proof, draw_record
from core.ui.training_devices import launched_by

__all__ = ["draw_adapters", "draw_run", "draw_runs"]


def draw_runs(project: tb.Project) -> None:
    """Draw the list of runs; a chosen one is shown in full."""
    with st.expander(t("ui.job.slots"), icon=":material/view_list:", on_change="rerun", key="slots") as opened:
        if opened.open:
            draw_slots()
    found = runs(project.id)
    if not found:
        st.caption(t("ui.training.no_runs"))
        return
    asked = st.query_params.get("run")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = st.container()
        everything = any(run.archived for run in found) and st.toggle(t("ui.registry.show_archived"))
    known = {run.id: run for run in found if everything or not run.archived or run.id == asked}
    if not known:
        return
    picked = place.selectbox(
        t("ui.training.run"),
        list(known),
        index=list(known).index(asked) if asked in known else 0,
        format_func=told_apart(known, lambda key: _run_name(known[key])),
        key=f"training_run_{project.id}_{len(known)}_{asked}",
    )
    remember("run", picked)
    draw_run(picked)


def _run_name(run: RunView) -> str:
    parts = [run.name, t(f"jobs.status.{run.status}") if run.job is not None else "–", when(run.created_at)]
    if run.promoted_for is not None:
        parts.insert(1, t(f"ui.registry.promoted.{run.promoted_for}"))
    if run.archived:
        parts.append(t("ui.registry.archived"))
    return " · ".join(parts)


def draw_run(run_id: str) -> None:
    """Draw one run: live while it lasts, then what came of it."""
    run = run_view(run_id)
    draw_about(run)
    if run.job is not None and run.job.active:
        follow_job(run.job.id, extra=lambda view: _draw_course(run_id, view))
    else:
        if run.job is not None:
            follow_job(run.job.id)
        _draw_course(run_id, None)
        _draw_kept(run_view(run_id))
        _draw_outcome(run)
        draw_keeping(run)
        draw_record(run)
        draw_lineage(run)
    _draw_group(run_id)


def _draw_group(run_id: str) -> None:
    """Draw what the runs that were started together say together."""
    group = run_group(run_id)
    if group is None:
        return
    with st.container(border=True):
        if group.kind == "shares":
            points = [(point.examples, point.loss) for point in group.points]
            gain = group.last_gain if len(points) > 1 else 0.0
            draw_figure(learning_curve(points, group.finding, gain), f"group_{group.key}")
        else:
            draw_figure(seed_spread([(point.seed, point.loss) for point in group.points]), f"group_{group.key}")
        st.caption(t(f"ui.training.group.{group.kind}", n=format_number(len(group.runs))))


def _draw_course(run_id: str, view: JobView | None) -> None:
    """Draw loss, speed and sample answers as they stand."""
    run = run_view(run_id)
    if not run.loss and not run.eval_loss:
        if view is not None:
            st.caption(t("ui.training.waiting"))
        return
    last = run.loss[-1] if run.loss else (0, 0.0)
    speed = run.tokens_per_second[-1][1] if run.tokens_per_second else None
    best = min((value for _, value in run.eval_loss), default=None)
    tiles = [
        Tile(t("ui.training.step"), format_number(last[0])),
        Tile(t("ui.training.loss"), format_number(last[1], digits=3)),
        Tile(t("ui.training.best"), format_number(best, digits=3) if best is not None else "–"),
        Tile(t("ui.training.speed"), format_number(speed) if speed else "–"),
    ]
    if run.eval_margin:
        tiles[2:2] = [
            Tile(t("ui.training.margin"), format_number(run.eval_margin[-1][1], digits=2)),
            Tile(t("ui.training.accuracy"), format_percent(run.eval_accuracy[-1][1])),
        ]
    draw_tiles(tiles)
    st.caption(_details(run))
    draw_figure(loss_curve(run.loss, run.eval_loss), f"loss_{run_id}")
    _draw_steps(run)
    if run.margin or run.eval_margin:
        draw_figure(margin_curve(run.margin, run.eval_margin), f"margin_{run_id}")
        draw_figure(accuracy_curve(run.accuracy, run.eval_accuracy), f"accuracy_{run_id}")
    _draw_samples(run)


def _draw_steps(run: RunView) -> None:
    """Draw learning rate and gradient norm, for those who look into how it learns."""
    if not run.learning_rate and not run.grad_norm:
        return
    with st.expander(t("ui.training.steps"), icon=":material/show_chart:"):
        draw_figure(rate_curve(run.learning_rate), f"rate_{run.id}")
        draw_figure(gradient_curve(run.grad_norm, run.config.max_gradient), f"gradient_{run.id}")


def _details(run: RunView) -> str:
    """Return learning rate, gradient norm, memory and processes in one line."""
    parts = [launched] if (launched := launched_by(run)) else []
    if run.learning_rate:
        parts.append(t("ui.training.rate", value=f"{run.learning_rate[-1][1]:.2g}"))
    if run.grad_norm:
        parts.append(t("ui.training.gradient", value=format_number(run.grad_norm[-1][1], digits=2)))
    if run.memory_bytes:
        parts.append(t("ui.training.memory.most", value=format_bytes(run.memory_bytes)))
    return " · ".join(parts)


def _draw_samples(run: RunView) -> None:
    """Draw the answers to the same validation questions before training and at the evaluation that one chooses."""
    if not run.samples:
        return
    st.markdown(f"**{t('ui.training.samples')}**")
    first, last = run.samples[0], _chosen_samples(run)
    before = {answer["question"]: answer["answer"] for answer in first["answers"]}
    for answer in last["answers"]:
        with st.container(border=True):
            # what stands before the last empty line are passages and examples
            st.text(answer["question"].rstrip().rpartition("\n\n")[2][-300:])
            columns = {
                t("ui.training.expected"): answer["reference"],
                t("ui.training.before"): before.get(answer["question"], "–"),
                t("ui.training.after", step=format_number(last["step"])): answer["answer"],
            }
            for column, (name, text) in zip(st.columns(3), columns.items(), strict=True):
                column.caption(name)
                column.text(text or "–")


def _chosen_samples(run: RunView) -> dict[str, Any]:
    """Return the answers of the evaluation that somebody chose; those of the newest until then."""
    later = {int(taken["step"]): taken for taken in run.samples[1:]}
    if len(later) < 2:
        return run.samples[-1]
    steps = list(later)
    step = st.selectbox(
        t("ui.training.samples.step"),
        [None, *reversed(steps)],
        format_func=lambda at: (
            t("ui.training.samples.newest") if at is None else t("ui.training.after", step=format_number(at))
        ),
        key=f"samples_{run.id}",
    )
    # a resumed attempt may have gone back behind the one that was chosen
    return run.samples[-1] if step is None else later.get(step, run.samples[-1])


def _draw_kept(run: RunView) -> None:
    """Say which weights a run left, where that is not plain: the best ones, or a checkpoint after a hard end."""
    kept, steps = run.result.get("kept_step"), run.result.get("steps")
    if kept is not None and kept != steps and run.result.get("ended") != "diverged":
        st.info(t("ui.training.kept.best", step=format_number(kept)), icon=":material/star:")
    if run.status in ("stopped", "killed", "lost", "failed", "cancelled") and not run.result.get("saved"):
        newest = max(run.checkpoints, default=None)
        key = "none" if newest is None else "checkpoint"
        step = "" if newest is None else format_number(newest)
        st.caption(t(f"ui.training.kept.{key}", step=step))


def _draw_left_out(run_id: str) -> None:
    """Draw the rows that were not trained on, each with its reason."""
    left_out = listed_rows(run_id)
    if not left_out:
        return
    with st.expander(t("ui.training.left_out", n=format_number(len(left_out))), icon=":material/rule:"):
        st.dataframe(
            [
                {
                    t("ui.training.left_out.row"): row["position"] + 1,
                    t("ui.training.left_out.reason"): t(f"training.row.{row['code']}", **row["params"]),
                }
                for row in left_out[:500]
            ],
            hide_index=True,
        )


def _draw_outcome(run: RunView) -> None:
    """Draw what ended the run, what it used and what a reader should know."""
    result = run.result
    if not result:
        return
    for warning in run.warnings:
        params = {k: plain(v) if isinstance(v, str) else v for k, v in warning.get("params", {}).items()}
        st.warning(t(f"training.warning.{warning['code']}", **params), icon=":material/warning:")
    facts = []
    if result.get("ended"):
        facts.append(t(f"training.ended.{result['ended']}"))
    if result.get("seconds"):
        facts.append(format_duration(float(result["seconds"])))
    if result.get("tokens"):
        facts.append(t("ui.training.tokens", n=format_number(int(result["tokens"]))))
    if run.preflight.get("verdict") in ("risky", "will_not"):
        facts.append(t(f"ui.training.knowingly.{run.preflight['verdict']}"))
    if facts:
        st.caption(" · ".join(facts))
    draw_proof(run)
    _draw_left_out(run.id)
    with st.expander(t("ui.training.configuration"), icon=":material/tune:"):
        st.json(run.config.as_dict(), expanded=1)
        if run.job is not None and (run.job.run_dir / "tensorboard").exists():
            st.caption(t("ui.training.tensorboard"))
            st.code(f"tensorboard --logdir {run.job.run_dir / 'tensorboard'}", language="bash")


def draw_adapters(project: tb.Project) -> None:
    """Draw the project's adapters with where each comes from."""
    draw_import(project)
    draw_work(project)
    found = adapters(project.id)
    if not found:
        st.caption(t("ui.training.no_adapters"))
        return
    made = {run.id: run for run in runs(project.id)}
    named = {key: run.name for key, run in made.items()}
    archived = {run.adapter_id for run in made.values() if run.archived}
    promoted = {run.adapter_id for run in made.values() if run.promoted_for is not None}
    if archived and not st.toggle(t("ui.registry.show_archived")):
        found = [adapter for adapter in found if adapter.id not in archived]
    for adapter in sorted(found, key=lambda adapter: adapter.id not in promoted):
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{plain(adapter.name)}**", width="content")
                st.badge(t(f"training.row_style.{adapter.row_style}"), color="gray")
                if adapter.id in promoted:
                    st.badge(t("ui.registry.promoted"), icon=":material/verified:", color="green")
                if adapter.id in archived:
                    st.badge(t("ui.registry.archived"), icon=":material/archive:", color="gray")
            st.caption(_adapter_facts(adapter, named))
            draw_taking(adapter)
            with st.popover(t("ui.training.adapter.delete"), icon=":material/delete:", type="tertiary"):
                st.markdown(t("ui.training.adapter.delete.text"))
                if using := dict.fromkeys(map(approach_label, approaches_with(adapter))):
                    names = ", ".join(map(plain, using))
                    st.markdown(t("ui.training.adapter.delete.used", approaches=names))
                if st.button(t("ui.training.adapter.delete.sure"), key=f"delete_{adapter.id}", type="primary"):
                    delete_adapter(adapter.id)
                    st.rerun()


def _adapter_facts(adapter: tb.Adapter, named: dict[str, str]) -> str:
    method = t(f"training.method.{adapter.kind}") if adapter.kind in METHODS.names() else adapter.kind
    parts = [
        method,
        t("ui.training.adapter.base", base=plain(base_name(adapter.base_ref))),
        t("ui.training.adapter.run", run=plain(named.get(str(adapter.training_run_id), "–"))),
        format_bytes(adapter.size),
        when(adapter.created_at),
    ]
    if adapter.licence:
        parts.append(t("ui.training.adapter.licence", licence=plain(adapter.licence)))
    if (aim := (adapter.facts or {}).get("objective", {}).get("name", "sft")) != "sft":
        parts.insert(1, t(f"training.objective.{aim}"))
    if digest := (adapter.facts or {}).get("dataset_hash"):
        parts.append(t("ui.training.adapter.data", hash=str(digest).rpartition(":")[2][:8]))
    return " · ".join(parts)
