"""POST /v1/users: add a user and send an invitation."""

from domain.common.errors import Contention, EmailTaken
from domain.identity.permissions import Permission, Role
from domain.identity.users import NewUser, User
from handlers.dependencies.users import Users
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/users",
    permission=Permission.USERS_CREATE,
    status=201,
    raises=[EmailTaken, Contention],
)
def create_user(new: NewUser, users: Users) -> User:
    """Add a user and send an invitation. Staff can add customers, owners any role. 409 if the address is taken."""
    if new.role is not Role.CUSTOMER:
        users.caller.require(Permission.USERS_WRITE)
    return users.create(new)


handler = api.handler
