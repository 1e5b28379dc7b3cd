"""AWS clients, each created on first use and then reused.

They are botocore clients: boto3's low-level clients are the same objects, and importing boto3 takes a tenth of a cold
start.
"""

from functools import cache
from typing import TYPE_CHECKING, cast

import botocore
import botocore.session
from botocore.config import Config

from domain import VERSION

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import CredentialsTypeDef

SDK_VERSION: str = botocore.__version__
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    tcp_keepalive=True,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
    user_agent=f"tradepost/{VERSION}",
)
"""Short timeouts: a healthy table responds in milliseconds, so an early retry is better than a long wait.

Client input never determines a request's structure, so botocore's parameter validation is off. A fixed user agent
avoids building one, twice, for each request. Together this saves a sixth of a call's CPU.
"""


_PATIENT = _CONFIG.merge(Config(read_timeout=5))
"""Configuration with a longer timeout, for services that respond in tenths of a second."""


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def dynamodb() -> "DynamoDBClient":
    """Return the DynamoDB client, which threads may share."""
    return cast("DynamoDBClient", _session().create_client("dynamodb", config=_CONFIG))


def dynamodb_with(credentials: "CredentialsTypeDef") -> "DynamoDBClient":
    """Return a new DynamoDB client that uses these temporary credentials."""
    client = _session().create_client(
        "dynamodb",
        config=_CONFIG,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    return cast("DynamoDBClient", client)


@cache
def sts() -> "STSClient":
    """Return the Security Token Service client."""
    return cast("STSClient", _session().create_client("sts", config=_CONFIG))


@cache
def cognito() -> "CognitoIdentityProviderClient":
    """Return the client for Cognito user pools."""
    return cast("CognitoIdentityProviderClient", _session().create_client("cognito-idp", config=_PATIENT))


@cache
def secretsmanager() -> "SecretsManagerClient":
    """Return the Secrets Manager client."""
    return cast("SecretsManagerClient", _session().create_client("secretsmanager", config=_CONFIG))
