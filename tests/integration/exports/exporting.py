"""An export as clients and workers see it."""

import csv
import gzip
import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any

import httpx
from arro3.io import read_parquet

from local.invocation import invoke
from repositories.dynamodb.codec import Row
from repositories.exports import keys as export_keys
from tests.integration.flow.common import table
from tests.shop import Answer, Shop

_ROUNDS = 12
"""Times that workers look for parts: more than parts follow one another."""


@dataclass
class Exporting:
    """Exports of a shop, whose parts are written when asked to."""

    shop: Shop

    def begin(self, dataset: str, form: str = "jsonl", **fields: Any) -> str:
        answer = self.shop.post("/exports", {"dataset": dataset, "format": form} | fields)
        assert answer.status == 202, answer.body
        assert answer.headers["location"] == f"/v1/exports/{answer.json['id']}"
        return str(answer.json["id"])

    def rows(self, export_id: str) -> list[Row]:
        return table().partition(export_keys.export(self.shop.tenant, export_id).pk)

    def pending(self, export_id: str) -> list[Row]:
        return [row for row in self.rows(export_id) if row["type"] == "export_part" and "written" not in row]

    def work(self, row: Row) -> None:
        """Call the worker with the message about a row."""
        message = {"tenant": self.shop.tenant, "pk": row["pk"], "sk": row["sk"]}
        invoke("WriteExports", {"Records": [{"body": json.dumps(message)}]})

    def finish(self, export_id: str) -> dict[str, Any]:
        """Write all parts, and return the export."""
        for _ in range(_ROUNDS):
            for row in self.pending(export_id):
                self.work(row)
        answer = self.shop.get(f"/exports/{export_id}")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    def export(self, dataset: str, form: str = "jsonl", **fields: Any) -> list[dict[str, Any]]:
        """Return the records of an export, in the order of its files."""
        finished = self.finish(self.begin(dataset, form, **fields))
        assert finished["status"] == "succeeded", finished
        return [record for each in finished["files"] for record in read(form, download(each))]


def fetch(url: str) -> httpx.Response:
    with httpx.Client() as client:
        return client.get(url)


def download(file: dict[str, Any]) -> bytes:
    answer = fetch(file["url"])
    assert answer.status_code == 200, answer.text
    assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (file["bytes"], file["sha256"])
    return answer.content


def read(form: str, content: bytes) -> list[dict[str, Any]]:
    if form == "csv":
        return [*csv.DictReader(io.StringIO(content.decode(), newline=""))]
    if form == "jsonl":
        return [json.loads(line) for line in gzip.decompress(content).decode().splitlines()]
    found = read_parquet(io.BytesIO(content)).read_all()
    columns = [found.column(name).to_pylist() for name in found.schema.names]
    return [dict(zip(found.schema.names, values, strict=True)) for values in zip(*columns, strict=True)]


def sell(shop: Shop, quantities: dict[str, int], **fields: Any) -> dict[str, Any]:
    """Place and pay an order, and return it."""
    placed: Answer = shop.order(quantities, **fields)
    assert placed.status == 201, placed.body
    assert shop.pay(placed.json["id"]).status == 201
    found: dict[str, Any] = shop.get(f"/orders/{placed.json['id']}").json
    return found


def order_ids(finished: dict[str, Any]) -> list[str]:
    assert finished["status"] == "succeeded"
    return [each["order_id"] for file in finished["files"] for each in read("jsonl", download(file))]


def sorted_ids(exporting: Exporting, export_id: str) -> list[str]:
    return sorted(order_ids(exporting.finish(export_id)))
