"""The form of one approach: name, kind, model, context, prompt, decoding; and the test of an address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.approaches import (
    CONTEXTS,
    PRESETS,
    ApproachSpec,
    Connection,
    ModelChoice,
    approaches,
    called,
    check_connection,
    check_key_name,
    spec_from,
    spec_of_row,
)
from core.errors import ErrorRecord, KurabeError, as_kurabe_error
from core.i18n import LANGUAGES, Language, describe, format_duration, format_number, t
from core.models import adapters, catalogue
from core.prices import ListPrice, enter_token_price, list_price
from core.store import tables as tb
from core.ui.findings import base_name, when
from core.ui.forms import field_inputs
from core.ui.parts import draw_approach, error_text, plain, told_apart

__all__ = ["draw_form"]


def draw_form(project: tb.Project, start: ApproachSpec, key: str) -> ApproachSpec | None:
    """Draw every field of an approach and return what is entered; None, with the reason said, while it is no approach.

    Args:
        project: whose.
        start: what the fields show at first.
        key: prefix of the widgets' keys.
    """
    values: dict[str, Any] = _name_and_kind(project, start, key)
    kind = str(values["preset"])
    st.markdown(f"**{t('approaches.spec.model')}**")
    values["model"] = _model(project, start, kind, f"{key}_{kind}")
    st.markdown(f"**{t('approaches.spec.context')}**")
    values["context"] = _context(start, kind, f"{key}_{kind}")
    st.markdown(f"**{t('ui.approaches.prompt')}**")
    values["prompt"] = _prompt(start, key)
    with st.expander(t("ui.approaches.decoding"), icon=":material/tune:"):
        values |= _decoding(start, key)
    try:
        spec = spec_from(values)
        check_key_name(spec.model.key_name)
    except KurabeError as error:
        st.error(error_text(*describe(error)))
        return None
    _draw_differing(project, spec)
    return spec


def _name_and_kind(project: tb.Project, start: ApproachSpec, key: str) -> dict[str, Any]:
    """Draw the names, one a language, and the kind with the mark that it gives the approach."""
    main: Language = "ja" if project.language == "ja" else "en"
    shown = {code: start.names.get(code) or _own_name(start, code, main) for code in LANGUAGES}
    with st.grid(2, min_column_width=220):
        entered = {
            code: st.text_input(t(f"ui.approaches.name.{code}"), shown[code], key=f"{key}_name_{code}", max_chars=120)
            for code in LANGUAGES
        }
    st.caption(t("ui.approaches.name.help"))
    kind = st.selectbox(
        t("approaches.spec.preset"),
        list(PRESETS),
        index=list(PRESETS).index(start.preset),
        format_func=lambda preset: t(f"approaches.preset.{preset}"),
        key=f"{key}_preset",
        help=t("ui.approaches.kind.help"),
    )
    draw_approach(kind, next((name for name in (entered[main], *entered.values()) if name.strip()), "–"))
    st.caption(t(f"approaches.preset.{kind}.help"))
    if kind == start.preset and entered == shown:
        return {"name": start.name, "names": start.names, "preset": kind}
    names = {code: " ".join(text.split()) for code, text in entered.items() if text.strip()}
    name = names.pop(main, "") or next(iter(names.values()), "")
    return {"name": name, "names": {code: text for code, text in names.items() if text != name}, "preset": kind}


def _own_name(start: ApproachSpec, code: Language, main: Language) -> str:
    """Return what an approach without a name for a language shows there: a preset's own, or nothing."""
    return called(start.name, start.preset, None, code) if start.name == start.preset or code == main else ""


def _model(project: tb.Project, start: ApproachSpec, kind: str, key: str) -> dict[str, Any]:
    """Draw which weights answer, and where."""
    kinds = PRESETS[kind].models
    first = start.model.kind if start.model.kind in kinds else kinds[0]
    if len(kinds) > 1:
        first = st.segmented_control(
            t("ui.approaches.model"),
            kinds,
            default=first,
            required=True,
            format_func=lambda name: t(f"ui.approaches.model.{name}"),
            key=f"{key}_model",
            label_visibility="collapsed",
        )
    if first == "endpoint":
        return _endpoint(project, start, key)
    if first == "base":
        return _base(project, start, key)
    return _adapter(project, start, str(first), key)


def _base(project: tb.Project, start: ApproachSpec, key: str) -> dict[str, Any]:
    here = (base.ref for base in catalogue() if base.folder)
    given = [start.model.ref] if start.model.kind == "base" else []
    refs = list(dict.fromkeys([*given, project.base_ref, *here]))
    ref = st.selectbox(
        t("ui.approaches.model.base"),
        refs,
        format_func=base_name,
        key=f"{key}_base",
        accept_new_options=True,
        label_visibility="collapsed",
    )
    if ref != project.base_ref:
        st.caption(t("ui.approaches.model.other", base=plain(base_name(project.base_ref))))
    return {"kind": "base", "ref": ref or "", "base_ref": ref or ""}


