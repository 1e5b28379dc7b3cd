"""Tests of figures that are rebuilt, and of their audit."""

from datetime import timedelta
from pathlib import Path

import pytest

from domain.common.environment import now
from repositories.dynamodb import keys
from repositories.stats.rebuilding import Rebuilding
from tests.integration.audit.common import audit, change_row
from tests.integration.flow.common import Flow, table
from tests.integration.flow.selling import check, session_of, trade
from tests.shop import Shop


def test_figures_are_rebuilt_while_trade_goes_on(shop: Shop, tmp_path: Path) -> None:
    trade(shop, 7, orders=6)
    Flow(shop).run()
    change_row(_any_row_of_sales(shop), "SET units = units + :n", n=7)  # as if a mistake had been counted
    rebuilding = Rebuilding(session_of(shop))
    generation = rebuilding.begin()
    assert rebuilding.begin() == generation == 2
    trade(shop, 8, orders=4)
    flow = Flow(shop)
    flow.run()
    counted = rebuilding.count()
    for _ in range(3):
        next(counted)
    trade(shop, 9, orders=4)  # the rebuilding dies, and begins again
    flow.run()
    assert len({*Rebuilding(session_of(shop)).count()}) == 14
    rebuilding.finish(generation)
    rebuilding.finish(generation)
    trade(shop, 10, orders=3)
    flow.run()
    check(shop)
    since = now() - timedelta(days=40)
    assert [*Rebuilding(session_of(shop)).clean(1, since)]
    assert [*Rebuilding(session_of(shop)).clean(1, since)] == []
    check(shop)
    audit(shop, tmp_path)


def _any_row_of_sales(shop: Shop) -> keys.Key:
    from repositories.stats import keys as stats_keys

    for shard in range(keys.SHARDS):
        for row in table().whole_partition(stats_keys.sales_pk(shop.tenant, 1, f"{now():%Y-%m}", shard)):
            if stats_keys.is_day(row["sk"]):
                return keys.Key(row["pk"], row["sk"])
    raise AssertionError("there are no sales")


def test_the_audit_finds_figures_that_are_not_what_was_counted(shop: Shop, tmp_path: Path) -> None:
    trade(shop, 3, orders=4)
    Flow(shop).run()
    audit(shop, tmp_path)
    change_row(_any_row_of_sales(shop), "SET units = units + :n", n=1)
    with pytest.raises(Exception, match=r"Figures .*units"):
        audit(shop, tmp_path)


def test_the_audit_finds_an_order_that_was_never_counted(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = shop.add(stock=9)["id"]
    shop.pay(shop.order({item: 1}).json["id"])
    audit(shop, tmp_path)
    monkeypatch.setattr("cli.audit.state.now", lambda: now() + timedelta(hours=4))
    with pytest.raises(Exception, match="not counted"):
        audit(shop, tmp_path)
