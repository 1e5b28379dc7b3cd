"""Tests of each item route on moto, a second implementation of DynamoDB, to rule out peculiarities of Dynoxide."""

from tests.shop import Shop, new_item


def test_the_life_of_an_item(moto_shop: Shop) -> None:
    shop = moto_shop
    item = shop.post("/items", new_item(sku="A", stock=5), key="k").json
    path = f"/items/{item['id']}"
    assert shop.post("/items", new_item(sku="A", stock=5), key="k").json == item
    assert shop.post("/items", new_item(sku="A")).code == "SKU_TAKEN"
    assert shop.get(path).json == item
    assert shop.adjust(item["id"], -6).code == "OUT_OF_STOCK"
    assert shop.adjust(item["id"], -5).json["stock"]["available"] == 0
    assert shop.patch(path, {"sku": "B"}, '"2"').json["version"] == 3
    assert shop.patch(path, {"sku": "C"}, '"2"').code == "PRECONDITION_FAILED"
    assert shop.get("/items?sku=B").json["items"][0]["id"] == item["id"]
    rows = [new_item(sku="B"), new_item(sku="D")]
    results = shop.post("/items/batch", {"items": rows}, key="b").json["results"]
    assert [row["status"] for row in results] == [409, 201]
    assert len(shop.walk(1)) == 2
    assert shop.delete(path, '"3"').status == 204
    assert len(shop.walk(1)) == 1
    assert shop.get("/health").json["status"] == "healthy"
    assert shop.get("/openapi.json").json["info"]["title"] == "Tradepost"
    assert b"SwaggerUIBundle" in shop.get("/docs").body
