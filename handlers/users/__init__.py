"""People of a tenant."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from handlers.parameters import session_of
from repositories.directory import directory
from repositories.users import UserRepository


def _users(request: Request) -> UserRepository:
    return UserRepository(session_of(request), directory())


Users = Annotated[UserRepository, Depends(_users)]
