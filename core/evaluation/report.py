"""The shape of an experiment's results: what pages, charts, decision and report read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from core.measures import Interval

from .confusion import Confusion
from .paired import PairedDifference


@dataclass(frozen=True, slots=True)
class Counts:
    """How many answers an approach was to give, and what became of them (quality phase)."""

    planned: int = 0
    finished: int = 0
    failed: int = 0
    stopped: int = 0
    open: int = 0
    """Not asked yet, or being asked."""
    empty: int = 0
    """Finished without any text."""
    cut: int = 0
    """Finished because the longest allowed answer was reached."""


@dataclass(frozen=True, slots=True)
class MetricResult:
    """One metric of one approach."""

    interval: Interval | None
    """Mean over questions with its interval; None when nothing was measured."""
    applicable: int
    """Questions to which the metric applies."""
    failed: int
    """Answers that the metric could not measure although it applies."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Mean tokens per answer with intervals over questions; None where nobody counted."""

    prompt: Interval | None = None
    context: Interval | None = None
    """The part of the prompt that is passages or examples."""
    cached: Interval | None = None
    completion: Interval | None = None
    reasoning: Interval | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What answering costs; money in `currency`."""

    per_answer: Interval | None = None
    per_1000: Interval | None = None
    """1,000 times the same."""
    per_correct: float | None = None
    """Total cost over the number of correct answers, of those with a price; None when none is correct."""
    total: float | None = None
    """Of all answers of the quality phase."""
    currency: str = ""
    basis: tuple[str, ...] = ()
    """`billed`, `list` or `device`; more than one when answers differ."""
    price_versions: tuple[str, ...] = ()
    unpriced: int = 0
    """Finished answers without a price."""
    parts: dict[str, float] = field(default_factory=dict)
    """What 1,000 answers cost by part, as `COST_PARTS` names them; they add up to `per_1000`."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Waiting time of answers that were asked alone, one at a time, in seconds; retrieval included.

    A percentile that the sample cannot support is None.
    """

    n: int = 0
    """Answers measured."""
    failed: int = 0
    """Answers of the latency phase that failed or timed out; their time is in no percentile."""
    first_token: dict[str, Interval | None] = field(default_factory=dict)
    """Keys `p50`, `p95`, `mean`."""
    total: dict[str, Interval | None] = field(default_factory=dict)
    """Keys `p50`, `p95`, `mean`."""
    spans: dict[str, float] = field(default_factory=dict)
    """Mean seconds of each span in order: embed, search, rerank, prepare, queue, first_token, decode."""
    seconds: tuple[float, ...] = ()
    """Every total, for a distribution chart."""
    first_token_seconds: tuple[float, ...] = ()
    """Every time to first token, for a distribution chart."""
    completion_tokens: float | None = None
    """Mean length of the timed answers: longer answers take longer."""
    cached: float | None = None
    """Share of the timed prompts' tokens that the server had kept from earlier ones; None where it does not tell."""
    cold: int = 0
    """Timed answers for which the server had to load weights first."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Why answers are wrong, in questions; every wrong answer counts once."""

    retrieval_missed: int = 0
    """The passage with the answer was not in the prompt."""
    had_not_used: int = 0
    """It was in the prompt, and the answer is wrong all the same."""
    format: int = 0
    """Broken JSON, wrong fields, no category, house rule not kept."""
    invented: int = 0
    """There is no answer in the data, and it gave one."""
    unknown: int = 0
    """It had nothing to read: the weights alone did not know."""
    declined: int = 0
    """It said that it did not know although its weights were all it had to go on."""
    failed: int = 0
    """No answer at all."""


CAUSES: tuple[str, ...] = tuple(one.name for one in fields(Attribution))
"""Why an answer can be wrong."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How well search served an approach, over questions whose place in the documents is known."""

    questions: int
    found: Interval | None
    """Share of questions with the passage in the prompt."""
    correct_if_found: Interval | None
    """Share of right answers among those."""
    correct_if_missed: Interval | None
    """Share of right answers among the others."""


@dataclass(frozen=True, slots=True)
class ApproachResult:
    """Everything measured of one approach."""

    approach_id: str
    name: str
    preset: str
    version: int
    ranked: bool
    """False: a ceiling for comparison, never a winner."""
    model: str
    """Name of the weights that answered."""
    hash: str
    counts: Counts
    correct: Interval | None
    """The primary metric over all questions; a failed answer counts as wrong."""
    slices: dict[str, Interval]
    """The primary metric by slice."""
    coverage: dict[str, Interval]
    """The primary metric by what training and documents could have taught."""
    metrics: dict[str, MetricResult]
    tokens: Tokens
    cost: Cost
    latency: Latency
    device_seconds: Interval | None
    """Device time per answer at full speed (quality phase); None when the server does not tell."""
    attribution: Attribution
    retrieval: Retrieval | None
    """None when the approach reads no passages."""
    failures: dict[str, int]
    """Error codes of failed answers and how often."""
    declined: Interval | None = None
    """Share of the questions that no data answers on which it says so; a failed answer counts as not."""
    confusion: Confusion | None = None
    """Which category it named where another was right; None where no question asks for one."""
    reasons: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Parameters of one failed answer's error by code: with it they make a sentence."""
    names: dict[str, str] = field(default_factory=dict)
    """What it is called in a language in which that differs from `name`."""


