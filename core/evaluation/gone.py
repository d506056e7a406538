"""When a server is gone: its failures are no answers, and whoever asks stops rather than record them."""

from __future__ import annotations

from collections.abc import Sequence

from core.approaches import may_pass
from core.errors import KurabeError
from core.store import tables as tb

from .running import GONE_AFTER, GONE_AT_END


class Watch:
    """Counts failures in a row, each of a kind that may pass."""

    def __init__(self) -> None:
        self._failing, self._reason = 0, ""

    def take(self, rows: Sequence[tb.Answer | tb.ModelCall]) -> None:
        """Count a batch in the order in which it came.

        Raises:
            KurabeError: `evaluation.server_gone` after `GONE_AFTER` failures in a row.
        """
        for row in rows:
            failed = row.status == "failed" and may_pass(row)
            self._failing = self._failing + 1 if failed else 0
            self._reason = str((row.error or {}).get("code", "")) if failed else ""
        self._unless(GONE_AFTER)

    def end(self, total: int) -> None:
        """Look back when nothing follows: the last of `total` calls are then not failed, but unasked.

        Raises:
            KurabeError: `evaluation.server_gone` when the last `GONE_AT_END` failed, or all there are.
        """
        self._unless(max(1, min(GONE_AT_END, total)))

    def _unless(self, most: int) -> None:
        if self._failing >= most:
            raise KurabeError("evaluation.server_gone", failures=self._failing, reason=self._reason)
