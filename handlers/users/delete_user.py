"""DELETE /v1/users/{user_id}: erase a user."""

from domain.common.errors import Contention, InvalidState, NotFound, PreconditionFailed
from domain.identity.permissions import Permission
from handlers.dependencies.users import Users
from handlers.http.route import Route

api = Route()


@api.delete(
    "/v1/users/<user_id>",
    permission=Permission.USERS_WRITE,
    status=204,
    raises=[NotFound, InvalidState, PreconditionFailed, Contention],
)
def delete_user(user_id: str, users: Users) -> None:
    """Erase a user: no sign-in, nothing personal left, the e-mail address free again."""
    users.delete(user_id)


handler = api.handler
