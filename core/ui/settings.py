"""The settings page's parts: the project, the host, models, prices, this machine, and what is configured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from core import __version__
from core.i18n import format_bytes, format_number, t
from core.models import catalogue, host_status, resolve_base, stop_host
from core.prices import PriceEntry, edit_prices, price_book
from core.projects import delete_project, update_project
from core.settings import Settings, settings
from core.store import tables as tb
from core.ui.parts import plain, section

__all__ = [
    "draw_configuration",
    "draw_findings",
    "draw_host",
    "draw_look",
    "draw_models",
    "draw_prices",
    "draw_project",
]

_SECRET = ("database_url", "model_key", "reranker_key")


def draw_project(project: tb.Project) -> None:
    """Draw the project's prompt and base model, and its deletion."""
    with st.form("project_settings", border=False):
        instructions = st.text_area(
            t("approaches.spec.instructions"), value=project.instructions, help=t("ui.home.new.instructions.help")
        )
        rules = st.text_area(
            t("approaches.spec.house_rules"), value=project.house_rules, help=t("ui.home.new.rules.help")
        )
        refs = list(dict.fromkeys([project.base_ref, *(base.ref for base in catalogue() if base.folder)]))
        base = st.selectbox(
            t("ui.settings.base"),
            refs,
            index=refs.index(project.base_ref),
            accept_new_options=True,
            help=t("ui.settings.base.help"),
        )
        if st.form_submit_button(t("ui.settings.save"), icon=":material/save:", type="primary"):
            resolve_base(str(base))  # refuses a name that is no model before it is stored
            update_project(project.id, instructions=instructions, house_rules=rules, base_ref=str(base))
            st.toast(t("ui.settings.saved"), icon=":material/check:")
    with st.popover(t("ui.settings.delete"), icon=":material/delete:", type="tertiary"):
        st.markdown(t("ui.settings.delete.text", name=plain(project.name)))
        if st.button(t("ui.settings.delete.sure"), key=f"delete_project_{project.id}", type="primary"):
            delete_project(project.id)
            st.session_state.pop("project", None)
            st.query_params.clear()
            st.rerun()


def draw_look() -> None:
    """Say where language and colours are chosen."""
    section(t("ui.settings.look"))
    st.markdown(t("ui.settings.look.text"))


def draw_host() -> None:
    """Draw the state of the model host, and the button that stops it."""
    section(t("ui.settings.host"), t("ui.settings.host.text"))
    if (url := settings().model_url) is not None:
        st.markdown(t("ui.settings.host.outside", url=plain(url)))
        return
    status = host_status()
    if status is None:
        st.badge(t("doctor.host.idle"), icon=":material/bedtime:", color="gray")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(t(f"ui.settings.host.{status.get('state', 'running')}"), icon=":material/memory:", color="green")
        if st.button(t("ui.settings.host.stop"), icon=":material/stop:"):
            stop_host()
            st.rerun()
    _draw_host_facts(status)


def _draw_host_facts(status: Mapping[str, Any]) -> None:
    """Draw where the host listens, what it has loaded, on what, and how much waits for it."""
    facts = [t("ui.settings.host.place", url=plain(str(status["url"])), pid=str(status["pid"]))]
    if status.get("device"):
        facts.append(t("ui.settings.host.device", device=str(status["device"]), precision=str(status.get("precision"))))
    if "loaded" in status:
        loaded = ", ".join(plain(str(name)) for name in status["loaded"])
        facts.append(t("ui.settings.host.loaded", models=loaded or t("ui.settings.host.nothing")))
        work = {name: format_number(int(status.get(name, 0))) for name in ("active", "waiting")}
        facts.append(t("ui.settings.host.work", **work))
    st.caption(" · ".join(facts))


def draw_models() -> None:
    """Draw the base models that Kurabe knows, and which are on this machine."""
    section(t("ui.settings.models"), t("ui.settings.models.text"))
    st.dataframe([_model_row(base) for base in catalogue()], hide_index=True, alt=t("ui.settings.models"))


