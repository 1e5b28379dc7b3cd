"""Tests of every function of the built zip under Lambda's runtime client, with the template's environment."""

from collections.abc import Iterator

import pytest

from handlers.registry import RouteFunction, all_functions
from infra.rehearsal.functions import Rehearsed, rehearse
from infra.rehearsal.lambda_emulator import emulator
from local.database import CACHE
from local.http.server import settings_for
from local.samples.data import add_samples
from local.services import services
from tests.conftest import forget_clients

try:
    TOOLS = emulator(CACHE)
except LookupError as missing:
    pytest.skip(str(missing), allow_module_level=True)


@pytest.fixture(scope="module")
def rehearsed() -> Iterator[dict[str, Rehearsed]]:
    """Yield the result of each function by name."""
    with services():
        forget_clients()
        settings_for(None)
        add_samples()
        yield {each.function.name: each for each in rehearse(TOOLS)}
    forget_clients()


def test_every_event_is_answered_as_it_should_be(rehearsed: dict[str, Rehearsed]) -> None:
    assert set(rehearsed) == {function.name for function in all_functions()}
    failed = {name: each.invocation.response for name, each in rehearsed.items() if not each.passed}
    assert failed == {}


def test_every_request_is_one_line(rehearsed: dict[str, Rehearsed]) -> None:
    for name, each in rehearsed.items():
        if not isinstance(each.function, RouteFunction):
            continue
        [line] = each.invocation.lines
        response = each.invocation.response
        assert response["multiValueHeaders"]["X-Request-Id"] == [line["request_id"]], name
        assert line["status"] == response["statusCode"]


def test_starts_are_measured(rehearsed: dict[str, Rehearsed]) -> None:
    for name, each in rehearsed.items():
        assert each.invocation.init_ms > 0, name
        print(f"{name}: {each.invocation.init_ms:.0f} ms")
