"""Plug-ins are found by looking in their folder; a wrong name is answered with the right one."""

from __future__ import annotations

import pytest

from core.approaches import CONTEXTS
from core.decision import CRITERIA
from core.errors import KurabeError
from core.i18n import LANGUAGES, describe
from core.measures import METRICS
from core.registry import Registry, spec_of
from core.training import METHODS

REGISTRIES = {"contexts": CONTEXTS, "criteria": CRITERIA, "metrics": METRICS, "methods": METHODS}


@pytest.mark.parametrize("registry", REGISTRIES.values(), ids=REGISTRIES)
def test_every_file_of_a_seam_holds_the_plug_in_that_it_is_named_after(registry: Registry) -> None:
    assert registry.names() and list(registry.all()) == list(registry.names())
    assert [kind.name for kind in registry.all().values()] == list(registry.names())


@pytest.mark.parametrize("code", LANGUAGES)
def test_an_unknown_name_is_answered_with_a_near_one(code: str) -> None:
    with pytest.raises(KurabeError, match="registry.unknown") as caught:
        METRICS.get("exact_mach")
    message, hint = describe(caught.value, code)
    assert "exact_mach" in message and "exact_match" in hint


def test_a_name_near_to_nothing_is_answered_with_all_there_are() -> None:
    with pytest.raises(KurabeError) as caught:
        CRITERIA.get("zzz")
    assert caught.value.params["suggestions"] == "-"
    assert all(name in caught.value.params["known"] for name in CRITERIA.names())


def test_a_field_that_a_plug_in_does_not_have_is_refused_and_named() -> None:
    with pytest.raises(KurabeError, match="registry.bad_fields") as caught:
        METHODS.build({"name": "lora", "rnak": 8})
    assert "rnak" in caught.value.params["detail"]


@pytest.mark.parametrize("registry", REGISTRIES.values(), ids=REGISTRIES)
def test_a_plug_in_is_rebuilt_from_its_own_description(registry: Registry) -> None:
    for name in registry.names():
        made = registry.build({"name": name})
        assert spec_of(made) == {"name": name}, "defaults are left out"
        assert registry.build(spec_of(made)) == made


def test_a_field_that_differs_from_its_default_is_kept() -> None:
    made = METHODS.build({"name": "lora", "rank": 4})
    assert spec_of(made) == {"name": "lora", "rank": 4}
    assert METHODS.build(spec_of(made)) == made
