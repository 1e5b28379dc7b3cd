"""IAM actions that a function may perform. Its role grants these and nothing else.

Repository methods declare the actions that they use; the role of a route's function follows from the methods that the
route calls (`handlers.registry`).
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any


class IamAction(StrEnum):
    """An IAM action, or a group of actions, which has a value without a colon.

    A transaction needs the actions of its parts (DynamoDB developer guide, "Using IAM with DynamoDB transactions").
    """

    GET = "dynamodb:GetItem"
    BATCH_GET = "dynamodb:BatchGetItem"
    CHECK = "dynamodb:ConditionCheckItem"
    QUERY = "dynamodb:Query"
    PUT = "dynamodb:PutItem"
    UPDATE = "dynamodb:UpdateItem"
    DELETE = "dynamodb:DeleteItem"
    DESCRIBE = "dynamodb:DescribeTable"
    LIST = "gsi1"
    """Query on the index of lists (gsi1), and reading the keys that sign cursors."""
    WALK = "gsi1-walk"
    """Query on the index of lists alone, for functions that walk whole lists and need no cursors."""
    SIGN = "sign"
    """Reading the keys that sign cursors, for lists that use no index."""
    LIST_BELOW = "gsi2"
    """Query on the index of a parent's lists (gsi2), such as a customer's orders."""
    DUE = "gsi3"
    """Query on the work list (gsi3), across tenants."""
    COUNT = "usage"
    """Adding to the rows that count a tenant's function time, and to no others."""
    SIGN_WEBHOOKS = "sign-webhooks"
    """Reading the key from which the secrets of webhook endpoints and of calendars' addresses are derived."""
    PROVIDER_SECRETS = "provider-secrets"
    """Reading the tenant's credentials for payment providers."""
    SET_PROVIDER_SECRETS = "set-provider-secrets"
    """Writing and deleting them."""
    READ_EXPORTS = "read-exports"
    """Reading the tenant's files of exports, for download URLs."""
    WRITE_EXPORTS = "write-exports"
    """Writing them."""
    PUBLISH = "publish"
    """Sending events to the bus and the queue of events, and deliveries to theirs."""
    INVITE = "cognito-idp:AdminCreateUser"
    READ_USER = "cognito-idp:AdminGetUser"
    READ_GROUPS = "cognito-idp:AdminListGroupsForUser"
    ADD_TO_GROUP = "cognito-idp:AdminAddUserToGroup"
    REMOVE_FROM_GROUP = "cognito-idp:AdminRemoveUserFromGroup"
    REMOVE_USER = "cognito-idp:AdminDeleteUser"
    ROTATE = "rotate"
    """Reading and writing the secret with the keys that sign cursors."""

    @property
    def on_index(self) -> str:
        """The index of an action on one, such as `gsi1`."""
        return self.value.partition("-")[0]

    @property
    def service(self) -> str:
        """The prefix of the action's AWS service, such as `dynamodb`; for a group, its value."""
        return self.value.partition(":")[0]


INVITATION = (IamAction.INVITE, IamAction.READ_USER, IamAction.REMOVE_USER)
"""Actions to invite a user."""
GROUP_CHANGE = (IamAction.READ_GROUPS, IamAction.ADD_TO_GROUP, IamAction.REMOVE_FROM_GROUP)
"""Actions to put a user into the group of their role."""

PAYING = (
    *(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY, IamAction.PUT, IamAction.UPDATE),
    IamAction.PROVIDER_SECRETS,
)
"""Actions to go on with a payment or refund: what a provider answers may pay, reopen or refund its order."""


def uses[M: Callable[..., Any]](*actions: IamAction) -> Callable[[M], M]:
    """Declare the IAM actions used by a repository method, or by a function that a trigger calls."""

    def declare(method: M) -> M:
        vars(method)["iam_actions"] = frozenset(actions)
        return method

    return declare


def used_by(method: Any) -> frozenset[IamAction] | None:
    """Return the IAM actions that a method declares, or None if it declares none."""
    found: frozenset[IamAction] | None = getattr(method, "iam_actions", None)
    return found
