"""AWS clients, each made once, when first needed.

They are botocore's: boto3's low-level clients are the same objects, and importing boto3 takes a tenth of a cold start.
"""

from functools import cache
from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    tcp_keepalive=True,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
)
"""A table that is well answers in milliseconds: better to ask again soon than to wait."""


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def dynamodb() -> "DynamoDBClient":
    """Return the DynamoDB client; it may be shared by threads."""
    return cast("DynamoDBClient", _session().create_client("dynamodb", config=_CONFIG))


@cache
def secretsmanager() -> "SecretsManagerClient":
    """Return the Secrets Manager client."""
    return cast("SecretsManagerClient", _session().create_client("secretsmanager", config=_CONFIG))
