"""Questions drafted by a model: read in whatever form it writes them, doubted with the reason, decided by people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import datasets, knowledge
from core.approaches import ModelChoice
from core.errors import KurabeError
from core.evaluation import (
    DraftingConfig,
    add_accepted,
    count_drafts,
    decide,
    drafts,
    plan_drafting,
    questions_missing,
    start_drafting,
    unreadable,
)
from core.evaluation.drafting.doubts import Known, doubts_of, gold_quote, words_of
from core.evaluation.drafting.reading import read_drafts
from core.evaluation.drafting.running import run_drafting
from core.identity import as_actor
from core.jobs import JobContext
from core.knowledge.search import quote_key
from core.measures import power, questions_needed
from core.store import read, write
from core.store import tables as tb
from tests.approaches.serving import Served
from tests.approaches.world import make_project
from tests.evaluation.judge_server import JudgeServer, judge_server, part

PAIR = {"question": "Where is the Amber Kettle made?", "answer": "Oslo", "quote": "It is made in Oslo."}


def only_question(text: str) -> dict[str, str]:
    return {"question": text, "answer": "", "quote": ""}


@pytest.mark.parametrize(
    "reply",
    [
        json.dumps([PAIR]),
        f"Here you are:\n```json\n{json.dumps([PAIR], indent=1)}\n```\nI hope this helps.",
        json.dumps({"questions": [PAIR]}),
        json.dumps([PAIR]) [:-1] + ', {"question": "How lo',
        f"{json.dumps(PAIR)}\n",
        json.dumps([{"質問": PAIR["question"], "回答": PAIR["answer"], "引用": PAIR["quote"]}], ensure_ascii=False),
        f"Q: {PAIR['question']}\nA: {PAIR['answer']}\nQuote: {PAIR['quote']}",
        f"**Q1:** {PAIR['question']}\n**A1:** {PAIR['answer']}\n**Quote:** {PAIR['quote']}",
        f"1. Question: {PAIR['question']}\n   Answer: {PAIR['answer']}\n   Quote: {PAIR['quote']}",
        f"質問：{PAIR['question']}\n回答：{PAIR['answer']}\n根拠：{PAIR['quote']}",
        f"【質問1】{PAIR['question']}\n【回答1】{PAIR['answer']}\n【引用】{PAIR['quote']}",
    ],
)  # fmt: skip
def test_drafts_are_read_in_whatever_form_a_model_writes_them(reply: str) -> None:
    assert read_drafts(reply) == [PAIR]


def test_questions_without_answers_are_read_from_lists_and_strings() -> None:
    assert read_drafts('["Where is it made?", "Made where?"]') == [
        only_question("Where is it made?"),
        only_question("Made where?"),
    ]
    assert read_drafts("Sure!\n1. Where is it made?\n2) Made where?") == [
        only_question("Where is it made?"),
        only_question("Made where?"),
    ]
    assert read_drafts("・どこで作られていますか。\n・産地はどこですか。") == [
        only_question("どこで作られていますか。"),
        only_question("産地はどこですか。"),
    ]


@pytest.mark.parametrize("reply", ["", "I cannot help with that.", "[]", "{}", "[[[", "{" * 5000, "できません。"])
def test_a_reply_without_a_draft_is_read_as_none(reply: str) -> None:
    assert read_drafts(reply) == []


def test_letters_that_no_store_keeps_do_not_stop_a_reply_from_being_read() -> None:
    [draft] = read_drafts('[{"question": "Where\\u0000 is it \\ud800made?", "answer": "Oslo"}]')
    assert draft["question"] == "Where\N{REPLACEMENT CHARACTER} is it \N{REPLACEMENT CHARACTER}made?"


PASSAGE = {"text": "The Amber Kettle is made in Oslo. Its warranty lasts 24 months.", "document": "a.md"}


def doubted(question: str, answer: str, quote: str = "", known: tuple[str, ...] = ()) -> list[str]:
    draft = {"question": question, "answer": answer, "quote": quote}
    return [doubt["code"] for doubt in doubts_of(draft, PASSAGE, Known(known))]


def test_what_is_doubtful_about_a_draft_is_said() -> None:
    asks = "How long is the warranty of the Amber Kettle?"
    assert doubted(asks, "24 months") == doubted(asks, "The warranty lasts 24 months.") == []
    assert doubted(asks, "36 months") == ["not_in_passage"]
    assert doubted(asks, "24 months", "The kettle lasts forever.") == ["quote_not_in_passage"]
    assert doubted(asks, "") == ["no_answer"] and doubted("", "24 months") == ["no_question"]
    assert doubted("Is the warranty 24 months?", "24 months") == ["answer_in_question"]
    assert doubted("What does the passage say about the warranty?", "24 months") == ["points_to_passage"]
    assert doubted(asks, "24 months", known=("how long is the warranty of the Amber Kettle",)) == ["asked_before"]
    assert doubted(asks, "24 months", known=("How long is the warranty of the Birch Lamp?",)) == []


def test_japanese_drafts_are_doubted_in_the_same_way() -> None:
    passage = {"text": "アオバクリーンの保証期間は２４か月です。大阪で作られています。", "document": "a.md"}

    def codes(question: str, answer: str) -> list[str]:
        draft = {"question": question, "answer": answer, "quote": ""}
        return [doubt["code"] for doubt in doubts_of(draft, passage, Known(["保証はいつまで有効ですか?"]))]

    assert codes("アオバクリーンはどこで作られていますか。", "大阪") == []
    assert codes("アオバクリーンの保証期間は何か月ですか。", "24か月") == []
    assert codes("アオバクリーンの保証期間は何か月ですか。", "36か月") == ["not_in_passage"]
    assert codes("この資料によると、どこで作られていますか。", "大阪") == ["points_to_passage"]
    assert codes("保証はいつまで有効ですか", "24か月") == ["asked_before"]


def test_the_words_that_hold_an_answer_are_found_without_the_models_quote() -> None:
    text = PASSAGE["text"]
    assert gold_quote(text, "its warranty lasts 24 MONTHS", "24 months") == "Its warranty lasts 24 months"
    assert gold_quote(text, "invented", "24 months") == "Its warranty lasts 24 months."
    assert gold_quote(text, "", "blue") == ""


@pytest.mark.parametrize(
    ("text", "quote", "words"),
    [
        ("The customer’s order — “express” — goes first. Then the rest.", "customer's order - \"express\" - goes",
         "customer’s order — “express” — goes"),
        ("受付は「平日」９時から、18時までです。", "受付は平日9時から18時まで", "受付は「平日」９時から、18時まで"),
        ("ﾃﾞｭｵの保証は**2年**です。", "デュオの保証は2年", "ﾃﾞｭｵの保証は**2年"),
        ("It is made in Oslo.", "It is made in Oslo.", "It is made in Oslo."),
        ("It is made in Oslo.", "It is made in Rome.", ""),
        ("It is made in Oslo.", "…", ""),
    ],
)  # fmt: skip
def test_a_quote_is_kept_as_the_passage_spells_it_so_that_search_finds_it(text: str, quote: str, words: str) -> None:
    assert words_of(text, quote) == words and words in text
    assert quote_key(words) in quote_key(text)


def drafting(passage: str) -> str:
    """A model that asks where a product is made, once well and once about what the passage does not say."""
    name = passage.split("\n")[0]
    town = passage.split("is made in ")[1].split(".")[0]
    good = {"question": f"In which town is the {name} made?", "answer": town, "quote": ""}
    return json.dumps([good, {"question": f"Who designed the {name}?", "answer": "Ada Lovelace"}])


def of_passages(system: str, user: str) -> str:
    return drafting(part(user, "passage"))


def drafted(project: tb.Project, server: JudgeServer, folder: Path, **changes: Any) -> dict[str, Any]:
    config = config_for(project, server, **changes)
    made = start_drafting(config, launch=False)
    return run_drafting(JobContext("job", {"drafting_id": made.id}, folder, project_id=project.id))


def config_for(project: tb.Project, server: JudgeServer, **changes: Any) -> DraftingConfig:
    model = ModelChoice(kind="endpoint", ref="drafter", url=server.url)
    return DraftingConfig(project_id=project.id, model=model, **changes)


@pytest.fixture
def shop() -> tb.Project:
    return make_project(index=False)


def test_accepted_drafts_become_a_version_with_their_passages_and_count_towards_a_verdict(
    shop: tb.Project, tmp_path: Path
) -> None:
    before = questions_missing(shop.id)
    with judge_server(of_passages) as server:
        plan = plan_drafting(config_for(shop, server))
        result = drafted(shop, server, tmp_path)
    assert (plan.calls, plan.drafts) == (6, 12) and plan.prompt_tokens > 6 * 50
    assert (result["calls"], result["drafts"], result["failed"], result["unreadable"]) == (6, 12, 0, 0)
    assert drafts(shop.id, "doubtful").total == 6, "those about what no passage says"
    as_actor("mika")
    for draft in drafts(shop.id, "open", limit=99).drafts:
        decide(shop.id, [draft.id], "rejected" if draft.doubts else "accepted")
    assert count_drafts(shop.id) == {
        "open": 0, "doubtful": 0, "accepted": 6, "rejected": 6, "unreadable": 0, "waiting": 6,
    }  # fmt: skip
    first = drafts(shop.id, "accepted").drafts[0]
    decide(shop.id, [first.id], "accepted", {"question": "Tell me, which town does it come from?"})
    made = add_accepted(shop.id, "test")
    rows = [row for row in datasets.rows_of(made.id, "test") if row.slice == "drafted"]
    assert len(rows) == 6 and rows[0].question == "Tell me, which town does it come from?"
    for row in rows:
        [place] = row.gold
        assert place["quote"].endswith(f"is made in {row.answer}.") and place["document"].endswith(".md")
        assert row.tags["accepted_by"] == "mika" and row.tags["drafted_by"] == "drafter" and row.tags["passage_id"]
    assert made.lineage["reason"] == "drafts" and made.lineage["added"] == 6
    kept = drafts(shop.id, "accepted").drafts
    assert {draft.version_id for draft in kept} == {made.id} and all(draft.decided_at for draft in kept)
    assert kept[0].drafted["question"].startswith("In which town"), "what the model wrote is kept"
    after = questions_missing(shop.id)
    assert after.unjudged == 0 and after.slices[0].questions == before.slices[0].questions + 6
    with pytest.raises(KurabeError, match="none_accepted"):
        add_accepted(shop.id)


def test_drafts_are_added_once_also_when_the_first_attempt_was_cut_short(shop: tb.Project, tmp_path: Path) -> None:
    with judge_server(of_passages) as server:
        drafted(shop, server, tmp_path, sources=1)
    [draft] = [each for each in drafts(shop.id).drafts if not each.doubts]
    decide(shop.id, [draft.id], "accepted")
    made = add_accepted(shop.id)
    with write() as session:  # as if it had been killed before it noted the version
        session.get_one(tb.Draft, draft.id).version_id = None
    again = add_accepted(shop.id)
    assert again.row_count == made.row_count


def test_trained_questions_in_other_words_keep_their_answer_and_their_facts(shop: tb.Project, tmp_path: Path) -> None:
    def reworded(system: str, user: str) -> str:
        asked = part(user, "question")
        name = next(name for name in ("Kettle", "Lamp", "Fan", "Press", "Grill", "Mixer") if name in asked)
        return json.dumps([{"question": f"I own {asked[:-1].split(' the ')[-1]}: {asked}"}, {"question": f"{name} 9?"}])

    with judge_server(reworded) as server:
        drafted(shop, server, tmp_path, source="training", sources=4, each=2)
    page = drafts(shop.id)
    assert page.total == 8
    trained = {row.question: row for row in datasets.rows_of(datasets.latest_version(shop.id).id, "train")}  # type: ignore[union-attr]  # there is one
    for draft in page.drafts:
        assert draft.answer == trained[page.sources[draft.call_id]["question"]].answer
    codes = [doubt["code"] for draft in page.drafts for doubt in draft.doubts]
    assert codes.count("names_differ") >= 4, "a number that the trained question does not have"
    decide(shop.id, [page.drafts[0].id], "accepted", {"question": "May I ask how that is?"})
    made = add_accepted(shop.id, "test")
    [row] = [row for row in datasets.rows_of(made.id, "test") if row.tags.get("reworded")]
    source = trained[row.tags["reworded"]]
    assert (row.answer, row.value, row.gold, row.slice) == (source.answer, source.value, source.gold, source.slice)


def test_replies_that_cannot_be_read_are_listed_and_repeated_questions_marked(shop: tb.Project, tmp_path: Path) -> None:
    def reply(system: str, user: str) -> str:
        name = part(user, "passage").split("\n")[0]
        if "Amber" in name:
            return "I would rather not."
        return f"Q: What does the {name} cost?\nA: I do not know"  # a test question asks just that, or training does

    with judge_server(reply) as server:
        result = drafted(shop, server, tmp_path)
    assert (result["drafts"], result["unreadable"]) == (5, 1)
    [call] = unreadable(shop.id)
    assert call.text == "I would rather not." and call.source["document"] == "Amber Kettle.md"
    codes = [[doubt["code"] for doubt in draft.doubts] for draft in drafts(shop.id).drafts]
    assert codes == [["asked_before", "not_in_passage"]] * 5


def test_a_stopped_drafting_keeps_what_it_has_and_goes_on_from_there(shop: tb.Project, tmp_path: Path) -> None:
    class StopsAfterTwo(JobContext):
        def stop_requested(self) -> Any:
            return "stop" if len(server.asked) >= 2 else None

    with judge_server(of_passages) as server:
        made = start_drafting(config_for(shop, server, concurrency=1), launch=False)
        assert run_drafting(StopsAfterTwo("job", {"drafting_id": made.id}, tmp_path)) == {"stopped": True}
        kept = {draft.id for draft in drafts(shop.id, limit=99).drafts}
        assert 0 < len(kept) < 12 and len(server.asked) < 6
        result = run_drafting(JobContext("job", {"drafting_id": made.id}, tmp_path))
        assert result["drafts"] == 12 and len(server.asked) == 6, "nothing is asked twice"
        assert kept < {draft.id for draft in drafts(shop.id, limit=99).drafts}


def test_a_draft_without_an_answer_cannot_be_accepted_before_somebody_writes_one(
    shop: tb.Project, tmp_path: Path
) -> None:
    with judge_server(lambda system, user: "Q: How heavy is it?") as server:
        drafted(shop, server, tmp_path, sources=1)
    [draft] = drafts(shop.id, "doubtful").drafts
    with pytest.raises(KurabeError, match="incomplete"):
        decide(shop.id, [draft.id], "accepted")
    assert drafts(shop.id).drafts[0].state == "open"
    decide(shop.id, [draft.id], "accepted", {"answer": "3 kg"})
    assert drafts(shop.id, "accepted").drafts[0].answer == "3 kg"


def test_an_edited_quote_stands_in_its_passage_or_is_refused(shop: tb.Project, tmp_path: Path) -> None:
    with judge_server(of_passages) as server:
        drafted(shop, server, tmp_path, sources=1)
    draft = drafts(shop.id).drafts[0]
    with pytest.raises(KurabeError, match="quote_elsewhere"):
        decide(shop.id, [draft.id], "accepted", {"quote": "It was never made."})
    assert drafts(shop.id).drafts[0].state == "open"
    decide(shop.id, [draft.id], "accepted", {"quote": f"is made in {draft.answer.upper()}"})
    assert drafts(shop.id, "accepted").drafts[0].quote == f"is made in {draft.answer}"


def test_of_two_who_decide_at_once_the_second_is_told_and_ids_that_cannot_be_decided_are_named(
    shop: tb.Project, tmp_path: Path
) -> None:
    with judge_server(of_passages) as server:
        drafted(shop, server, tmp_path, sources=1)
    first, second = drafts(shop.id).drafts
    as_actor("mika")
    decide(shop.id, [first.id], "rejected", expected="open")
    with pytest.raises(KurabeError) as late:
        decide(shop.id, [first.id], "accepted", expected="open")
    assert late.value.code == "drafting.decided_already" and late.value.params["who"] == "mika"
    assert drafts(shop.id, "rejected").total == 1
    with pytest.raises(KurabeError) as unknown:
        decide(shop.id, [second.id, "nobody"], "accepted")
    assert unknown.value.params["id"] == "nobody" and drafts(shop.id).total == 1, "all or none"
    decide(shop.id, [first.id], "accepted")
    add_accepted(shop.id)
    with pytest.raises(KurabeError) as added:
        decide(shop.id, [first.id, second.id], "rejected")
    assert added.value.code == "drafting.in_version" and added.value.params["ids"] == first.id


def test_drafts_go_with_the_text_of_their_document(shop: tb.Project, tmp_path: Path) -> None:
    with judge_server(of_passages) as server:
        drafted(shop, server, tmp_path)
    kettle = knowledge.current_document(knowledge.default_kb(shop.id).id, "Amber Kettle.md")
    assert kettle is not None
    knowledge.delete_document(kettle.id)
    page = drafts(shop.id, limit=99)
    assert page.total == 10 and all(source["document"] != "Amber Kettle.md" for source in page.sources.values())
    with read() as session:
        assert session.query(tb.DraftCall).filter(tb.DraftCall.document_id == kettle.id).count() == 0


def test_a_document_deleted_while_it_is_drafted_from_takes_only_its_own_drafts(
    shop: tb.Project, tmp_path: Path
) -> None:
    kettle = knowledge.current_document(knowledge.default_kb(shop.id).id, "Amber Kettle.md")
    assert kettle is not None

    def reply(system: str, user: str) -> str:
        if "Amber Kettle" in part(user, "passage"):
            knowledge.delete_document(kettle.id)
        return of_passages(system, user)

    with judge_server(reply) as server:
        result = drafted(shop, server, tmp_path)
    assert result["failed"] == 0 and result["drafts"] == drafts(shop.id).total == 10


def test_the_next_drafting_asks_about_other_passages_first(shop: tb.Project, tmp_path: Path) -> None:
    with judge_server(of_passages) as server:
        drafted(shop, server, tmp_path, sources=3)
        drafted(shop, server, tmp_path, sources=3)
        asked = [part(messages[1]["content"], "passage") for messages in server.asked]
    assert len(set(asked)) == 6


def test_a_drafting_that_waits_has_its_passages_already(shop: tb.Project) -> None:
    config = config_for(shop, JudgeServer("http://127.0.0.1:9/v1"), sources=3)
    for _ in range(2):
        start_drafting(config, launch=False)
    with read() as session:
        assert len({call.source["passage_id"] for call in session.query(tb.DraftCall)}) == 6


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        ("琥珀ケトルの保証期間は24か月です。", True),
        ("お問い合わせは平日だけです。", True),
        ("The warranty of the Amber Kettle is 24 months.", True),
        ("目次", False),
        ("Contents", False),
        ("Page 12", False),
    ],
)
def test_a_short_sentence_is_enough_to_ask_about_in_either_script(shop: tb.Project, text: str, enough: bool) -> None:
    knowledge.add_documents(knowledge.default_kb(shop.id).id, [("short.txt", text.encode())])
    config = config_for(shop, JudgeServer("http://127.0.0.1:9/v1"), documents=("short.txt",))
    if enough:
        assert plan_drafting(config).available == 1
    else:
        with pytest.raises(KurabeError, match=r"drafting\.no_documents"):
            plan_drafting(config)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"documents": ("nothing.md",)}, "drafting.no_documents"), ({"project_id": "nobody"}, "store.missing")],
)
def test_what_cannot_be_drafted_from_is_refused(shop: tb.Project, changes: dict[str, Any], code: str) -> None:
    config = config_for(shop, JudgeServer("http://127.0.0.1:9/v1")).model_copy(update=changes)
    with pytest.raises(KurabeError) as refused:
        start_drafting(config, launch=False)
    assert refused.value.code == code


def test_the_practice_model_drafts_and_whatever_it_says_is_kept_for_people(served: Served, tmp_path: Path) -> None:
    project = make_project(index=False)
    config = DraftingConfig(
        project_id=project.id, model=ModelChoice(ref="starter", base_ref="starter"), sources=3, max_tokens=60
    )
    made = start_drafting(config, launch=False)
    result = run_drafting(JobContext("job", {"drafting_id": made.id}, tmp_path, project_id=project.id))
    assert result["calls"] == 3 and result["failed"] == 0
    assert result["drafts"] + result["unreadable"] >= 3, "a reply is drafts, or listed as unreadable"
    assert drafts(project.id).total == result["drafts"] and len(unreadable(project.id)) == result["unreadable"]


def test_the_questions_that_are_needed_reach_the_power_and_fewer_do_not() -> None:
    for difference in (0.1, 0.15, 0.2):
        needed = questions_needed(difference, 0.25)
        assert needed is not None
        assert power(needed, 0.25, difference) >= 0.8 > power(needed - 5, 0.25, difference)
    large = questions_needed(0.02, 0.25)
    assert large is not None and large > 2000
    assert questions_needed(0.3, 0.25) is None and questions_needed(0.0) is None
