"""Fixtures of the infra tests."""

import pytest

from tests.infra.template import Template, synth


@pytest.fixture(scope="module")
def dev() -> Template:
    return synth()


@pytest.fixture(scope="module")
def prod() -> Template:
    return synth(stage="prod")
