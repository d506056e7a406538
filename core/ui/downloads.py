"""Files that are sent while they are written: a million answers pass through the app without staying in it.

A page links to an address that is good for an hour and for that file alone: the page was shown to somebody who may see
it, and nobody can guess or change the address.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.evaluation import EXPORTS

__all__ = ["answers_address", "downloads"]

_SECRET = secrets.token_bytes(32)
"""This process's: after a restart a page makes new addresses when it is opened again."""

_SECONDS = 3600
_TYPES = {"csv": "text/csv", "json": "application/json", "parquet": "application/vnd.apache.parquet"}


def answers_address(experiment_id: str, kind: str) -> str:
    """Return the address, relative to the app's, of an experiment's answers in a format of `EXPORTS`."""
    until = int(time.time() // _SECONDS + 2) * _SECONDS  # the same within an hour, so that a page drawn again is equal
    return f"download/{experiment_id}/{until}/{_signature(experiment_id, until, kind)}/answers.{kind}"


def _signature(experiment_id: str, until: int, kind: str) -> str:
    return hmac.new(_SECRET, f"{experiment_id}/{until}/{kind}".encode(), hashlib.sha256).hexdigest()


def _answers(request: Request) -> Response:
    experiment_id, kind = request.path_params["experiment"], request.path_params["kind"]
    until = int(request.path_params["until"])
    given = request.path_params["signature"].encode(errors="replace")  # text would have to be ASCII
    signed = hmac.compare_digest(_signature(experiment_id, until, kind).encode(), given)
    if not signed or time.time() > until or kind not in EXPORTS:
        return PlainTextResponse("This link has expired: open the page again.", status_code=403)
    name = f"kurabe-answers-{experiment_id[:8]}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(EXPORTS[kind](experiment_id), media_type=_TYPES[kind], headers=headers)


downloads = Route("/download/{experiment}/{until:int}/{signature}/answers.{kind}", _answers)
