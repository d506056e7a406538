"""Computing time of rows that are computed at once adds up to the time that passed."""

from __future__ import annotations

from core.host.meter import Meter


def test_a_moment_is_divided_among_all_that_is_under_way() -> None:
    at = 0.0
    meter = Meter(lambda: at)
    with meter.measured() as first:
        at = 4.0
        with meter.measured() as second:
            at = 10.0
        at = 11.0
    assert (first.seconds, second.seconds) == (4 + 3 + 1, 3)
    at = 50.0
    with meter.measured() as later:
        at = 52.0
    assert later.seconds == 2, "time in which nothing was computed belongs to nobody"
