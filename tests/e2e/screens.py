"""Pictures of every page: ``python -m tests.e2e.screens --home HOME --out DIR``, to be looked at by people."""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser

from core.settings import settings
from tests.e2e.running import ADDRESSES, browse, serve, settle

VIEWS = {
    "home": ("",),
    "questions": ("", "import", "drafts", "check", "versions"),
    "documents": ("", "add", "search", "judge", "sweep"),
    "training": ("new", "runs", "compare", "adapters"),
    "compare": ("",),
    "test_run": ("", "cases", "changes", "judge", "robustness", "new"),
    "blind_rating": ("",),
    "decision": ("",),
    "settings": ("", "models", "prices", "machine"),
}


def main() -> None:
    """Take the pictures."""
    options = _options()
    home = Path(options.home) if options.home else settings().home
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    shots = list(itertools.product(options.languages, options.schemes, options.widths))
    with tempfile.TemporaryDirectory() as logs, serve(home, Path(logs) / "server.log") as server, browse() as browser:
        for language, scheme, width in shots:
            _take(browser, server.url, out, options.pages, (language, scheme, int(width)), options.query)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", help="home with the projects to show; the settings' by default")
    parser.add_argument("--out", default="screens")
    parser.add_argument("--pages", nargs="+", default=list(VIEWS), choices=list(VIEWS))
    parser.add_argument("--languages", nargs="+", default=["en", "ja"])
    parser.add_argument("--schemes", nargs="+", default=["light", "dark"])
    parser.add_argument("--widths", nargs="+", default=["1440", "800"])
    parser.add_argument("--query", default="", help="further query parameters, for example compare=ID")
    return parser.parse_args()


def _take(browser: Browser, url: str, out: Path, pages: Sequence[str], look: tuple[str, str, int], query: str) -> None:
    language, scheme, width = look
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
        locale="ja-JP" if language == "ja" else "en-US",
    )
    page = context.new_page()
    for name, view, address in _addresses(url, pages, language, query):
        page.goto(address)
        settle(page)
        # The page scrolls inside an element of its own; a tall window shows all of it.
        height = page.evaluate("Math.max(document.querySelector('[data-testid=stMain]').scrollHeight, 900)")
        page.set_viewport_size({"width": width, "height": min(int(height) + 20, 6000)})
        page.wait_for_timeout(700)
        page.screenshot(path=out / f"{name}{'-' + view if view else ''}-{language}-{scheme}-{width}.png")
        page.set_viewport_size({"width": width, "height": 900})
    context.close()


def _addresses(url: str, pages: Sequence[str], language: str, query: str) -> Iterator[tuple[str, str, str]]:
    for name in pages:
        for view in VIEWS[name]:
            parts = [f"lang={language}", *([f"view={view}"] if view else []), *([query] if query else [])]
            yield name, view, f"{url}/{ADDRESSES[name]}?{'&'.join(parts)}"


if __name__ == "__main__":
    main()