@dataclass(frozen=True, slots=True)
class Comparison(PairedDifference):
    """Two approaches on the same questions: first minus second, in the primary metric."""

    first: str
    """Approach id."""
    second: str
    """Approach id; the baseline in `Results.comparisons`."""
    slice: str | None
    """None: all questions."""


@dataclass(frozen=True, slots=True)
class Twins:
    """Two approaches with different weights that answer suspiciously alike."""

    first: str
    second: str
    same: int
    """Questions with the same text."""
    n: int


@dataclass(frozen=True, slots=True)
class Headroom:
    """What could still be gained over the best untuned approach; shares of all questions."""

    reference: str
    """Approach id of the best untuned one."""
    ceiling: str
    """Approach id of the plain model with the gold passages."""
    n: int
    """Questions that both answered."""
    right: Interval
    """Answered rightly without any training."""
    retrieval: Interval
    """Wrong, and right with the gold passages: better search could fix it."""
    either: Interval
    """As `retrieval`, and the training data holds the answer: better search or tuning could fix it."""
    tuning: Interval
    """Wrong with the gold passages as well: a skill, a form or a habit that tuning might teach."""
    neither: Interval
    """Wrong, and neither documents nor training data hold the answer."""
    tuning_at_most: Interval
    """`tuning` and `either` together."""
    retrieval_at_most: Interval
    """`retrieval` and `either` together."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What this run itself asked and paid, in both phases, apart from what it took over; money in `currency`."""

    asked: int
    """Finished answers that it asked for."""
    cost: float | None
    """What those with a price cost; None when none has one."""
    unpriced: int
    """Those without a price."""
    taken: int
    """Answers that it took over."""
    taken_cost: float | None
    """What they cost when they were asked."""
    currency: str
    taken_by: dict[str, int]
    """Answers taken over, by approach id."""
    taken_from: dict[str, int]
    """Answers taken over, by the id of the experiment that asked for them."""


@dataclass(frozen=True, slots=True)
class Results:
    """An experiment as far as it has come; every number is computed from stored answers."""

    experiment_id: str
    project_id: str
    name: str
    dataset_version_id: str
    split: str
    index_version_id: str | None
    questions: int
    repetitions: int
    slices: dict[str, int]
    """Questions by slice."""
    coverage: dict[str, int]
    """Questions by coverage; empty when it was not worked out."""
    primary_metric: str
    baseline_id: str
    complete: bool
    """Whether every planned answer is there and the latency phase is over."""
    approaches: tuple[ApproachResult, ...]
    """In the order of the presets."""
    comparisons: tuple[Comparison, ...]
    """Every ranked approach against the baseline; Holm over these."""
    slice_comparisons: tuple[Comparison, ...]
    """Every ranked approach against the baseline within each slice; Holm over these."""
    pairs: tuple[Comparison, ...]
    """Every pair of ranked approaches; Holm over these."""
    smallest_detectable: float | None
    """Smallest true difference from the baseline that this many questions find in 4 of 5 experiments, at the level
    of the strictest of Holm's steps."""
    discordance: float | None
    """Mean share of questions on which an approach and the baseline differ."""
    twins: tuple[Twins, ...]
    """Columns that may be served by the same weights."""
    provenance: dict[str, Any]
    """Versions, machine, hashes, times."""
    sources: int | None = None
    """Documents that the questions come from, where those from the same one are counted together in comparisons."""
    headroom: Headroom | None = None
    """None unless an untuned approach and the plain model with gold passages were asked."""
    spending: Spending | None = None
    """None in results that were kept before answers could be taken over."""

    def approach(self, key: str) -> ApproachResult | None:
        """The result of an approach by id, name or preset; None when it is not in the experiment."""
        for wanted in ("approach_id", "name", "preset"):
            for result in self.approaches:
                if getattr(result, wanted) == key:
                    return result
        return None

    @property
    def ranked(self) -> tuple[ApproachResult, ...]:
        """Approaches that may win, best first by the primary metric; those without a figure last."""
        return tuple(
            sorted(
                (a for a in self.approaches if a.ranked),
                key=lambda a: a.correct.estimate if a.correct else -1.0,
                reverse=True,
            )
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form with the same names."""
        return asdict(self)
