"""The training page's parts: the form, what speaks against it, one run live, the list of runs and adapters."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
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
from core.datasets import count_examples, count_pairs, latest_version
from core.errors import KurabeError
from core.evaluation import latest_experiment
from core.i18n import format_bytes, format_duration, format_money, format_number, format_percent, t
from core.jobs import JobView, job_view
from core.knowledge import default_kb, latest_index
from core.models import adapters, delete_adapter
from core.store import tables as tb
from core.training import (
    METHODS,
    OBJECTIVES,
    PRESETS,
    ROW_STYLES,
    Preflight,
    RunView,
    TrainingConfig,
    curve_series,
    listed_rows,
    newest_probe,
    preflight,
    processes_of,
    run_group,
    run_view,
    runs,
    seed_series,
    start_learning_curve,
    start_probe,
    start_seeds,
    start_training,
)
from core.ui.findings import base_name, experiment_results, when
from core.ui.forms import field_inputs
from core.ui.jobs import draw_slots, follow_job
from core.ui.lineage import draw_lineage
from core.ui.navigation import open_page
from core.ui.parts import Tile, draw_figure, draw_tiles, plain, remember
from core.ui.registry import draw_about, draw_import, draw_keeping, draw_taking, draw_work
from core.ui.training_devices import choose_devices, launched_by

__all__ = ["draw_adapters", "draw_form", "draw_run", "draw_runs"]

_BASIC = ("row_style",)
_OBJECTIVES = tuple(sorted(OBJECTIVES.names(), key=lambda name: OBJECTIVES.get(name).pairs))
"""Learning answers first: it is the usual choice."""
_SERIES = ("once", "seeds", "curve")
_LOOKED = "training_looked_at"
"""Key under which a visitor's last preflight is kept, with the configuration that it is about."""
_LEVEL = {"go": ":gray-badge", "risky": ":orange-badge", "will_not": ":red-badge"}


def draw_form(project: tb.Project) -> str | None:
    """Draw the form of a new training; return the run's id when one was started.

    What the preflight calls risky is started only by a second, knowing press; what it said is kept with the run.
    """
    if latest_version(project.id) is None:
        raise KurabeError("training.no_data")
    _draw_headroom(project)
    config, series = _configuration(project)
    launch = choose_devices(config.batch_size, config.accumulation)
    check, measure, start = _presses()
    probe = start_probe(project.id, config) if measure else newest_probe(config)
    job = _probe_job(probe)
    if job is not None and (job.active or job.status in ("failed", "lost", "killed")):
        follow_job(job.id)
    probed = probe.id if probe and probe.result else ""
    found = _looked(config, series, probed, processes_of(launch), again=check or start or measure)
    if found is None:
        return None
    if start and found.verdict == "go":
        return _begin(project, config, series, found, launch)
    _draw_preflight(found)
    if found.verdict == "risky" and st.button(t("ui.training.anyway"), icon=":material/play_arrow:"):
        return _begin(project, config, series, found, launch)
    return None


def _presses() -> tuple[bool, bool, bool]:
    """Draw the buttons under the form: check, measure, start."""
    with st.container(horizontal=True, vertical_alignment="center"):
        return (
            st.button(t("ui.training.check"), icon=":material/fact_check:", help=t("ui.training.check.help")),
            st.button(t("ui.training.measure"), icon=":material/timer:", help=t("ui.training.measure.help")),
            st.button(t("ui.training.start"), icon=":material/play_arrow:", type="primary"),
        )


def _probe_job(probe: tb.TrainingProbe | None) -> JobView | None:
    """Return the job of a probe that has measured nothing yet; None if there is none, or it was deleted."""
    if probe is None or probe.result:
        return None
    with suppress(KurabeError):
        return job_view(str(probe.job_id))
    return None


def _looked(config: TrainingConfig, series: str, probed: str, processes: int, *, again: bool) -> Preflight | None:
    """Return what the preflight says, once somebody asked; it is asked anew when a measurement has ended meanwhile."""
    asked = (config.hash, series, processes)
    looked_at, before, found = st.session_state.get(_LOOKED, (None, "", None))
    if again or (looked_at == asked and before != probed):
        with st.spinner(t("ui.training.checking")):
            found = preflight(config, _runs_of(config, series), processes=processes)
        st.session_state[_LOOKED] = (asked, probed, found)
        return found
    return found if looked_at == asked else None


