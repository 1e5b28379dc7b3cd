"""Maps transient AWS errors to Unavailable."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from domain.common.errors import Unavailable

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
"""Error codes of expired credentials; the next request gets a client with new ones."""

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

    Other ClientErrors pass through.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in UNAVAILABLE:
            raise Unavailable from error
        raise
    except BotoCoreError as error:
        raise Unavailable from error
