"""Dependency of routes on users."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.identity.user_pool import user_pool
from repositories.identity.users import UserRepository

Users = Annotated[UserRepository, repository(lambda session: UserRepository(session, user_pool()))]
