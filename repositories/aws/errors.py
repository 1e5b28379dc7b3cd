"""Maps transient AWS errors to Unavailable."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, SSLError

from domain.common.errors import Unavailable
from repositories.aws.clients import trust_all_roots
from repositories.aws.tenant_credentials import forget_current

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
"""Error codes of expired credentials; the next request gets new ones."""

UNAVAILABLE = EXPIRED | frozenset(
    {
        "InternalErrorException",
        "InternalServerError",
        "InternalServiceError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""Error codes of DynamoDB, Cognito, STS and Secrets Manager after which the same request may succeed later."""

THROTTLED = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError", "RequestLimitExceeded"})
"""Cancellation reasons of a transaction that mean throttling."""


@contextmanager
def mapped_to_domain() -> Iterator[None]:
    """Raise Unavailable for the error codes in UNAVAILABLE, and for errors without a response (BotoCoreError).

    Other ClientErrors pass through. After expired credentials or an unknown certificate authority, the next request
    gets other credentials, or trusts all authorities.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in EXPIRED:
            forget_current()
        if code in UNAVAILABLE:
            raise Unavailable from error
        raise
    except BotoCoreError as error:
        if isinstance(error, SSLError):
            trust_all_roots()
        raise Unavailable from error
