"""Helpers shared by the ledger tests."""

from typing import Any

from tests.shop import Shop


def balances(shop: Shop, as_of: str = "") -> dict[str, Any]:
    """Return the trial balance, and check that it balances."""
    trial: dict[str, Any] = shop.get("/ledger/trial-balance" + (f"?as_of={as_of}" if as_of else "")).json
    for total in trial["totals"]:
        assert total["debit"] == total["credit"], trial
    return trial
