"""Telling a model's thinking from its answer, however the server sends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["ThoughtSplitter", "reasoning_of"]

_OPEN, _CLOSE = "<think>", "</think>"


def reasoning_of(message: Any) -> str:
    """Return the thinking that a server sends beside the text: ``reasoning_content`` or ``reasoning``."""
    for name in ("reasoning_content", "reasoning"):
        value = getattr(message, name, None)
        if isinstance(value, str) and value:
            return value
    return ""


@dataclass(slots=True)
class ThoughtSplitter:
    """Splits streamed text at ``<think>…</think>``, which stands, if at all, at the very beginning."""

    _state: str = field(default="start", init=False)
    _held: str = field(default="", init=False)

    def feed(self, text: str) -> tuple[str, str]:
        """Return (answer, thinking) that is certain by now; an unfinished tag is held back."""
        self._held += text
        if self._state == "start" and not self._begin():
            return "", ""
        if self._state == "thinking":
            return self._think()
        if self._state == "gap":
            self._held = self._held.lstrip()
            self._state = "answer" if self._held else "gap"
        answer, self._held = self._held, ""
        return answer, ""

    def _begin(self) -> bool:
        head = self._held.lstrip()
        if head.startswith(_OPEN):
            self._state, self._held = "thinking", head[len(_OPEN) :]
        elif not _OPEN.startswith(head):
            self._state = "answer"
        return self._state != "start"

    def _think(self) -> tuple[str, str]:
        thought, closed, rest = self._held.partition(_CLOSE)
        if closed:
            # White space between thought and answer belongs to neither.
            self._held = rest.lstrip()
            self._state = "answer" if self._held else "gap"
            answer, self._held = self._held, ""
            return answer, thought
        keep = next((n for n in range(len(_CLOSE) - 1, 0, -1) if thought.endswith(_CLOSE[:n])), 0)
        self._held = thought[len(thought) - keep :]
        return "", thought[: len(thought) - keep]

    def finish(self) -> tuple[str, str]:
        """Return what was held back when the text ended."""
        rest, self._held = self._held, ""
        return ("", rest) if self._state == "thinking" else (rest, "")
