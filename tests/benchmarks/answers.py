"""A million stored answers do not slow a page: ``python -m tests.benchmarks.answers [--home DIR]``.

Fills a store of its own, starts the app on it, and takes in a real browser how long the test run page needs to open
and to answer each filter and page turn, beside a project with a thousand answers on the same server in the same run.
A home that was filled before is used again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from playwright.sync_api import Page

from core.settings import ROOT, reset_settings, settings
from core.store import migrate, reset_engine
from tests.benchmarks.store import Filled, fill
from tests.e2e.running import Server, browse, serve

OPENS, TURNS, MEGABYTES = 1.5, 0.7, 300.0
"""Limits: seconds to open a page, seconds for a filter or page turn, growth of the app's memory."""

_KEEP = """
import resource, sys, time
from core.evaluation import results
begun = time.monotonic()
results(sys.argv[1])
print(time.monotonic() - begun, time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
_DRAWN = """([marks, selectors]) => {
  const app = document.querySelector("[data-testid='stApp'][data-test-script-state='notRunning']");
  const stale = document.querySelector("[data-stale='true'], [data-testid='stSkeleton']");
  const address = decodeURIComponent(location.search.replaceAll("+", " "));
  return app && !stale && marks.every(m => m[0] == "!" ? !address.includes(m.slice(1)) : address.includes(m))
    && selectors.every(s => document.querySelector(s)?.getClientRects().length);
}"""
TABLE, FIGURE = "[data-testid='stDataFrame'] canvas", ".js-plotly-plot .main-svg"


@dataclass
class Taken:
    """Seconds of one step in every round, in the large project and in the small one.

    Where other programs keep the machine busy, the seconds grow; the ratio and the app's own computing time do not.
    """

    limit: float
    large: list[float] = field(default_factory=list)
    small: list[float] = field(default_factory=list)
    computing: list[float] = field(default_factory=list)
    """Processor seconds of the app, in the large project."""

    @property
    def passed(self) -> bool:
        return statistics.median(self.large) <= self.limit


def main() -> None:
    """Fill, measure, print; exit status 1 if a limit was passed."""
    options = _options()
    with _home(options.home) as home:
        filled = _filled(home, options.answers)
        for experiment, count in ((filled.small_experiment, 1_000), (filled.experiment, filled.answers // 2)):
            seconds, computing, peak = _kept(experiment)
            _print(f"results of {count:,} answers: {seconds:.1f} s, {computing:.1f} s computing, {peak:.0f} MB at most")
        with serve(home, home / "server.log") as server:
            taken, memory = _measured(server, filled, options.rounds)
    sys.exit(0 if _report(taken, memory) else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="folder of the store; default: a temporary one")
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


@contextmanager
def _home(folder: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kurabe-answers-") as temporary:
        home = (folder or Path(temporary)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        os.environ["KURABE_HOME"] = str(home)
        reset_settings()
        reset_engine()
        migrate()
        yield home


def _filled(home: Path, answers: int) -> Filled:
    note = settings().path("run") / "benchmark.json"
    if note.exists():
        return Filled(**json.loads(note.read_text()))
    begun = time.monotonic()
    filled = fill(answers)
    note.write_text(json.dumps(asdict(filled)))
    size = sum(file.stat().st_size for file in home.glob("kurabe.sqlite*")) / 1e9
    _print(f"{answers:,} answers written in {time.monotonic() - begun:.0f} s, {size:.1f} GB")
    return filled


def _kept(experiment: str) -> tuple[float, float, float]:
    """Have an experiment's results, as its job does at the end; returns seconds, processor seconds and peak in MB.

    They are computed unless an earlier run kept them.
    """
    command = [sys.executable, "-c", _KEEP, experiment]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return float(out[0]), float(out[1]), float(out[2])


def _measured(server: Server, filled: Filled, rounds: int) -> tuple[dict[str, Taken], tuple[float, float]]:
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss / 1e6
    taken: dict[str, Taken] = {}
    with browse() as browser:
        page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US").new_page()
        places = {
            "small": f"{server.url}/test-run?project={filled.small_project}&experiment={filled.small_experiment}",
            "large": f"{server.url}/test-run?project={filled.project}&experiment={filled.experiment}",
        }
        _visit(page, places["small"], process)  # loads the browser's programs, which it keeps
        for _ in range(rounds):
            for name, address in places.items():
                for step, (limit, seconds, computing) in _visit(page, address, process).items():
                    one = taken.setdefault(step, Taken(limit))
                    getattr(one, name).append(seconds)
                    if name == "large":
                        one.computing.append(computing)
    return taken, (before, process.memory_info().rss / 1e6)


def _visit(page: Page, address: str, app: psutil.Process) -> dict[str, tuple[float, float, float]]:
    """Open both views, filter and turn pages; returns limit, seconds and the app's processor seconds by step."""
    steps: dict[str, tuple[float, float, float]] = {}

    def step(
        name: str, limit: float, act: Callable[[], object], *marks: str, shows: tuple[str, ...] = (TABLE,)
    ) -> None:
        begun, computing = time.monotonic(), sum(app.cpu_times()[:2])
        act()
        page.wait_for_function(_DRAWN, arg=[list(marks), list(shows)], timeout=120_000, polling=20)
        steps[name] = limit, time.monotonic() - begun, sum(app.cpu_times()[:2]) - computing

    def pressed(label: str) -> Callable[[], None]:
        return lambda: page.get_by_role("radio", name=label, exact=True).click()

    def searched(words: str) -> None:
        box = page.get_by_placeholder("Words in question or answer")
        box.fill(words)
        box.press("Enter")

    step("open the results", OPENS, lambda: page.goto(address, wait_until="commit"), shows=(TABLE, FIGURE))
    step("open the cases", OPENS, lambda: page.goto(f"{address}&view=cases", wait_until="commit"))
    step("next page", TURNS, page.get_by_test_id("stPaginationNext").click, "page=2")
    step("show: approaches differ", TURNS, pressed("approaches differ"), "show=different", "!page=")
    step("show: got worse", TURNS, pressed("got worse"), "show=regressions")
    step("show: failed", TURNS, pressed("failed"), "show=failures")
    step("show: people disagree", TURNS, pressed("people disagree"), "show=disagreements", shows=())
    step("show: all", TURNS, pressed("all"), "!show=")
    step("search", TURNS, lambda: searched("category of product 1"), "search=category")
    step("search again", TURNS, lambda: searched("product 2"), "product 2")
    return steps


def _report(taken: dict[str, Taken], memory: tuple[float, float]) -> bool:
    _print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    _print(f"{'step':<28}{'median s':>10}{'worst s':>10}{'limit s':>9}{'small s':>10}{'ratio':>8}{'app cpu s':>11}")
    for name, step in taken.items():
        median, small = statistics.median(step.large), statistics.median(step.small)
        figures = f"{median:>10.2f}{max(step.large):>10.2f}{step.limit:>9.1f}{small:>10.2f}{median / small:>8.2f}"
        computing = f"{statistics.median(step.computing):>11.2f}"
        _print(f"{name:<28}{figures}{computing}  {'pass' if step.passed else 'FAIL'}")
    before, after = memory
    grown = after - before <= MEGABYTES
    _print(f"memory of the app: {before:.0f} MB at its start, {after:.0f} MB at the end  {'pass' if grown else 'FAIL'}")
    return grown and all(step.passed for step in taken.values())


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
