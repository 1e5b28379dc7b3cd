"""People of a tenant."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from handlers.http.parameters import session_of
from repositories.identity.user_pool import directory
from repositories.identity.users import UserRepository


def _users(request: Request) -> UserRepository:
    return UserRepository(session_of(request), directory())


Users = Annotated[UserRepository, Depends(_users)]
