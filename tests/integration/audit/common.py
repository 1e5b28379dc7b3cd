"""Helpers shared by the audit tests."""

from pathlib import Path
from typing import Any

from rich.progress import Progress

from cli.audit import Audit
from repositories.aws.clients import dynamodb
from repositories.dynamodb.codec import encode
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Meter, Table
from tests.shop import Shop


def audit_of(shop: Shop, tmp_path: Path, rate: float = 1e6) -> Audit:
    table = Table(dynamodb(), "tradepost", Meter())
    return Audit(table, shop.tenant, tmp_path / "state.json", rate, Progress(disable=True))


def audit(shop: Shop, tmp_path: Path) -> dict[str, int]:
    return audit_of(shop, tmp_path).run()


def change_row(key: Key, change: str, **values: Any) -> None:
    options: dict[str, Any] = {}
    if values:
        options["ExpressionAttributeValues"] = encode({f":{name}": value for name, value in values.items()})
    if "#s" in change:
        options["ExpressionAttributeNames"] = {"#s": "status"}
    dynamodb().update_item(
        TableName="tradepost",
        Key=encode(key._asdict()),
        UpdateExpression=change,
        **options,
    )
