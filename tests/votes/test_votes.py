"""People rate hidden answers: the same pairs come back, nothing tells who wrote what, and votes add up."""

from __future__ import annotations

from collections import Counter

import pytest
import sqlalchemy as sa

from core.errors import KurabeError
from core.identity import new_id
from core.store import read, write
from core.store import tables as tb
from core.votes import BlindPair, cast_preference, cast_rating, next_pair, summary, undo_last

APPROACHES = ("plain", "retrieval", "tuned")


class Asked:
    """An experiment with answers as stored; approaches are known by name."""

    def __init__(self, texts: list[dict[str, str]]) -> None:
        self.project = tb.Project(name="Shop", language="en")
        with write() as session:
            session.add(self.project)
        owned = {"project_id": self.project.id}
        dataset = tb.Dataset(**owned, name="Questions")
        version = tb.DatasetVersion(**owned, id=new_id(), dataset_id="", hash="k1:0", row_count=len(texts))
        self.experiment = tb.Experiment(
            **owned, name="Test", dataset_version_id=version.id, split="test", hash="k1:0", id=new_id()
        )
        with write() as session:
            session.add(dataset)
            session.flush()
            version.dataset_id = dataset.id
            session.add(version)
            session.flush()
            session.add(self.experiment)
            session.flush()
            for place, answers in enumerate(texts):
                session.add_all(self._rows(version.id, place, answers))

    def _rows(self, version_id: str, place: int, answers: dict[str, str]) -> list[object]:
        owned = {"project_id": self.project.id}
        example = tb.Example(
            **owned, id=new_id(), version_id=version_id, position=place, split="test", question=f"Question {place}?",
            answer=f"Reference {place}.",
        )  # fmt: skip
        rows: list[object] = [example]
        for name, text in answers.items():
            rows.append(self.answer(name, text, example_id=example.id, question=example.question))
        return rows

    def answer(self, approach: str, text: str, **values: object) -> tb.Answer:
        columns = {"phase": "quality", "status": "finished", "experiment_id": self.experiment.id} | values
        return tb.Answer(project_id=self.project.id, approach_id=approach, approach_hash="k1:0", text=text, **columns)

    def pairs(self, voter: str) -> list[BlindPair]:
        """Every pair that the voter is shown, answered one after the other."""
        shown = []
        while (pair := next_pair(self.experiment.id, voter)) is not None:
            shown.append(pair)
            cast_preference(pair.left, pair.right, voter, "tie")
        return shown


def different(count: int) -> Asked:
    return Asked([{name: f"{name} says {place}" for name in APPROACHES} for place in range(count)])


def votes() -> list[tb.Vote]:
    with read() as session:
        return list(session.scalars(sa.select(tb.Vote)))


def test_a_reload_shows_the_same_pair_the_same_way_round() -> None:
    asked = different(5)
    first, again = (next_pair(asked.experiment.id, "mika") for _ in range(2))
    assert first is not None and again is not None
    assert (first.left.id, first.right.id, first.question) == (again.left.id, again.right.id, again.question)


def test_another_person_gets_a_draw_of_their_own() -> None:
    asked = different(8)
    shown = {voter: [(p.left.id, p.right.id) for p in asked.pairs(voter)] for voter in ("mika", "jun")}
    assert shown["mika"] != shown["jun"]


def test_every_question_comes_once_and_then_no_more() -> None:
    asked = different(6)
    shown = asked.pairs("mika")
    assert sorted(pair.question for pair in shown) == [f"Question {place}?" for place in range(6)]
    assert [(pair.done, pair.total) for pair in shown] == [(done, 6) for done in range(6)]
    assert all(pair.reference.startswith("Reference") for pair in shown)
    assert next_pair(asked.experiment.id, "mika") is None


def test_the_side_does_not_tell_the_approach() -> None:
    left: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for pair in different(60).pairs("mika"):
        left[pair.left.approach_id] += 1
        right[pair.right.approach_id] += 1
    assert set(left) == set(right) == set(APPROACHES)
    assert all(6 <= left[name] <= 34 for name in APPROACHES), left


def test_answers_with_the_same_words_are_never_set_against_each_other() -> None:
    asked = Asked(
        [
            {"plain": "24 months", "retrieval": " 24  MONTHS", "tuned": "36 months"},
            {"plain": "２４か月", "retrieval": "24か月"},
        ]
    )
    shown = asked.pairs("mika")
    assert [pair.question for pair in shown] == ["Question 0?"], "there is nothing to choose in the second"
    assert "tuned" in {shown[0].left.approach_id, shown[0].right.approach_id}


