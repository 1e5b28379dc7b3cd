"""What AWS fails with that nobody here can help."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from domain.common.errors import Unavailable

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
"""Error codes of credentials that are no longer good; a client with new ones is made for the next request."""

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
"""Reasons of a cancelled transaction that mean the same."""


@contextmanager
def mapped_to_domain() -> Iterator[None]:
    """Turn what is nobody's mistake into Unavailable; a mistake of ours stays an exception of botocore."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in UNAVAILABLE:
            raise Unavailable from error
        raise
    except BotoCoreError as error:
        raise Unavailable from error
