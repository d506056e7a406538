"""Token counts that nobody knows are not drawn as none: a service would seem the most frugal of all."""

from __future__ import annotations

from typing import Any

from core.charts import MeasuredApproach, tokens_per_answer
from core.i18n import t


def written(figure: Any) -> list[str]:
    return [str(note.text) for note in figure.layout.annotations]


def test_an_approach_whose_tokens_nobody_counted_is_not_the_one_with_the_fewest() -> None:
    known = MeasuredApproach(
        "Retrieval", "rag", True, None, prompt_tokens=400, context_tokens=300, completion_tokens=20
    )
    silent = MeasuredApproach("Their service", "endpoint", True, None)
    figure = tokens_per_answer([known, silent], "en")
    assert "0" not in written(figure) and t("charts.tokens.unknown", "en") in written(figure)
    assert figure.layout.title.text == t("charts.tokens.title.same", "en", most="420")
    assert t("charts.tokens.title.none", "en") == tokens_per_answer([silent], "en").layout.title.text
