"""Helpers shared by the order tests."""

from tests.shop import Answer, Shop


def brought_to(status: str, shop: Shop, order_id: str) -> Answer | None:
    ways = {
        "pending": [],
        "paid": ["pay"],
        "shipped": ["pay", "ship"],
        "delivered": ["pay", "ship", "deliver"],
        "cancelled": ["cancel"],
        "refunded": ["pay", "refund"],
    }
    answer = None
    for move in ways[status]:
        answer = shop.pay(order_id) if move == "pay" else shop.move(order_id, move)
        assert answer.status in {200, 201}, answer.body
    return answer
