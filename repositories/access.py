"""What a function may do to the table: its role grants this and nothing else."""

from enum import StrEnum


class Access(StrEnum):
    """One permission on the table, named by its IAM action.

    A transaction needs the actions of its parts (DynamoDB developer guide, "Transactions: IAM").
    """

    GET = "dynamodb:GetItem"
    QUERY = "dynamodb:Query"
    PUT = "dynamodb:PutItem"
    UPDATE = "dynamodb:UpdateItem"
    DELETE = "dynamodb:DeleteItem"
    LIST = "gsi1"
    """Query on the index of lists. It also signs cursors."""
