"""GET /v1/users/{user_id}: get a user."""

from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from domain.identity.users import User
from handlers.dependencies.users import Users
from handlers.http.route import Route

api = Route()


@api.get("/v1/users/<user_id>", permission=Permission.USERS_OWN, raises=[NotFound, Contention])
def get_user(user_id: str, users: Users) -> User:
    """Get a user. Customers can get only their own profile."""
    users.caller.require_own_or(Permission.USERS_READ, user_id)
    return users.get(user_id)


handler = api.handler
