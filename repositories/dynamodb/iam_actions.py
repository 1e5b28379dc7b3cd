"""What a function may do: its role grants this and nothing else."""

from enum import StrEnum


class Access(StrEnum):
    """One permission, named by its IAM action.

    A transaction needs the actions of its parts (DynamoDB developer guide, "Transactions: IAM").
    """

    GET = "dynamodb:GetItem"
    BATCH_GET = "dynamodb:BatchGetItem"
    CHECK = "dynamodb:ConditionCheckItem"
    QUERY = "dynamodb:Query"
    PUT = "dynamodb:PutItem"
    UPDATE = "dynamodb:UpdateItem"
    DELETE = "dynamodb:DeleteItem"
    LIST = "gsi1"
    """Query on the index of lists. It also signs cursors."""
    SIGN = "sign"
    """Signing cursors of a list that is no index."""
    LIST_BELOW = "gsi2"
    """Query on the index of lists that belong to something, such as a customer's orders."""
    DUE = "gsi3"
    """Query and Scan on the index of due work, across tenants."""
    INVITE = "cognito-idp:AdminCreateUser"
    READ_USER = "cognito-idp:AdminGetUser"
    READ_GROUPS = "cognito-idp:AdminListGroupsForUser"
    ADD_TO_GROUP = "cognito-idp:AdminAddUserToGroup"
    REMOVE_FROM_GROUP = "cognito-idp:AdminRemoveUserFromGroup"
    REMOVE_USER = "cognito-idp:AdminDeleteUser"
    ROTATE = "rotate"
    """Reading and writing the secret that holds the keys of cursors."""

    @property
    def service(self) -> str:
        """The service that the action is of."""
        return self.value.partition(":")[0]


INVITATION = (Access.INVITE, Access.READ_USER, Access.REMOVE_USER)
"""What inviting a user takes."""
DIRECTORY_WRITES = (Access.READ_GROUPS, Access.ADD_TO_GROUP, Access.REMOVE_FROM_GROUP)
"""What putting a user into the group of their role takes."""
