"""The training form's choice of devices, where there is more than one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.i18n import format_number, t
from core.training import RunView, device_count, launch_spec

__all__ = ["choose_devices", "launched_by"]


def choose_devices(batch: int, accumulation: int) -> dict[str, Any]:
    """Draw on how many devices to train at once, where there are several; return the launcher's stored form.

    Args:
        batch: rows that one device computes at once.
        accumulation: batches that are added up before a step.
    """
    most = device_count()
    if most == 1:
        return launch_spec()
    with st.container(border=True):
        chosen = st.segmented_control(
            t("ui.training.devices"),
            list(range(1, most + 1)),
            default=1,
            required=True,
            key="training_devices",
            format_func=lambda n: t("ui.training.devices.one") if n == 1 else format_number(n),
            help=t("ui.training.devices.help"),
        )
        number = int(chosen or 1)
        launch = launch_spec(number)
        rows = format_number(number * batch * accumulation)
        name = t(f"jobs.launcher.{launch['name']}")
        st.caption(t("ui.training.devices.step", launcher=name, rows=rows))
    return launch


def launched_by(run: RunView) -> str:
    """Return what started a run's processes and how many there are; empty for one process, which is usual."""
    if run.processes == 1:
        return ""
    return t("ui.training.launched", launcher=t(f"jobs.launcher.{run.launcher}"), n=format_number(run.processes))
