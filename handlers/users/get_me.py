"""GET /v1/users/me: get the caller's own profile."""

from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from domain.identity.users import User
from handlers.dependencies.users import Users
from handlers.http.route import Route

api = Route()


@api.get("/v1/users/me", permission=Permission.USERS_OWN, raises=[NotFound, Contention])
def get_me(users: Users) -> User:
    """Get the caller's own profile."""
    return users.get(users.caller.subject)


handler = api.handler
