"""GET /v1/users: list the users of the tenant."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.access import Permission
from domain.email import EmailAddress
from domain.errors import CursorInvalid
from domain.pages import Page, PageRequest
from domain.users import User
from handlers.api import Api
from handlers.parameters import Cursor, Limit
from handlers.users import Users
from repositories.access import Access

api = Api()


@api.get(
    "/v1/users",
    permission=Permission.USERS_READ,
    access=[Access.GET, Access.LIST],
    raises=[CursorInvalid],
)
def list_users(
    users: Users,
    email: Annotated[EmailAddress | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[User]:
    """List users, newest first, or find the one with an e-mail address, in any spelling."""
    if email is not None:
        return users.by_email(email)
    return users.page(PageRequest(limit, cursor))


handler = api.handler
