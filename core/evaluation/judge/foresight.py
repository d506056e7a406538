"""What a judge will take before there is anything to judge: reference answers stand in for those that will come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb
from typing import cast

from core.approaches import ProjectSources
from core.measures import Case, Language, ShownPassage
from core.measures.metrics.rubric import USUAL
from core.prompting import Message, pair_prompt
from core.store import tables as tb

from ..asking import cost_of, prompt_tokens, token_counter
from ..config import JudgeChoice, JudgeForecast
from .calls import judged_metrics
from .config import JudgeConfig

SAMPLE = 8
"""Questions whose calls are written."""


def foresee_judging(
    choice: JudgeChoice, sources: ProjectSources, questions: Sequence[tb.Example], approaches: int, searching: int
) -> JudgeForecast:
    """Write the calls of a few questions with the reference in place of every answer, and scale them up.

    Pairs with the same words will not be asked about, and an answer may claim more or less than its reference: the
    judging itself counts again when the answers are there.

    Args:
        choice: the judge.
        sources: the project's.
        questions: those that will be asked.
        approaches: how many take part.
        searching: how many of them show passages to the model.

    Raises:
        KurabeError: `registry.unknown`, `judge.metric`.
    """
    sample = questions[:: max(1, len(questions) // SAMPLE)][:SAMPLE]
    # which experiment it will be is not known yet, and nothing of it is read
    config = JudgeConfig(experiment_id="", **choice.model_dump())
    chats = [chat for example in sample for chat in _calls(config, sources, example, approaches, searching)]
    factor = len(questions) / max(1, len(sample))
    calls = round(len(chats) * factor)
    shown, written = prompt_tokens(chats, token_counter(choice.model)) * factor, calls * config.max_tokens
    cost = cost_of(choice.model, round(shown), written, sources.project.currency) if calls else None
    return JudgeForecast(calls=calls, tokens=shown + written, cost=cost)


def _calls(
    config: JudgeConfig, sources: ProjectSources, example: tb.Example, approaches: int, searching: int
) -> Iterator[Sequence[Message]]:
    language, answer = cast(Language, sources.project.language), example.answer
    rubric = config.rubric.strip() or USUAL["ja" if language == "ja" else "en"]
    pairs = {"none": 0, "baseline": approaches - 1, "all": comb(approaches, 2)}[config.pairs]
    for _ in range(2 * pairs):  # each in both orders
        yield pair_prompt(language, rubric, example.question, answer, answer, answer)
    quotes = [ShownPassage(chunk_id="", text=str(g.get("quote") or ""), document="") for g in example.gold or ()]
    for number in range(approaches):
        passages = tuple(quotes) if number < searching else ()
        case = Case(example.question, answer, language=language, reference=answer, passages=passages)
        for metric in judged_metrics(config):
            yield from metric.asks(case)
