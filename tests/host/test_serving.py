"""The host as the official client sees it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from core.settings import ROOT
from tests.host.conftest import QUESTIONS, RunningHost, chat


def answer(host: RunningHost, model: str, question: str, **options: Any) -> str:
    options = {"max_tokens": 40, "temperature": 0, **options}
    reply = host.openai.chat.completions.create(model=model, messages=chat(question), **options)
    return reply.choices[0].message.content or ""


def status(host: RunningHost) -> dict[str, Any]:
    request = urllib.request.Request(host.url + "/v1/kurabe/status")
    request.add_header("Authorization", f"Bearer {host.token}")
    with urllib.request.urlopen(request, timeout=10) as reply:
        return dict(json.load(reply))


def test_the_openai_client_streams_with_usage(host: RunningHost) -> None:
    stream = host.openai.chat.completions.create(
        model="starter",
        messages=chat(QUESTIONS[2]),
        max_tokens=40,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == answer(host, "starter", QUESTIONS[2])
    assert len(text) > 10
    assert chunks[-2].choices[0].finish_reason == "stop"
    usage = chunks[-1].usage
    assert usage is not None and usage.prompt_tokens > 50 and usage.completion_tokens > 3
    served = chunks[-1].model_extra["kurabe"]  # type: ignore[index]
    assert served["precision"] == "float32" and served["device_seconds"] > 0


def test_base_and_two_adapters_asked_at_once_answer_exactly_as_each_alone(host: RunningHost) -> None:
    models = ["starter", "adapter:first", "adapter:second"]
    calls = [(model, question) for question in QUESTIONS for model in models]
    alone = {call: answer(host, *call) for call in calls}
    with ThreadPoolExecutor(len(calls) * 2) as pool:
        together = list(pool.map(lambda call: answer(host, *call), calls * 2))
    assert together == [alone[call] for call in calls * 2]
    for question in QUESTIONS:
        assert len({alone[model, question] for model in models}) > 1, "adapters must show"


def test_only_requests_that_say_so_share_what_was_read_of_a_common_beginning(host: RunningHost) -> None:
    shared = [question + " " + ending for question in QUESTIONS[2:4] for ending in ("Be brief.", "Answer in one line.")]

    def ask(model: str, question: str, salt: str | None) -> tuple[str, int]:
        extra = {} if salt is None else {"cache_salt": salt}
        reply = host.openai.chat.completions.create(
            model=model, messages=chat(question), max_tokens=40, temperature=0, extra_body=extra
        )
        usage = reply.usage
        assert usage is not None and usage.prompt_tokens_details is not None
        return reply.choices[0].message.content or "", usage.prompt_tokens_details.cached_tokens or 0

    for model in ("starter", "adapter:first"):
        alone = [ask(model, question, None) for question in shared]
        assert [known for _, known in alone] == [0] * len(shared)
        together = [ask(model, question, "one run") for question in shared]
        assert [text for text, _ in together] == [text for text, _ in alone]
        assert together[0][1] == 0 and together[1][1] > 32
        assert ask(model, shared[0], "another run")[1] == 0


def test_a_merged_model_is_weights_of_its_own(host: RunningHost) -> None:
    for question in QUESTIONS[:3]:
        assert answer(host, "merged:first", question) == answer(host, "adapter:first", question)
    assert {"starter", "merged:first"} <= set(status(host)["loaded"])


def test_the_list_of_models_names_bases_adapters_merged_models_and_embedders(host: RunningHost) -> None:
    names = {model.id for model in host.openai.models.list()}
    assert {"starter", "adapter:first", "adapter:second", "merged:first", "all-MiniLM-L6-v2"} <= names


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_word_ends_the_answer_and_is_never_shown(host: RunningHost, stream: bool) -> None:
    whole = answer(host, "starter", QUESTIONS[2])
    word = whole[len(whole) // 2 : len(whole) // 2 + 3]
    reply: Any = host.openai.chat.completions.create(
        model="starter", messages=chat(QUESTIONS[2]), max_tokens=40, temperature=0, stop=[word], stream=stream
    )
    if stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in reply if chunk.choices)
    else:
        text = reply.choices[0].message.content
        assert reply.choices[0].finish_reason == "stop"
    assert text == whole[: whole.index(word)]


def test_the_longest_answer_is_kept_to(host: RunningHost) -> None:
    reply = host.openai.chat.completions.create(
        model="starter", messages=chat(QUESTIONS[2]), max_tokens=3, temperature=0
    )
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage is not None and reply.usage.completion_tokens == 3


def test_a_seed_gives_the_same_answer_whatever_shares_the_batch(host: RunningHost) -> None:
    def drawn(seed: int) -> str:
        return answer(host, "adapter:first", "Hello", temperature=2.0, seed=seed)

    alone = [drawn(seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(drawn, range(6))) == alone
    assert len(set(alone)) > 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_frees_its_row(host: RunningHost, stream: bool) -> None:
    impatient = host.openai.with_options(timeout=0.4)
    long: dict[str, Any] = {"model": "adapter:first", "messages": chat("Hello"), "max_tokens": 1500}
    long |= {"temperature": 2.0}
    if stream:
        reply = host.openai.chat.completions.create(**long, seed=1, stream=True)
        next(iter(reply))
        assert status(host)["active"] == 1
        reply.close()
    else:
        try:
            impatient.chat.completions.create(**long, seed=1)
        except openai.APITimeoutError:
            pass
    deadline = time.monotonic() + 10
    while status(host)["active"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert status(host)["active"] == 0


def test_a_prompt_that_is_too_long_is_refused_clearly(host: RunningHost) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        answer(host, "starter", "word " * 20_000)
    assert caught.value.code == "context_length_exceeded"
    assert "tokens" in caught.value.message


def test_an_answer_longer_than_the_limit_is_refused(host: RunningHost) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        answer(host, "starter", "Hello", max_tokens=1_000_000)
    assert caught.value.code == "host.output_too_long"


def test_an_unknown_model_is_not_found(host: RunningHost) -> None:
    for name in ("nothing", "adapter:nothing", "adapter:../../etc", "merged:nothing", "owner/not-here"):
        with pytest.raises((openai.NotFoundError, openai.BadRequestError)):
            answer(host, name, "Hello")


def test_an_adapter_of_another_base_is_refused(host: RunningHost) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        answer(host, "adapter:stranger", "Hello")
    assert caught.value.code == "host.adapter_base"


def test_what_the_host_cannot_honour_is_refused_rather_than_ignored(host: RunningHost) -> None:
    for options in ({"n": 2}, {"logprobs": True}, {"frequency_penalty": 0.5}, {"temperature": -1}):
        with pytest.raises(openai.BadRequestError) as caught:
            answer(host, "starter", "Hello", **options)
        assert caught.value.code == "host.request"


def test_without_the_token_nothing_is_answered(host: RunningHost) -> None:
    stranger = host.openai.with_options(api_key="wrong")
    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()
    with pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model="starter", messages=chat("Hello"))
    with urllib.request.urlopen(host.url + "/healthz", timeout=10) as reply:
        assert json.load(reply)["status"] == "ok"


def test_the_record_can_be_read_by_its_owner_only(host: RunningHost) -> None:
    record = host.home / "run" / "host.json"
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert json.loads(record.read_text())["pid"] == host.process.pid


def test_a_home_has_one_host(host: RunningHost) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "core.host", "--home", str(host.home)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("KURABE_")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 3
    assert "host.running" in second.stderr


def test_embeddings_are_unit_vectors_and_neighbours_are_near(host: RunningHost) -> None:
    texts = ["The lamp is blue.", "A blue light.", "Tax law in Peru"]
    for form in ("float", "base64"):
        reply = host.openai.embeddings.create(
            model="all-MiniLM-L6-v2",
            input=texts,
            encoding_format=form,  # type: ignore[arg-type]
        )
        if form == "float":
            lamp, light, law = (entry.embedding for entry in reply.data)
    assert abs(sum(x * x for x in lamp) - 1) < 1e-5
    near = sum(a * b for a, b in zip(lamp, light, strict=True))
    assert near > sum(a * b for a, b in zip(lamp, law, strict=True)) + 0.2
    assert reply.usage.prompt_tokens > 10


def test_an_unknown_embedder_is_not_found(host: RunningHost) -> None:
    with pytest.raises(openai.NotFoundError):
        host.openai.embeddings.create(model="nothing", input=["x"])
