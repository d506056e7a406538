"""A link to a file opens that file alone, for a while."""

from __future__ import annotations

import json

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.evaluation import EXPORTS, latest_experiment
from core.store import tables as tb
from core.ui import downloads as rooms
from core.ui.downloads import answers_address, downloads


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=[downloads]))


def test_every_format_is_sent_under_a_name_of_its_own(client: TestClient, measured: tb.Project) -> None:
    experiment = latest_experiment(measured.id)
    assert experiment is not None
    for kind in EXPORTS:
        reply = client.get("/" + answers_address(experiment.id, kind))
        assert reply.status_code == 200 and reply.content
        assert reply.headers["content-disposition"].endswith(f'.{kind}"')
    assert len(json.loads(client.get("/" + answers_address(experiment.id, "json")).content)) == 4 * 12 * 2


def test_an_address_that_was_changed_or_is_too_old_opens_nothing(
    client: TestClient, measured: tb.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = latest_experiment(measured.id)
    assert experiment is not None
    address = "/" + answers_address(experiment.id, "csv")
    assert client.get(address.replace(experiment.id, "another")).status_code == 403
    assert client.get(address.replace(".csv", ".json")).status_code == 403
    signature = address.split("/")[-2]
    assert client.get(address.replace(signature, "%E9%8D%B5")).status_code == 403, "whatever letters it is made of"
    later = rooms.time.time() + 3 * 3600
    monkeypatch.setattr(rooms.time, "time", lambda: later)
    assert client.get(address).status_code == 403