def test_only_finished_answers_of_the_quality_phase_are_rated() -> None:
    asked = different(0)
    for values in ({"status": "failed"}, {"status": "streaming"}, {"phase": "latency"}, {"repetition": 1}):
        example_id = new_id()
        with write() as session:
            for name in APPROACHES[:2]:
                session.add(asked.answer(name, f"{name} {values}", example_id=example_id, question="?", **values))
    assert next_pair(asked.experiment.id, "mika") is None


def test_a_second_rating_replaces_the_first() -> None:
    pair = next_pair(different(1).experiment.id, "mika")
    assert pair is not None
    cast_rating(pair.left, "mika", "unusable")
    cast_rating(pair.left, "mika", "as_is", seconds=2.5)
    cast_rating(pair.left, "jun", "edited")
    assert sorted((vote.voter, vote.value, vote.seconds) for vote in votes()) == [
        ("jun", "edited", None),
        ("mika", "as_is", 2.5),
    ]


def test_a_preference_is_one_vote_whichever_answer_stood_left() -> None:
    pair = next_pair(different(1).experiment.id, "mika")
    assert pair is not None
    cast_preference(pair.left, pair.right, "mika", "left")
    cast_preference(pair.right, pair.left, "mika", "left", comment="changed my mind")
    [vote] = votes()
    assert (vote.left_answer_id, vote.value, vote.comment) == (pair.right.id, "left", "changed my mind")


@pytest.mark.parametrize("value", ["", "great", "left "])
def test_what_one_cannot_vote_is_refused(value: str) -> None:
    pair = next_pair(different(1).experiment.id, "mika")
    assert pair is not None
    with pytest.raises(KurabeError, match="vote.value"):
        cast_rating(pair.left, "mika", value)
    with pytest.raises(KurabeError, match="vote.value"):
        cast_preference(pair.left, pair.right, "mika", value)
    assert votes() == []


def test_undo_takes_back_the_newest_pair_with_its_ratings_and_nobody_elses() -> None:
    asked = different(3)
    for voter in ("jun", "mika", "mika"):
        pair = next_pair(asked.experiment.id, voter)
        assert pair is not None
        cast_rating(pair.left, voter, "as_is")
        cast_rating(pair.right, voter, "unusable")
        cast_preference(pair.left, pair.right, voter, "left")
    newest = pair
    assert undo_last(asked.project.id, "mika")
    assert Counter(vote.voter for vote in votes()) == {"jun": 3, "mika": 3}
    again = next_pair(asked.experiment.id, "mika")
    assert again is not None and again.left.id == newest.left.id
    assert undo_last(asked.project.id, "mika") and not undo_last(asked.project.id, "mika")
    assert Counter(vote.voter for vote in votes()) == {"jun": 3}


def test_votes_add_up_by_approach() -> None:
    asked = Asked([{"plain": "a", "tuned": "b"}, {"plain": "c", "tuned": "d"}, {"plain": "e", "tuned": "f"}])
    wishes = iter([("tuned", "as_is", "unusable"), ("plain", "edited", "edited"), ("tie", "as_is", "unusable")])
    while (pair := next_pair(asked.experiment.id, "mika")) is not None:
        wins, tuned, plain = next(wishes)
        for answer in (pair.left, pair.right):
            cast_rating(answer, "mika", tuned if answer.approach_id == "tuned" else plain)
        side = "left" if pair.left.approach_id == wins else "right"
        cast_preference(pair.left, pair.right, "mika", "tie" if wins == "tie" else side)
    best, worst = summary(asked.experiment.id)
    assert (best.approach_id, best.ratings) == ("tuned", {"as_is": 2, "edited": 1, "unusable": 0})
    assert (best.wins, best.losses, best.ties, best.voters) == (1, 1, 1, 1)
    assert (worst.approach_id, worst.ratings) == ("plain", {"as_is": 0, "edited": 1, "unusable": 2})
    assert best.usable is not None and best.usable.estimate == 1.0 and best.usable.n == 3
    assert worst.usable is not None and worst.usable.estimate == pytest.approx(1 / 3)


def test_votes_on_another_experiment_do_not_count_here() -> None:
    here, elsewhere = different(1), different(1)
    pair = next_pair(elsewhere.experiment.id, "mika")
    assert pair is not None
    cast_rating(pair.left, "mika", "as_is")
    assert summary(here.experiment.id) == []
    assert [row.approach_id for row in summary(elsewhere.experiment.id)] == [pair.left.approach_id]
