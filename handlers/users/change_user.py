"""PATCH /v1/users/{user_id}: change a user by a JSON merge patch (RFC 7396)."""

from domain.common.errors import Contention, InvalidState, NotFound, PreconditionFailed
from domain.identity.permissions import Permission
from domain.identity.users import User, UserPatch
from handlers.dependencies.users import Users
from handlers.http.errors import PreconditionRequired
from handlers.http.etags import versions_in
from handlers.http.parameters import IfMatch
from handlers.http.route import Route

api = Route()


@api.patch(
    "/v1/users/<user_id>",
    permission=Permission.USERS_OWN,
    raises=[NotFound, InvalidState, PreconditionFailed, PreconditionRequired, Contention],
)
def change_user(user_id: str, patch: UserPatch, if_match: IfMatch, users: Users) -> User:
    """Change a user. Users can change their own name and phone; owners can change any user.

    Only owners can change roles, except their own (409). Writes with tokens for the previous role then fail (401).
    """
    users.caller.require_own_or(Permission.USERS_WRITE, user_id)
    if "role" in patch.model_fields_set:
        users.caller.require(Permission.USERS_WRITE)
    return users.change(user_id, patch, versions_in(if_match))


handler = api.handler
