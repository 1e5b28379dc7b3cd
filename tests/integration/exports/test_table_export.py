"""Export of the whole table on moto, read by the queries of docs/analysis.md."""

import re
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest

from cli.stacks import outputs_of
from cli.table_export import PREFIX, TableExport, begin, wait
from handlers.registry import ROOT
from local.database import TABLE_NAME
from tests.integration.exports.exporting import Exporting, download, sell
from tests.shop import Shop


def _query(name: str) -> str:
    """Return a query of the page."""
    found = re.search(rf"<!-- {name} -->\n```sql\n(.*?)```", (ROOT / "docs" / "analysis.md").read_text(), re.DOTALL)
    assert found
    return found[1]


def _rows(query: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.chdir(folder)
    with duckdb.connect() as database:
        return database.execute(query).fetchall()


@pytest.fixture
def bucket(moto_shop: Shop) -> str:
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="lake")
    table = boto3.client("dynamodb")
    table.update_continuous_backups(
        TableName=TABLE_NAME, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    return "lake"


def test_the_table_is_exported_and_read(
    moto_shop: Shop, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = moto_shop.add(stock=9)["id"]
    orders = [moto_shop.order({item: units}).json for units in (1, 2)]
    dynamodb = boto3.client("dynamodb")
    begun = begin(dynamodb, TABLE_NAME, bucket, None)
    assert wait(dynamodb, begun, lambda _: None) > 4
    s3 = boto3.client("s3", region_name="us-east-1")
    folder = tmp_path / "data"
    folder.mkdir()
    for number, listed in enumerate(s3.list_objects_v2(Bucket=bucket, Prefix=f"{PREFIX}/AWSDynamoDB/")["Contents"]):
        content = s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read()
        (folder / f"{number}.gz").write_bytes(content)
    found = [row for row in _rows(_query("rows"), tmp_path, monkeypatch) if row[0] == moto_shop.tenant]
    assert found == [
        (moto_shop.tenant, each["id"], "pending", minor, "EUR")
        for each, minor in zip(orders, (1299, 2598), strict=True)
    ]


def test_a_failed_export_says_why() -> None:
    class Failing:
        """DynamoDB whose exports fail."""

        def describe_export(self, **_: Any) -> Any:
            return {"ExportDescription": {"ExportStatus": "FAILED", "FailureMessage": "no such bucket"}}

    with pytest.raises(LookupError, match="no such bucket"):
        wait(Failing(), TableExport("arn/1"))


def test_the_query_of_exported_orders(exporting: Exporting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = exporting.shop
    item = shop.add(stock=9)["id"]
    for units in (1, 2):
        sell(shop, {item: units})
    shop.order({item: 1})
    [file] = exporting.finish(exporting.begin("orders", "parquet"))["files"]
    (tmp_path / "orders.parquet").write_bytes(download(file))
    [(_, currency, orders, total)] = _rows(_query("orders"), tmp_path, monkeypatch)
    assert (currency, orders, f"{total:.2f}") == ("EUR", 2, "38.97")


def test_an_unknown_stack_is_named(moto_shop: Shop) -> None:
    with pytest.raises(LookupError, match="There is no stack None-such"):
        outputs_of(boto3.client("cloudformation", region_name="eu-west-1"), "None-such")
