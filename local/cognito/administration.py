"""Operations of administrators: Tradepost's functions and the command line, not applications."""

from collections.abc import Callable
from dataclasses import dataclass

from local.cognito.requests import Request, Result, required
from local.cognito.triggers import Triggers
from local.cognito.users import CONFIRMED, INVITED, PoolUser, Users, listed, unlisted


@dataclass(frozen=True, slots=True)
class Administration:
    """Operations of administrators. `notify` is called with what Cognito would send by e-mail."""

    users: Users
    triggers: Triggers
    notify: Callable[[str], None]

    def admin_create_user(self, request: Request) -> Result:
        """Invite a user, who gets a temporary password."""
        name, attributes = required(request, "Username"), unlisted(request.get("UserAttributes"))
        password = request.get("TemporaryPassword") or f"Aa1!{self.users.chance.randbytes(6).hex()}"
        user = self.users.new(name, INVITED, attributes, password)
        if not self.users.find(name):
            self.triggers.pre_sign_up(user, "AdminCreateUser")
        self.users.add(user)
        if request.get("MessageAction") != "SUPPRESS":
            self.notify(f"Invitation for {attributes.get('email')} ({user.name}): the temporary password is {password}")
        return {"User": _summary(user) | {"Attributes": listed(user.shown())}}

    def admin_get_user(self, request: Request) -> Result:
        """Return a user."""
        user = self.users.get(required(request, "Username"))
        return _summary(user) | {"UserAttributes": listed(user.shown())}

    def admin_delete_user(self, request: Request) -> Result:
        """Delete a user."""
        self.users.remove(self.users.get(required(request, "Username")))
        return {}

    def admin_set_user_password(self, request: Request) -> Result:
        """Set a user's password; if it is not permanent, the user has to change it."""
        user = self.users.get(required(request, "Username"))
        user.set_password(required(request, "Password"))
        user.status = CONFIRMED if request.get("Permanent") else INVITED
        self.users.save()
        return {}

    def admin_list_groups_for_user(self, request: Request) -> Result:
        """Return the groups of a user."""
        user = self.users.get(required(request, "Username"))
        return {"Groups": [{"GroupName": name} for name in user.groups]}

    def admin_add_user_to_group(self, request: Request) -> Result:
        """Add a user to a group."""
        user, group = self.users.get(required(request, "Username")), required(request, "GroupName")
        if group not in user.groups:
            user.groups.append(group)
        self.users.save()
        return {}

    def admin_remove_user_from_group(self, request: Request) -> Result:
        """Remove a user from a group."""
        user, group = self.users.get(required(request, "Username")), required(request, "GroupName")
        user.groups = [name for name in user.groups if name != group]
        self.users.save()
        return {}


def _summary(user: PoolUser) -> Result:
    at = {"UserCreateDate": user.created_at, "UserLastModifiedDate": user.created_at}
    return {"Username": user.name, "Enabled": True, "UserStatus": user.status} | at
