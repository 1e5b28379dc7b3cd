"""Fixtures of tests of several resources."""

from typing import Any

import pytest

from tests.integration.orders.taxed import OPTIONS, RATES, Open
from tests.people import Operator, new_tenant
from tests.shop import Shop


@pytest.fixture
def open_shop(operator: Operator, shop: Shop) -> Open:
    """Return a function that opens a shop with tax and shipping options."""

    def opened(*, included: bool = False, rates: Any = RATES) -> Shop:
        settings = {"tax": {"prices_include_tax": included, "rates": rates}, "shipping_options": OPTIONS}
        tenant = new_tenant(settings=settings)
        made = operator.call("POST", "/tenants", tenant)
        assert made.status == 201, made.body
        shop.tenant = tenant["id"]
        return shop

    return opened
