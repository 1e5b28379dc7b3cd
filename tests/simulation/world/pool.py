"""The user pool, as Tradepost uses it: names are unique, a user has a subject, and both find them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import botocore.session
from botocore.exceptions import ClientError

from tests.simulation.world.scheduler import Scheduler


@dataclass(slots=True)
class PoolUser:
    """A user who can sign in."""

    name: str
    subject: str
    status: str
    groups: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Pool:
    """Cognito's client; each call takes a while and is atomic."""

    scheduler: Scheduler
    failing: float = 0.0
    """The share of calls that are throttled."""
    users: dict[str, PoolUser] = field(default_factory=dict)
    meta: Any = field(default_factory=lambda: SimpleNamespace(events=SimpleNamespace(register=lambda *_: None)))

    @property
    def exceptions(self) -> Any:
        """The classes of errors that the real client raises."""
        return _real().exceptions

    def add(self, name: str, status: str) -> PoolUser:
        """Put a user there, and return them."""
        subject = str(UUID(bytes=self.scheduler.chance.randbytes(16), version=4))
        self.users[name] = PoolUser(name, subject, status)
        return self.users[name]

    def with_subject(self, subject: str) -> PoolUser | None:
        """Return the user with a subject."""
        return next((user for user in self.users.values() if user.subject == subject), None)

    def admin_create_user(self, *, Username: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto's names
        def create() -> dict[str, Any]:
            if Username in self.users:
                raise self._error("UsernameExistsException")
            return {"User": {"Attributes": _attributes(self.add(Username, "FORCE_CHANGE_PASSWORD"))}}

        return self._call(create)

    def admin_get_user(self, *, Username: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        def get() -> dict[str, Any]:
            user = self._found(Username)
            return {"UserStatus": user.status, "UserAttributes": _attributes(user)}

        return self._call(get)

    def admin_list_groups_for_user(self, *, Username: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return self._call(lambda: {"Groups": [{"GroupName": each} for each in sorted(self._found(Username).groups)]})

    def admin_add_user_to_group(self, *, Username: str, GroupName: str, **_: Any) -> None:  # noqa: N803
        self._call(lambda: self._found(Username).groups.add(GroupName))

    def admin_remove_user_from_group(self, *, Username: str, GroupName: str, **_: Any) -> None:  # noqa: N803
        self._call(lambda: self._found(Username).groups.discard(GroupName))

    def admin_delete_user(self, *, Username: str, **_: Any) -> None:  # noqa: N803
        def delete() -> None:
            del self.users[self._found(Username).name]

        self._call(delete)

    def _call[T](self, act: Callable[[], T]) -> T:
        chance = self.scheduler.chance
        self.scheduler.wait(chance.expovariate(20) * (20 if chance.random() < 0.02 else 1))
        if chance.random() < self.failing:
            raise self._error("TooManyRequestsException")
        result = act()
        self.scheduler.wait(chance.expovariate(100))
        return result

    def _found(self, name: str) -> PoolUser:
        user = self.users.get(name) or self.with_subject(name)
        if user is None:
            raise self._error("UserNotFoundException")
        return user

    def _error(self, code: str) -> Exception:
        response: Any = {"Error": {"Code": code, "Message": "simulated"}}
        error: Exception = getattr(self.exceptions, code, ClientError)(response, "Cognito")
        return error


def _attributes(user: PoolUser) -> list[dict[str, str]]:
    return [{"Name": "sub", "Value": user.subject}]


@cache
def _real() -> Any:
    return botocore.session.get_session().create_client(
        "cognito-idp", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
