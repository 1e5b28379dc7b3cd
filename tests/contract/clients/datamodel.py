"""Use of the models that datamodel-code-generator writes, with httpx."""

import os
from uuid import uuid4

import httpx
from models import Currency, Item, ItemPatch, Money, NewItem, NewLine, NewOrder, Order, PageItemSummary, Problem

api = httpx.Client(
    base_url=os.environ["TRADEPOST_API"], headers={"Authorization": f"Bearer {os.environ['TRADEPOST_TOKEN']}"}
)
price = Money(amount="12.99", currency=Currency.EUR)
created = api.post(
    "/v1/items", json=NewItem(name="Mug", price=price, stock=10).model_dump(mode="json", exclude_unset=True)
)
item = Item.model_validate(created.json())
patch = ItemPatch(name="Red mug").model_dump(mode="json", exclude_unset=True)
changed = Item.model_validate(
    api.patch(f"/v1/items/{item.id}", json=patch, headers={"If-Match": created.headers["ETag"]}).json()
)
print(changed.name, changed.price.amount)


def order(units: int) -> httpx.Response:
    """Place an order."""
    body = NewOrder(lines=[NewLine(item_id=item.id, quantity=units)]).model_dump(mode="json", exclude_unset=True)
    return api.post("/v1/orders", json=body, headers={"Idempotency-Key": str(uuid4())})


placed = Order.model_validate(order(2).json())
print(placed.status.value, placed.total.amount)
refused = Problem.model_validate(order(99).json())
print(*(f"{error.pointer} {error.detail}" for error in refused.errors))
count, query = 0, {"limit": "1"}
while True:
    page = PageItemSummary.model_validate(api.get("/v1/items", params=query).json())
    count += len(page.items)
    if page.next_cursor is None:
        break
    query["cursor"] = page.next_cursor
print(count, "items")
