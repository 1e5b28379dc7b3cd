"""Users of the local pool, kept in a file."""

import json
import os
import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random, SystemRandom
from typing import Any
from uuid import UUID

from local.cognito.errors import CognitoError, invalid_parameter, not_authorized
from local.cognito.srp import Verifier

POOL_ID = "eu-west-1_tradepost"
POOL = POOL_ID.partition("_")[2]
"""The part of the pool's id that passwords are hashed with."""

UNCONFIRMED, CONFIRMED, INVITED = "UNCONFIRMED", "CONFIRMED", "FORCE_CHANGE_PASSWORD"

_POLICY = {
    "Password not long enough": r".{12}",
    "Password must have lowercase characters": "[a-z]",
    "Password must have uppercase characters": "[A-Z]",
    "Password must have numeric characters": "[0-9]",
    "Password must have symbol characters": r"[^A-Za-z0-9]",
}
"""What the deployed pool demands of a password (`infra/constructs/identity.py`), by the message if it is missing."""


@dataclass(slots=True)
class PoolUser:
    """A user of the pool."""

    name: str
    subject: str
    status: str
    attributes: dict[str, str]
    groups: list[str] = field(default_factory=list)
    salt: str = ""
    verifier: str = ""
    code: str = ""
    """Code that was sent to confirm the address or to reset the password, until it is used."""
    refresh_tokens: list[str] = field(default_factory=list)
    created_at: float = field(default_factory=lambda: datetime.now(UTC).timestamp())

    @property
    def password(self) -> Verifier:
        """The verifier of the password. Raises CognitoError without a password."""
        if not self.verifier:
            raise not_authorized()
        return Verifier(int(self.salt, 16), int(self.verifier, 16))

    def set_password(self, password: str) -> None:
        """Set the password. Raises CognitoError if it is too weak."""
        for problem, pattern in _POLICY.items():
            if not re.search(pattern, password):
                raise CognitoError("InvalidPasswordException", f"Password did not conform with policy: {problem}")
        made = Verifier.of(POOL, self.name, password)
        self.salt, self.verifier = f"{made.salt:x}", f"{made.value:x}"

    def shown(self) -> dict[str, str]:
        """Return the attributes with the subject."""
        return {"sub": self.subject} | self.attributes


class Users:
    """All users, found by name without regard to case, or by subject. They are stored in `file`, if there is one.

    Raises LookupError for a damaged file.
    """

    def __init__(self, file: Path | None) -> None:
        self.chance: Random = SystemRandom()
        self._file = file
        self._lock = threading.RLock()
        self._by_name: dict[str, PoolUser] = {}
        if file and file.exists():
            self._by_name = _stored(file)

    def new(self, name: str, status: str, attributes: dict[str, str], password: str) -> PoolUser:
        """Return a user to add, with a new subject. Raises CognitoError for a malformed name or a weak password."""
        if not re.fullmatch(r"\S{1,128}", name):
            raise invalid_parameter("A user name has 1 to 128 characters and no spaces.")
        subject = str(UUID(bytes=self.chance.randbytes(16), version=4))
        user = PoolUser(name.lower(), subject, status, attributes)
        user.set_password(password)
        return user

    def add(self, user: PoolUser) -> None:
        """Add a user. Raises CognitoError if the name is taken."""
        with self._lock:
            if user.name in self._by_name:
                raise CognitoError("UsernameExistsException", "User already exists")
            self._by_name[user.name] = user
            self.save()

    def add_invited(self, users: Iterable[PoolUser]) -> None:
        """Add users all at once, in place of those with their names."""
        with self._lock:
            self._by_name |= {user.name: user for user in users}
            self.save()

    def find(self, name: str) -> PoolUser | None:
        """Return the user with a name or a subject, or None."""
        by_subject = (user for user in list(self._by_name.values()) if user.subject == name)
        return self._by_name.get(name.lower()) or next(by_subject, None)

    def get(self, name: str) -> PoolUser:
        """Return the user with a name or a subject. Raises CognitoError."""
        user = self.find(name)
        if user is None:
            raise CognitoError("UserNotFoundException", "User does not exist.")
        return user

    def remove(self, user: PoolUser) -> None:
        """Remove a user."""
        with self._lock:
            self._by_name.pop(user.name, None)
            self.save()

    def save(self) -> None:
        """Store all users, after a change to one."""
        if not self._file:
            return
        with self._lock:
            fresh = self._file.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps([asdict(user) for user in self._by_name.values()]))
            os.replace(fresh, self._file)  # noqa: PTH105 - atomic

    def with_refresh_token(self, token: str) -> PoolUser:
        """Return the user of a refresh token. Raises CognitoError."""
        for user in list(self._by_name.values()):
            if token in user.refresh_tokens:
                return user
        raise not_authorized("Invalid Refresh Token")


def _stored(file: Path) -> dict[str, PoolUser]:
    try:
        return {each["name"]: PoolUser(**each) for each in json.loads(file.read_text())}
    except (ValueError, TypeError, KeyError):
        raise LookupError(f"{file} is damaged. Remove it, and the next start invites the users of the table.") from None


def listed(attributes: dict[str, str]) -> list[dict[str, str]]:
    """Return attributes in the form of the API."""
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def unlisted(attributes: Any) -> dict[str, str]:
    """Return attributes that came in the form of the API."""
    return {each["Name"]: each.get("Value", "") for each in attributes or ()}
