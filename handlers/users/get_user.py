"""GET /v1/users/{user_id}: read a user."""

from domain.access import Permission
from domain.errors import Contention, NotFound
from domain.users import User
from handlers.api import Api
from handlers.users import Users
from repositories.access import Access

api = Api()


@api.get("/v1/users/<user_id>", permission=Permission.PROFILE, access=[Access.GET], raises=[NotFound, Contention])
def get_user(user_id: str, users: Users) -> User:
    """Read a user. Customers read their own profile only."""
    users.caller.require_own_or(Permission.USERS_READ, user_id)
    return users.get(user_id)


handler = api.handler
