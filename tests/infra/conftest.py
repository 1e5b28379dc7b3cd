"""Fixtures of the infra tests."""

import pytest

from infra.templates import Synthesized, synthesize
from tests.infra.template import Template, synth


@pytest.fixture(scope="module")
def dev() -> Template:
    return synth()


@pytest.fixture(scope="module")
def prod_app() -> Synthesized:
    return synthesize({"stage": "prod"})


@pytest.fixture(scope="module")
def prod(prod_app: Synthesized) -> Template:
    return prod_app.whole
