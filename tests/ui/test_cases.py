"""One case in full: what was not answered or not measured is not called wrong."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.i18n import t, use_language


def opened(**cell: Any) -> str:
    """What the badge of an answer says."""
    use_language("en")

    def script(cell: object) -> None:  # its source is run apart, where names of this file are unknown
        from core.ui.cases import _draw_answer

        _draw_answer(cell)  # type: ignore[arg-type]  # a cell

    app = AppTest.from_function(
        script, default_timeout=120, kwargs={"cell": {"answer_id": "a", "text": "x", "reason": None, **cell}}
    ).run()
    assert not app.exception
    return "\n".join(str(each.value) for each in app.markdown)


@pytest.mark.parametrize("status", ["pending", "streaming", "stopped"])
def test_an_answer_that_is_not_there_yet_is_not_wrong(home: object, status: str) -> None:
    shown = opened(status=status, value=None, error=None)
    assert t(f"approaches.status.{status}", "en") in shown and t("ui.cases.wrong", "en") not in shown


def test_an_answer_to_which_the_metric_does_not_apply_is_not_wrong(home: object) -> None:
    shown = opened(status="finished", value=None, error=None)
    assert t("ui.cases.unmeasured", "en") in shown and ":red-badge" not in shown


def test_right_and_wrong_are_still_told(home: object) -> None:
    assert t("ui.cases.right", "en") in opened(status="finished", value=1.0, error=None)
    assert t("ui.cases.wrong", "en") in opened(status="finished", value=0.0, error=None)
