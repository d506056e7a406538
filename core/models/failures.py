"""What can go wrong when a server is called, in Kurabe's own codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.errors import KurabeError
from core.models.endpoint import Endpoint

if TYPE_CHECKING:
    from openai import APIStatusError

__all__ = ["RETRYABLE", "translated"]

RETRYABLE = frozenset({"models.unreachable", "models.timeout", "models.rate_limited", "models.server_error"})
"""Codes of failures that may go away when the same call is made again later."""


@contextmanager
def translated(endpoint: Endpoint, model: str) -> Iterator[None]:
    """Turn the client library's errors into `KurabeError`.

    Raises:
        KurabeError: ``models.timeout``, ``models.unreachable``, ``models.refused_key``, ``models.unknown_model``,
            ``models.rate_limited``, ``models.refused``, ``models.server_error``, ``models.bad_answer``; or the local
            host's own error, word for word.
    """
    # The library is loaded by now, or the call that may fail loads it.
    import httpx2
    import openai

    place = {"url": endpoint.url, "label": endpoint.label or endpoint.url}
    try:
        yield
    except openai.APITimeoutError as error:
        raise KurabeError("models.timeout", **place, model=model) from error
    except openai.APIStatusError as error:
        raise _by_status(error, place, model) from error
    except (openai.APIConnectionError, httpx2.HTTPError) as error:
        raise KurabeError("models.unreachable", **place, detail=_detail(error)) from error
    except openai.APIError as error:
        # An error object in the middle of a stream.
        raise _own_error(error.body) or KurabeError(
            "models.server_error", **place, status=200, detail=str(error)[:300]
        ) from error
    except (openai.OpenAIError, ValueError) as error:
        raise KurabeError("models.bad_answer", **place, detail=str(error)[:300]) from error


def _by_status(error: APIStatusError, place: dict[str, str], model: str) -> KurabeError:
    if (own := _own_error(error.body)) is not None:
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
            wait = error.response.headers.get("retry-after", "")
            return KurabeError("models.rate_limited", **place, retry_after=wait or "-")
        case status if status >= 500:
            return KurabeError("models.server_error", **place, status=status, detail=detail)
        case status:
            return KurabeError("models.refused", **place, status=status, detail=detail)


def _own_error(body: Any) -> KurabeError | None:
    """Return the error that Kurabe's own host sent, from an error object in OpenAI's form."""
    record = body.get("kurabe") if isinstance(body, dict) else None
    if not isinstance(record, dict) or "code" not in record:
        return None
    return KurabeError.from_record({"code": str(record["code"]), "params": dict(record.get("params", {}))})


def _detail(error: BaseException) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {cause}"[:300]