def _model_row(base: Any) -> dict[str, Any]:
    return {
        t("ui.settings.model.name"): base.name,
        t("ui.settings.model.here"): "✓" if base.folder else "–",
        t("ui.settings.model.size"): _parameters(base.parameters),
        t("ui.settings.model.context"): format_number(base.context_length) if base.context_length else "–",
        t("ui.settings.model.languages"): ", ".join(base.languages),
        t("ui.settings.model.licence"): base.licence,
        t("ui.settings.model.gated"): "–" if base.gated is None else t(f"ui.yes_no.{'yes' if base.gated else 'no'}"),
        t("ui.settings.model.ref"): base.ref,
    }


def _parameters(count: int | None) -> str:
    if not count:
        return "–"
    return f"{format_number(count / 1e9, digits=1)}B" if count >= 1e9 else f"{format_number(count / 1e6)}M"


def draw_prices() -> None:
    """Draw the price book, and let a price be corrected; every version is kept."""
    book = price_book()
    section(t("ui.prices.title"), t("ui.prices.text", as_of=book.as_of, version=book.version.rpartition(":")[2][:8]))
    rows = [
        {
            t("ui.prices.key"): entry.key,
            t("ui.prices.amounts"): " · ".join(f"{name} {amount}" for name, amount in entry.amounts.items()),
            t("ui.prices.unit"): t(f"prices.unit.{entry.unit}"),
            t("ui.prices.as_of"): entry.as_of,
            t("ui.prices.source"): entry.source,
            t("ui.prices.edited"): "✓" if entry.edited else "",
        }
        for entry in book.entries.values()
    ]
    st.dataframe(rows, hide_index=True, height=320, alt=t("ui.prices.title"))
    with st.expander(t("ui.prices.edit"), icon=":material/edit:"):
        key = st.selectbox(t("ui.prices.key"), list(book.entries))
        _draw_price_form(book.entries[key])


def _draw_price_form(entry: PriceEntry) -> None:
    with st.form(f"price_{entry.key}", border=False):
        with st.grid(3, min_column_width=180):
            amounts = {
                name: st.text_input(t(f"ui.prices.amount.{name}"), value=str(amount))
                for name, amount in entry.amounts.items()
            }
            as_of = st.text_input(t("ui.prices.as_of"), value=entry.as_of)
            source = st.text_input(t("ui.prices.source"), value=entry.source)
        with st.container(horizontal=True):
            saved = st.form_submit_button(t("ui.prices.save"), icon=":material/save:", type="primary")
            reset = entry.edited and st.form_submit_button(t("ui.prices.reset"), icon=":material/undo:")
    if saved:
        values = {**entry.as_dict(), "amounts": amounts, "as_of": as_of, "source": source}
        edit_prices({entry.key: PriceEntry.from_dict(values)})
        st.rerun()
    if reset:
        edit_prices({entry.key: None})
        st.rerun()


def draw_findings(findings: Iterable[Any]) -> None:
    """Draw what this machine can do, and what to do about each no."""
    section(t("ui.settings.machine"), t("ui.settings.machine.text"))
    for found in findings:
        colour, icon = (
            ("green", "check_circle") if found.ok else ("red", "error") if found.needed else ("orange", "info")
        )
        facts = {name: plain(str(value)) for name, value in found.facts.items()}
        hint = "" if found.ok else f" — {t(f'doctor.{found.check}.hint', **facts)}"
        st.markdown(f":{colour}[:material/{icon}:] {t(f'doctor.{found.check}', **facts)}{hint}")


def draw_configuration() -> None:
    """Draw the settings in force; a secret only as set or not set."""
    section(t("ui.settings.configured"), t("ui.settings.configured.text"))
    now = settings()
    rows = [_setting_row(now, name) for name in Settings.model_fields]
    st.dataframe(rows, hide_index=True, alt=t("ui.settings.configured"))
    used = sum(file.stat().st_size for file in now.home.rglob("*") if file.is_file())
    st.caption(t("ui.settings.version", version=__version__, used=format_bytes(used)))


def _setting_row(now: Settings, name: str) -> dict[str, str]:
    value = getattr(now, name)
    if name in _SECRET:
        shown = t("ui.settings.set") if value is not None else t("ui.settings.unset")
    else:
        shown = t("ui.settings.unset") if value is None else str(value)
    standard = value == Settings.model_fields[name].default
    return {
        t("ui.settings.variable"): f"KURABE_{name.upper()}",
        t("ui.settings.value"): shown,
        t("ui.settings.changed"): "" if standard else "✓",
    }
