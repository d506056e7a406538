"""What can go wrong when a server is called, in Kurabe's own codes."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from core.errors import KurabeError
from core.models.endpoint import Endpoint

if TYPE_CHECKING:
    from openai import APIStatusError

__all__ = ["RETRYABLE", "own_error", "translated"]

logger = logging.getLogger(__name__)

RETRYABLE = frozenset({"models.unreachable", "models.timeout", "models.rate_limited", "models.server_error"})
"""Codes of failures that may go away when the same call is made again later."""


@contextmanager
def translated(endpoint: Endpoint, model: str) -> Iterator[None]:
    """Turn the client library's errors into `KurabeError`.

    Raises:
        KurabeError: ``models.timeout``, ``models.unreachable``, ``models.refused_key``, ``models.unknown_model``,
            ``models.rate_limited``, ``models.refused``, ``models.server_error``, ``models.bad_answer``,
            ``models.endless``; or the local host's own error, word for word.
    """
    # The library is loaded by now, or the call that may fail loads it.
    import httpx2
    import openai

    from core.models.bounds import Endless

    place = {"url": endpoint.url, "label": endpoint.label or endpoint.url}
    try:
        yield
    except openai.APITimeoutError as error:
        raise KurabeError("models.timeout", **place, model=model) from error
    except openai.APIStatusError as error:
        raise _by_status(error, place, model) from error
    except (openai.APIConnectionError, httpx2.HTTPError) as error:
        if isinstance(endless := error.__cause__ or error, Endless):
            raise KurabeError("models.endless", **place, limit=str(endless)) from error
        raise KurabeError("models.unreachable", **place, detail=_detail(error)) from error
    except openai.APIError as error:
        # An error object in the middle of a stream.
        raise own_error(error.body) or KurabeError(
            "models.server_error", **place, status=200, detail=str(error)[:300]
        ) from error
    except (openai.OpenAIError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        # The library hands on what a server sends unchecked: an answer in no known form shows as any of these.
        logger.info("no answer from %s", endpoint.url, exc_info=error)
        raise KurabeError("models.bad_answer", **place, detail=str(error)[:300]) from error


def _by_status(error: APIStatusError, place: dict[str, str], model: str) -> KurabeError:
    if (own := own_error(error.body)) is not None:
        return own
    detail = str(error.message)[:300]
    match error.status_code:
        case 401 | 403:
            return KurabeError("models.refused_key", **place)
        case 404:
            return KurabeError("models.unknown_model", **place, model=model)
        case 408:
            return KurabeError("models.timeout", **place, model=model)
        case 429:
            return KurabeError("models.rate_limited", **place, retry_after=_retry_after(error) or "-")
        case status if status >= 500:
            wait = _retry_after(error)
            return KurabeError("models.server_error", **place, status=status, detail=detail, retry_after=wait)
        case status:
            return KurabeError("models.refused", **place, status=status, detail=detail)


def _retry_after(error: APIStatusError) -> str:
    """Return the seconds after which a server wants to be asked again (RFC 9110, 10.2.3), or nothing."""
    value = error.response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return value[:9]
    try:
        return str(max(0, round(parsedate_to_datetime(value).timestamp() - time.time())))
    except ValueError:
        return ""


def own_error(body: Any) -> KurabeError | None:
    """Return the error that Kurabe's own host sent, from an error object in OpenAI's form."""
    record = body.get("kurabe") if isinstance(body, dict) else None
    if not isinstance(record, dict) or "code" not in record:
        return None
    return KurabeError.from_record({"code": str(record["code"]), "params": dict(record.get("params", {}))})


def _detail(error: BaseException) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {cause}"[:300]