def _runs_of(config: TrainingConfig, series: str) -> list[TrainingConfig]:
    """Return the runs that are asked for."""
    return {"seeds": seed_series, "curve": curve_series}.get(series, lambda one: [one])(config)


def _begin(project: tb.Project, config: TrainingConfig, series: str, found: Preflight, launch: dict[str, Any]) -> str:
    """Start what was asked for and return the id of the run to watch; of a series, the first."""
    st.session_state.pop(_LOOKED, None)
    options: dict[str, Any] = {"preflight": found.as_dict(), "launcher": launch}
    if series == "seeds":
        return start_seeds(project.id, config, **options)[0].id
    if series == "curve":
        return start_learning_curve(project.id, config, **options)[0].id
    return start_training(project.id, config, **options).id


def _draw_headroom(project: tb.Project) -> None:
    """Say, before anyone pays for training, what it could gain at most; or how to find out."""
    experiment = latest_experiment(project.id)
    found = experiment_results(experiment).headroom if experiment else None
    if found is not None:
        most = {"tuning": found.tuning_at_most, "search": found.retrieval_at_most}
        hundred = {name: format_number(100 * interval.estimate) for name, interval in most.items()}
        st.info(
            t("ui.training.headroom", tests=format_number(found.n), **hundred), icon=":material/vertical_align_top:"
        )
    elif latest_index(default_kb(project.id).id) is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(t("ui.training.headroom.unknown"))
            if st.button(t("ui.training.headroom.measure"), icon=":material/rule:"):
                open_page("test_run", view="new")


def _configuration(project: tb.Project) -> tuple[TrainingConfig, str]:
    """Draw the choices, the usual ones first, and return the configuration with how often it is to be trained."""
    with st.container(border=True):
        preset = _choose("ui.training.preset", "training.preset", PRESETS, "balanced", "training_preset")
        style = _choose("training.field.row_style", "training.row_style", ROW_STYLES, "plain", "training_style")
        objective = _choose("ui.training.objective", "training.objective", _OBJECTIVES, "sft", "training_objective")
        with st.grid(3, min_column_width=220):
            names = METHODS.names()
            method = st.selectbox(
                t("ui.training.method"),
                names,
                index=names.index("lora"),
                key="training_method",
                format_func=lambda key: t(f"training.method.{key}"),
                help=_help("training.method", names),
            )
            name = st.text_input(t("ui.training.name"), max_chars=120, placeholder=t("ui.training.name.placeholder"))
            series = st.selectbox(
                t("ui.training.series"),
                _SERIES,
                key="training_series",
                format_func=lambda key: t(f"ui.training.series.{key}"),
                help=t("ui.training.series.help"),
            )
        usual = TrainingConfig.preset(project.id, preset=preset, method=method, objective=objective, row_style=style)
        st.caption(t("ui.training.base", model=plain(base_name(usual.base_ref))))
        _draw_pairs(usual)
        entered = _all_fields(usual, method)
    return dataclasses.replace(usual, name=name, **entered), series


def _choose(label: str, stem: str, options: tuple[str, ...], usual: str, key: str) -> str:
    """Draw one of the usual choices, each explained in the help; ``<stem>.<option>`` words them."""
    chosen = st.segmented_control(
        t(label),
        options,
        default=usual,
        required=True,
        key=key,
        format_func=lambda option: t(f"{stem}.{option}"),
        help=_help(stem, options),
    )
    return str(chosen)


def _draw_pairs(config: TrainingConfig) -> None:
    """Say what is missing where pairs are to be learned and the data hold none."""
    if config.aim.pairs and not count_pairs(config.dataset_version_id):
        rows = format_number(count_examples(config.dataset_version_id, "train"))
        st.warning(f"{t('error.training.no_pairs', rows=rows)} {t('error.training.no_pairs.hint')}")


def _help(stem: str, names: tuple[str, ...]) -> str:
    return "\n".join(f"- **{t(f'{stem}.{name}')}**: {t(f'{stem}.{name}.help')}" for name in names)