def _adapter(project: tb.Project, start: ApproachSpec, kind: str, key: str) -> dict[str, Any]:
    """Draw the choice among what trainings, or merges, left."""
    known = {row.id: row for row in adapters(project.id) if (row.kind == "merged") == (kind == "merged")}
    if not known:
        st.warning(t(f"ui.approaches.model.{kind}.none"), icon=":material/model_training:")
        return {"kind": kind, "ref": ""}
    ref = st.selectbox(
        t(f"ui.approaches.model.{kind}"),
        list(known),
        index=list(known).index(start.model.ref) if start.model.ref in known else 0,
        format_func=told_apart(known, lambda each: _adapter_name(known[each])),
        key=f"{key}_{kind}",
        label_visibility="collapsed",
    )
    return {"kind": kind, "ref": ref, "base_ref": known[ref].base_ref}


def _adapter_name(row: tb.Adapter) -> str:
    style = t("ui.approaches.model.raft") if row.row_style == "raft" else row.kind
    return f"{row.name} · {style} · {when(row.created_at)}"


def _endpoint(project: tb.Project, start: ApproachSpec, key: str) -> dict[str, Any]:
    """Draw an address, the model's name there, the name of the variable with its key, and the test of all three."""
    given = start.model if start.model.kind == "endpoint" else ModelChoice(kind="endpoint", ref="")
    with st.grid(3, min_column_width=200):
        url = st.text_input(
            t("approaches.spec.url"), given.url or "", key=f"{key}_url", placeholder="https://api.example.com/v1",
            help=t("ui.approaches.url.help"),
        ).strip()  # fmt: skip
        ref = st.text_input(
            t("ui.approaches.ref"), given.ref, key=f"{key}_ref", placeholder="gpt-4.1-mini",
            help=t("ui.approaches.ref.help"),
        ).strip()  # fmt: skip
        name = st.text_input(
            t("approaches.spec.key_name"), given.key_name or "", key=f"{key}_key", placeholder="OPENAI_API_KEY",
            help=t("approaches.spec.key_name.help"),
        ).strip()  # fmt: skip
    model = ModelChoice(kind="endpoint", ref=ref, url=url or None, key_name=name or None)
    _draw_connection(model, key)
    if ref:
        _draw_price(ref, key)
    return model.model_dump()


def _draw_connection(model: ModelChoice, key: str) -> None:
    """Draw the button that asks the address, and what came of it as long as nothing was changed since."""
    state = f"{key}_connection"
    if st.button(
        t("ui.approaches.test"), icon=":material/cable:", key=f"{key}_test", help=t("ui.approaches.test.help")
    ):
        with st.spinner(t("ui.approaches.testing")):
            st.session_state[state] = (model, _tested(model))
    tested, outcome = st.session_state.get(state, (None, None))
    if tested != model or outcome is None:
        return
    if isinstance(outcome, Connection):
        _draw_capabilities(outcome)
    else:
        st.error(error_text(*describe(KurabeError.from_record(outcome))))


def _tested(model: ModelChoice) -> Connection | ErrorRecord:
    try:
        return check_connection(model)
    except Exception as error:  # whatever a server does must not take the form with what was entered
        return as_kurabe_error(error).as_record()


_ABILITIES = ("usage_in_stream", "seed", "stop", "thinking_switch", "log_probabilities", "embeddings", "timings")
"""What a server may be able to do, in the order in which it matters to a comparison."""


def _draw_capabilities(found: Connection) -> None:
    """Draw what the server replied, what it can do, and what Kurabe does where it cannot."""
    able = found.capabilities
    st.success(t("ui.approaches.test.answered", time=format_duration(found.seconds)), icon=":material/check:")
    st.text(found.text[:300] or "–")  # from outside: never as Markdown
    if found.reasoning:
        st.caption(f":material/psychology: {t('ui.approaches.test.reasons')}")
    if found.usage is None:
        st.warning(t("ui.approaches.test.no_usage"), icon=":material/money_off:")
    if found.listed is False:
        names = plain(", ".join(able.models[:8]))
        st.warning(t("ui.approaches.test.unlisted", names=names), icon=":material/help:")
    elif found.listed is None:
        st.caption(t("ui.approaches.test.no_list"))
    for name in _ABILITIES:
        st.caption(_ability(name, getattr(able, name)))


def _ability(name: str, value: bool | None) -> str:
    label = t(f"ui.approaches.able.{name}")
    if value is None:
        return f":gray[:material/question_mark:] {label}"
    if value:
        return f":green[:material/check:] {label}"
    return f":orange[:material/close:] {label}: {t(f'ui.approaches.able.{name}.without')}"


def _draw_price(ref: str, key: str) -> None:
    """Draw what a million tokens of the model cost, or that nobody knows and where to enter it."""
    price = list_price(ref)
    if price is not None:
        st.caption(f":material/payments: {_price_text(ref, price)}")
        return
    st.caption(f":material/money_off: {t('ui.approaches.price.none', model=plain(ref))}")
    with st.popover(t("ui.approaches.price.enter"), icon=":material/payments:", type="tertiary"):
        read = st.text_input(t("ui.approaches.price.input"), key=f"{key}_price_in", placeholder="0.40")
        written = st.text_input(t("ui.approaches.price.output"), key=f"{key}_price_out", placeholder="1.60")
        source = st.text_input(t("ui.prices.source"), key=f"{key}_price_source")
        if st.button(t("ui.prices.save"), key=f"{key}_price_save", disabled=not (read.strip() and written.strip())):
            try:
                enter_token_price(ref, read.strip(), written.strip(), source.strip())
            except KurabeError as error:
                st.error(error_text(*describe(error)))
            else:
                st.rerun()


