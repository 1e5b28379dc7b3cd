"""GET /v1/users/me: read one's own profile."""

from domain.access import Permission
from domain.errors import Contention, NotFound
from domain.users import User
from handlers.api import Api
from handlers.users import Users
from repositories.access import Access

api = Api()


@api.get("/v1/users/me", permission=Permission.PROFILE, access=[Access.GET], raises=[NotFound, Contention])
def get_me(users: Users) -> User:
    """Read one's own profile."""
    return users.get(users.caller.subject)


handler = api.handler