def _all_fields(usual: TrainingConfig, method: str) -> dict[str, Any]:
    """Draw every other field of configuration and method, filled with what the preset says."""
    values = {field.name: getattr(usual, field.name) for field in dataclasses.fields(usual)}
    key = f"training_{method}_{usual.hash[-8:]}"
    with st.expander(t("ui.training.all"), icon=":material/tune:"):
        st.markdown(f"**{t(f'training.method.{method}')}**")
        kind = METHODS.get(method)
        fields = field_inputs(kind, {k: v for k, v in usual.method.items() if k != "name"}, f"{key}_method")
        aim = usual.aim
        aims: dict[str, Any] = {}
        if dataclasses.fields(aim):
            st.markdown(f"**{t(f'training.objective.{aim.name}')}**")
            own = {field.name: getattr(aim, field.name) for field in dataclasses.fields(aim)}
            aims = field_inputs(type(aim), own, f"{key}_objective")
        st.markdown(f"**{t('ui.training.course')}**")
        unused = () if usual.row_style != "plain" else ("passages", "without_gold")
        unused = (*unused, "train_on") if aim.pairs else unused
        entered = field_inputs(TrainingConfig, values, key, leave_out=(*_BASIC, *unused))
    return {**entered, "method": {"name": method, **fields}, "objective": {"name": aim.name, **aims}}


def _draw_preflight(found: Preflight) -> None:
    """Draw whether it will work, in numbers."""
    with st.container(border=True):
        st.markdown(f"{_LEVEL[found.verdict]}[{t(f'training.preflight.verdict.{found.verdict}')}]")
        for finding in found.findings:
            params = {name: plain(v) if isinstance(v, str) else v for name, v in finding.params.items()}
            st.markdown(f"- {t(f'training.preflight.{finding.code}', **params)}")
        draw_tiles(
            [
                _time_tile(found),
                _memory_tile(found),
                Tile(
                    t("ui.training.rows"),
                    format_number(found.rows["trained"]),
                    t("ui.training.learned", share=format_percent(found.trained_share)),
                ),
                Tile(t("ui.training.parameters"), format_number(found.trained_parameters)),
            ]
        )
        parts = [(part, size) for part, size in found.memory.items() if part != "total" and size]
        named = " + ".join(f"{t(f'training.memory.{part}')} {format_bytes(size)}" for part, size in parts)
        st.caption(t("ui.training.memory.parts", parts=named))
        st.caption(t("ui.training.preview"))
        _draw_pieces(found.preview)
        if found.preview_rejected:
            st.caption(t("ui.training.preview.rejected"))
            _draw_pieces(found.preview_rejected)


def _time_tile(found: Preflight) -> Tile:
    """Return time and cost; where a probe measured them, with the range from its fastest to its slowest step."""
    if found.seconds is None or found.seconds_low is None or found.seconds_high is None:
        return Tile(t("ui.training.time"), "–", t("ui.training.cost", cost="–"))
    notes, money = [], "–"
    if found.cost:
        money, low, high = (
            format_money(float(found.cost[name]), found.cost["currency"]) for name in ("amount", "low", "high")
        )
        money = money if low == high else t("ui.training.range", low=low, high=high)
    low, high = format_duration(found.seconds_low), format_duration(found.seconds_high)
    if low != high:
        notes.append(t("ui.training.range", low=low, high=high))
    notes.append(t("ui.training.cost", cost=money))
    return Tile(t("ui.training.time"), format_duration(found.seconds), " · ".join(notes))


def _memory_tile(found: Preflight) -> Tile:
    notes = [t("ui.training.free", free=format_bytes(found.memory_free) if found.memory_free is not None else "–")]
    if found.probe is not None:
        notes.insert(0, t("ui.training.memory.measured", estimate=format_bytes(found.memory["total"])))
    return Tile(t("ui.training.memory"), format_bytes(found.memory_needed), " · ".join(notes))


def _draw_pieces(pieces: list[tuple[str, bool]]) -> None:
    st.markdown("".join(_token(text, trained=trained) for text, trained in pieces[:600]))


def _token(text: str, *, trained: bool) -> str:
    shown = plain(text) if text.strip() else text.replace("\n", " ")
    lead = " " if text[:1].isspace() else ""
    return f"{lead}:green-background[{shown}]" if trained and shown.strip() else f"{lead}{shown}"


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
        format_func=lambda key: _run_name(known[key]),
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
