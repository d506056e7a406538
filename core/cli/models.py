"""``python -m core host`` and ``python -m core models``."""

from __future__ import annotations

import os
import runpy
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from core.cli._output import Json, command, progress_line, show, table
from core.i18n import format_number, t
from core.jobs import submit
from core.models import catalogue, ensure_host, host_status, stop_host

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""

    @command(app)
    def host(
        action: Annotated[str, typer.Argument(help="serve, start, status or stop.")] = "serve",
        port: Annotated[int | None, typer.Option(help="Port; default: a free one.")] = None,
        home: Annotated[Path | None, typer.Option(help="KURABE_HOME of this host.")] = None,
        as_json: Json = False,
    ) -> None:
        """Serve base model and adapters, OpenAI-compatible, on this machine only."""
        if home is not None:
            os.environ["KURABE_HOME"] = str(home)
        if port is not None:
            os.environ["KURABE_HOST_PORT"] = str(port)
        actions = {"serve": _serve, "start": _start, "stop": stop_host, "status": _status}
        if action not in actions:
            raise typer.BadParameter(f"{action}: {', '.join(actions)}")
        actions[action]()

    @command(app)
    def models(as_json: Json = False) -> None:
        """List the base models that Kurabe knows, and which are ready here."""
        found = catalogue()
        if as_json:
            show([asdict(info) for info in found])
            return
        ready = {True: t("doctor.yes"), False: t("doctor.no")}
        rows = [
            (info.ref, format_number(info.parameters or 0), ", ".join(info.languages), ready[info.folder is not None])
            for info in found
        ]
        table((t("cli.id"), t("cli.parameters"), t("cli.language"), t("doctor.state")), rows)

    @command(app)
    def download(ref: Annotated[str, typer.Argument(help="Hub id of a base model.")]) -> None:
        """Download a base model, as a job that can be resumed."""
        from core.cli.jobs import follow

        follow(submit("download", {"ref": ref}))


def _serve() -> None:
    runpy.run_module("core.host", run_name="__main__")


def _start() -> None:
    progress_line(ensure_host().url)


def _status() -> None:
    show({key: value for key, value in (host_status() or {}).items() if key != "token"})
