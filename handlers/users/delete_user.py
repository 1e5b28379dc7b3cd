"""DELETE /v1/users/{user_id}: delete a user."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from handlers.dependencies.users import Users
from handlers.http.route import Route

api = Route()


@api.delete(
    "/v1/users/<user_id>",
    permission=Permission.USERS_WRITE,
    status=204,
    raises=[NotFound, InvalidState, Contention],
)
def delete_user(user_id: str, users: Users) -> None:
    """Delete a user. Sign-in ends, personal data is erased and the e-mail address can be used again.

    409 for the caller's own user: another owner must delete it.
    """
    users.delete(user_id)


handler = api.handler
