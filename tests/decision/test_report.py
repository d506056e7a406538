"""The report is one file that needs no network, draws its figures, and shows names and text as text."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.decision import DecisionInputs, Gate, decide
from core.decision.report import render_report
from core.i18n import LANGUAGES
from core.store import tables as tb
from tests.decision.measured import approach, costs, results

HOSTILE = "</script><script>window.stolen = 1</script><img src=x onerror='window.stolen = 2'><!--<script>"
HOSTILE_PROJECT = "R&D \"help\" <b onmouseover='window.stolen = 3'>desk</b>"
COSTS = costs(base="0.001", rag="0.002", fine_tuned="0.001", oracle_context="0.001")


def report(code: str, name: str = "rag", project: str = "Shop") -> str:
    found = results(
        approach("base", 30),
        approach("rag", 80, name=name, slices={}),
        approach("fine_tuned", 60),
        approach("oracle_context", 95),
        provenance={"kurabe": "0.1.0", "data": {"file": name}},
    )
    verdict = decide(found, COSTS, DecisionInputs(gates=(Gate("correct", 0.5),)))
    owner = tb.Project(name=project, language=code, base_ref="starter", description="", settings={})
    return render_report(found, verdict, owner, code)


class Loads(HTMLParser):
    """Everything in a page that would be fetched, and the tags that it has."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        wanted = ("src", "href", "srcset", "data", "poster", "action", "background")
        self.fetched += [f"{tag} {name}={value}" for name, value in attrs if name in wanted]

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["style"]:
            assert "url(" not in data and "@import" not in data
        elif self.tags[-1:] != ["script"]:
            self.text += data


@pytest.mark.parametrize("code", LANGUAGES)
def test_nothing_in_the_report_is_loaded_from_anywhere(code: str) -> None:
    found = Loads(report(code))
    assert found.fetched == []
    assert not {"link", "iframe", "object", "embed", "img", "base"} & set(found.tags)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_sentence_of_the_report_is_there(code: str) -> None:
    text = Loads(report(code)).text
    assert "⟦" not in text and "{" not in text
    assert ("上回る" if code == "ja" else "better") in text
    assert ("参考" if code == "ja" else "reference only") in text


def test_hostile_names_are_text() -> None:
    page = report("en", HOSTILE, HOSTILE_PROJECT)
    found = Loads(page)
    assert found.tags.count("script") == Loads(report("en")).tags.count("script")
    assert not {"img", "b onmouseover"} & set(found.tags)
    assert HOSTILE_PROJECT in found.text and HOSTILE in found.text


_ALL_DRAWN = """() => {
  const figures = [...document.querySelectorAll('.figure')];
  return figures.length === 9 && figures.every(figure => figure.querySelector('.main-svg text'));
}"""


@pytest.mark.e2e
@pytest.mark.parametrize(("code", "name"), [("en", HOSTILE), ("ja", "文書検索 & 比較 <改>")])
def test_a_browser_without_a_network_draws_every_figure(code: str, name: str, tmp_path: Path) -> None:
    from tests.e2e.running import browse

    file = tmp_path / "report.html"
    file.write_text(report(code, name, HOSTILE_PROJECT), encoding="utf-8")
    requests: list[str] = []
    errors: list[str] = []
    with browse() as browser:
        page = browser.new_context(offline=True).new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(file.as_uri(), wait_until="commit", timeout=120_000)
        page.wait_for_function(_ALL_DRAWN, timeout=120_000)
        shown = page.locator(".figure").first.evaluate("figure => figure.textContent")
        assert name[:20] in shown, "its name stands in the figure as text"
        assert page.evaluate("window.stolen") is None
    assert errors == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
