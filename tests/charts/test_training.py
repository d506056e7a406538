"""Figures of trainings: their titles say what was found, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from core.charts import alt_of, learning_curve, seed_spread
from core.i18n import LANGUAGES

POINTS = [(24, 1.25), (60, 0.9), (120, 0.7), (240, 0.5)]


def title(figure: Any) -> str:
    return str(figure.layout.title.text)


def test_a_learning_curve_says_that_more_examples_help_or_no_longer() -> None:
    helps = learning_curve(POINTS, "helps", 0.2857, "en")
    assert title(helps) == "More examples still help: from 120 to 240 the validation loss falls by 28.6%"
    enough = learning_curve(POINTS, "enough", 0.004, "en")
    assert title(enough).startswith("More examples no longer help") and "by only 0.4%" in title(enough)
    worse = learning_curve(POINTS, "enough", -0.1, "en")
    assert title(worse).startswith("More examples no longer help") and "rises by 10.0%" in title(worse)
    assert "まだ良くなります" in title(learning_curve(POINTS, "helps", 0.2857, "ja"))
    assert "もう" in title(learning_curve(POINTS, "enough", 0.004, "ja"))


def test_seeds_say_how_far_apart_they_lie() -> None:
    figure = seed_spread([(0, 0.5), (1, 0.6), (2, 0.55)], "en")
    assert title(figure) == "Between 3 seeds the validation loss differs by 18.2% (0.500 to 0.600)"
    assert "18.2%" in title(seed_spread([(0, 0.5), (1, 0.6), (2, 0.55)], "ja"))


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_figure_without_enough_points_claims_nothing(code: Any) -> None:
    for figure in (learning_curve([], "waiting", code=code), learning_curve(POINTS[:1], "waiting", code=code)):
        assert "⟦" not in title(figure) and "{" not in title(figure)
    assert "%" not in title(seed_spread([(0, 0.5)], code))


def test_who_does_not_see_the_figure_is_told_its_values() -> None:
    assert "240: 0.500" in alt_of(learning_curve(POINTS, "helps", 0.2857, "en"))
