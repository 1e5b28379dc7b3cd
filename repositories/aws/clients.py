"""AWS clients, each created on first use and then reused.

They are botocore clients: boto3's low-level clients are the same objects, and importing boto3 takes a tenth of a cold
start.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import botocore
import botocore.session
from botocore.config import Config

from domain import VERSION
from repositories.aws.settings import http_settings, settings
from repositories.aws.tenant_credentials import Provider
from repositories.aws.trust import trust

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

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

_FOR_FILES = _CONFIG.merge(
    Config(read_timeout=60, signature_version="s3v4", request_checksum_calculation="when_required")
)
"""Configuration for uploads, which take long, and for URLs in the signature that all regions accept."""


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


def _tenant_session() -> botocore.session.Session:
    """Return a session with the credentials of the current tenant, which shares what the other has loaded."""
    session = botocore.session.Session()
    session.register_component("data_loader", _session().get_component("data_loader"))
    session.register_component("credential_provider", Provider())
    return session


def _client(service: str, config: Config = _CONFIG, session: botocore.session.Session | None = None) -> Any:
    return (session or _session()).create_client(service, config=config, verify=trust.file())


@cache
def dynamodb() -> "DynamoDBClient":
    """Return the DynamoDB client, which threads may share.

    Its credentials are those of the current request's tenant if the function has a tenant role, else the function's.
    """
    session = _tenant_session() if settings().tenant_role else None
    return cast("DynamoDBClient", _client("dynamodb", session=session))


@cache
def sts() -> "STSClient":
    """Return the Security Token Service client."""
    return cast("STSClient", _client("sts"))


@cache
def cognito() -> "CognitoIdentityProviderClient":
    """Return the client for Cognito user pools."""
    return cast("CognitoIdentityProviderClient", _client("cognito-idp", _PATIENT))


@cache
def secretsmanager() -> "SecretsManagerClient":
    """Return the Secrets Manager client."""
    return cast("SecretsManagerClient", _client("secretsmanager"))


@cache
def tenant_secrets() -> "SecretsManagerClient":
    """Return the Secrets Manager client with the credentials of the current tenant, as `dynamodb` has them."""
    session = _tenant_session() if settings().tenant_role else None
    return cast("SecretsManagerClient", _client("secretsmanager", session=session))


@cache
def sqs() -> "SQSClient":
    """Return the client for queues."""
    return cast("SQSClient", _client("sqs", _PATIENT))


@cache
def eventbridge() -> "EventBridgeClient":
    """Return the client for event buses."""
    return cast("EventBridgeClient", _client("events", _PATIENT))


@cache
def s3() -> "S3Client":
    """Return the client for files of exports, with the credentials of the current tenant, as `dynamodb` has them."""
    session = _tenant_session() if settings().tenant_role else None
    return cast("S3Client", _client("s3", _FOR_FILES, session=session))


ALL = (dynamodb, sts, cognito, secretsmanager, tenant_secrets, sqs, eventbridge, s3)


def make_early() -> None:
    """Create the clients that the function will need, if Lambda is initializing it.

    Initialization has more CPU than calls get at the function's memory size, and is part of a SnapStart snapshot.
    """
    if not http_settings().initialization_type:
        return
    needed = settings()
    dynamodb()
    for client, needs in (
        (sts, needed.tenant_role),
        (cognito, needed.user_pool_id),
        (secretsmanager, needed.cursor_secret),
        (sqs, needed.event_queue or needed.delivery_queue),
        (eventbridge, needed.event_bus),
        (s3, needed.export_bucket),
    ):
        if needs:
            client()


def trust_all_roots() -> None:
    """Create clients anew that trust all certificate authorities, as one was met that the short list does not have."""
    if trust.file():
        trust.all_roots = True
        for client in ALL:
            client.cache_clear()
