"""Fixtures of the tests of identity."""

import pytest

from tests.people import Operator, new_tenant
from tests.shop import Shop


@pytest.fixture
def open_shop(operator: Operator, shop: Shop) -> Shop:
    """Return a tenant that allows sign-up."""
    tenant = operator.call("POST", "/tenants", new_tenant(settings={"allow_sign_up": True})).json
    return Shop(shop.send, tenant=tenant["id"])
