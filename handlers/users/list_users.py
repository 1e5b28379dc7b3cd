"""GET /v1/users: list the users of the tenant."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.identity.email import EmailAddress
from domain.identity.permissions import Permission
from domain.identity.users import User
from handlers.dependencies.users import Users
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/users",
    permission=Permission.USERS_READ,
    raises=[CursorInvalid],
)
def list_users(
    users: Users,
    email: Annotated[EmailAddress | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[User]:
    """List users, newest first. `email` finds the user with that address in any spelling. Deleted users are omitted."""
    if email is not None:
        return users.by_email(email, PageRequest(limit, cursor))
    return users.page(PageRequest(limit, cursor))


handler = api.handler
