"""One case in full: what was not answered or not measured is not called wrong."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.i18n import t, use_language


def opened(status: str, value: float | None) -> str:
    """What is written over an answer by another primary metric than `correct`."""
    use_language("en")

    def script(status: str, cell: object) -> None:  # its source is run apart, where names of this file are unknown
        from contextlib import ExitStack
        from types import SimpleNamespace
        from unittest.mock import patch

        from core.store import tables as tb
        from core.ui import opened_case

        row = tb.Answer(id="a", status=status, text="x", taken_from=None)
        approach = SimpleNamespace(preset="base", name="base", names={})
        with ExitStack() as without:  # what stands above and below it
            for part in ("_body", "_draw_scores", "_draw_versions", "draw_approach"):
                without.enter_context(patch.object(opened_case, part))
            opened_case._draw_answer(approach, row, cell, 1.0, None, None)  # type: ignore[arg-type]  # what it needs of them

    cell = {"answer_id": "a", "text": "x", "reason": None, "value": value}
    app = AppTest.from_function(script, default_timeout=120, kwargs={"status": status, "cell": cell}).run()
    assert not app.exception
    return "\n".join(str(each.value) for each in (*app.markdown, *app.caption))


@pytest.mark.parametrize("status", ["pending", "streaming"])
def test_an_answer_that_is_not_there_yet_is_not_wrong(home: object, status: str) -> None:
    shown = opened(status, None)
    assert t("ui.compare.waiting", "en") in shown and t("ui.look.stored.wrong", "en") not in shown


def test_an_answer_to_which_the_metric_does_not_apply_is_not_wrong(home: object) -> None:
    shown = opened("finished", None)
    assert t("ui.cases.unmeasured", "en") in shown and ":red-badge" not in shown


def test_a_stopped_answer_is_neither_right_nor_wrong(home: object) -> None:
    assert "-badge" not in opened("stopped", None)


def test_right_and_wrong_are_still_told(home: object) -> None:
    assert t("ui.look.stored.right", "en") in opened("finished", 1.0)
    assert t("ui.look.stored.wrong", "en") in opened("finished", 0.0)