def _price_text(ref: str, price: ListPrice) -> str:
    amounts = {
        name: plain(f"{amount.normalize():f}") for name, amount in (("read", price.input), ("written", price.output))
    }
    source = price.source or t("ui.approaches.price.list")
    return t("ui.approaches.price", currency=price.currency, source=plain(source), as_of=plain(price.as_of), **amounts)


def _context(start: ApproachSpec, kind: str, key: str) -> dict[str, Any]:
    """Draw what stands beside the question, with the fields of its dataclass."""
    names = PRESETS[kind].contexts or CONTEXTS.names()
    usual = dict(start.context if start.context.get("name") in names else PRESETS[kind].context)
    name = str(usual["name"])
    if len(names) > 1:
        name = st.selectbox(
            t("approaches.spec.context"),
            names,
            index=list(names).index(name),
            format_func=lambda each: t(f"approaches.context.{each}"),
            key=f"{key}_context",
            label_visibility="collapsed",
        )
    st.caption(f"{t(f'approaches.context.{name}')}: {t(f'approaches.context.{name}.help')}")
    values = {field: value for field, value in usual.items() if field != "name"} if name == usual["name"] else {}
    return {"name": name, **_entered(CONTEXTS.get(name), field_inputs(CONTEXTS.get(name), values, f"{key}_{name}"))}


def _entered(kind: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is as usual, so that an untouched form is the approach that it was; emptied fields too."""
    fields = kind.__dataclass_fields__
    return {name: value for name, value in values.items() if value is not None and value != fields[name].default}


def _prompt(start: ApproachSpec, key: str) -> dict[str, str]:
    """Draw instructions, house rules and style."""
    entered = {}
    for name, height in (("instructions", 100), ("house_rules", 80), ("style", 68)):
        entered[name] = st.text_area(
            t(f"approaches.spec.{name}"),
            getattr(start.prompt, name),
            key=f"{key}_{name}",
            height=height,
            max_chars=20_000,
            placeholder=t("ui.approaches.style.placeholder") if name == "style" else None,
        ).strip()
    kept = {name: str(getattr(start.prompt, name)) for name in entered}
    return {name: kept[name] if text == kept[name].strip() else text for name, text in entered.items()}


def _decoding(start: ApproachSpec, key: str) -> dict[str, Any]:
    """Draw how tokens are chosen."""
    given = start.decoding
    with st.grid(3, min_column_width=160):
        longest = st.number_input(t("approaches.spec.max_tokens"), 1, 100_000, given.max_tokens, key=f"{key}_longest")
        temperature = st.number_input(
            t("approaches.spec.temperature"), 0.0, 2.0, given.temperature, 0.1, key=f"{key}_temperature",
            help=t("approaches.spec.temperature.help"),
        )  # fmt: skip
        top_p = st.number_input(
            t("setup.top_p"), 0.01, 1.0, given.top_p or 1.0, 0.05, key=f"{key}_top_p", help=t("setup.top_p.help")
        )
        seed = st.number_input(
            t("approaches.spec.seed"), 0, None, given.seed, key=f"{key}_seed", placeholder=t("ui.approaches.seed.own")
        )
        budget = st.number_input(
            t("approaches.spec.context_budget_tokens"), 0, None, start.context_budget_tokens, key=f"{key}_budget",
            help=t("approaches.spec.context_budget_tokens.help"),
        )  # fmt: skip
    stop = st.text_area(
        t("approaches.spec.stop"),
        "\n".join(given.stop),
        key=f"{key}_stop",
        height=68,
        help=t("ui.approaches.stop.help"),
    )
    thinking = st.toggle(
        t("approaches.spec.thinking"), given.thinking, key=f"{key}_thinking", help=t("approaches.spec.thinking.help")
    )
    stops = given.stop if stop == "\n".join(given.stop) else tuple(line for line in stop.splitlines() if line)
    decoding = {"max_tokens": longest, "temperature": temperature, "seed": seed, "stop": stops, "thinking": thinking}
    # all of the probability is no limit, which is told by leaving it out
    return {"decoding": {**decoding, "top_p": top_p if top_p < 1 else None}, "context_budget_tokens": budget}


def _draw_differing(project: tb.Project, spec: ApproachSpec) -> None:
    """Say which approaches choose their tokens otherwise: one test run asks all in the same way."""
    others: Sequence[tb.Approach] = approaches(project.id)
    if others and all(spec_of_row(other).decoding != spec.decoding for other in others):
        longest = format_number(spec_of_row(others[0]).decoding.max_tokens)
        st.warning(t("ui.approaches.decoding.differs", longest=longest), icon=":material/balance:")
