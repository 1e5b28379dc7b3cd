"""Who calls, and what each role may do."""

from dataclasses import dataclass
from enum import StrEnum

from domain.common.errors import Forbidden


class Role(StrEnum):
    """A person's part in a tenant, as the identity provider's groups name it."""

    OWNER = "owner"
    STAFF = "staff"
    CUSTOMER = "customer"


class Permission(StrEnum):
    """Something that a route asks for before it does anything."""

    ITEMS_READ = "items:read"
    ITEMS_READ_ARCHIVED = "items:read-archived"
    ITEMS_WRITE = "items:write"
    ORDERS_PLACE = "orders:place"
    ORDERS_OWN = "orders:own"
    ORDERS_READ_ALL = "orders:read-all"
    ORDERS_MANAGE = "orders:manage"
    LEDGER_READ = "ledger:read"
    LEDGER_WRITE = "ledger:write"
    USERS_OWN = "users:own"
    USERS_READ = "users:read"
    USERS_CREATE = "users:create"
    USERS_WRITE = "users:write"


_CUSTOMER = frozenset({Permission.ITEMS_READ, Permission.ORDERS_PLACE, Permission.ORDERS_OWN, Permission.USERS_OWN})
_STAFF = _CUSTOMER | {
    Permission.ORDERS_READ_ALL,
    Permission.ORDERS_MANAGE,
    Permission.LEDGER_READ,
    Permission.ITEMS_READ_ARCHIVED,
    Permission.ITEMS_WRITE,
    Permission.USERS_READ,
    Permission.USERS_CREATE,
}
_OWNER = _STAFF | {Permission.USERS_WRITE, Permission.LEDGER_WRITE}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.STAFF: _STAFF,
    Role.CUSTOMER: _CUSTOMER,
}
"""The one table of roles."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The verified person behind a request: tenant, subject (a UUID) and role."""

    tenant: str
    subject: str
    role: Role

    def may(self, permission: Permission) -> bool:
        """Tell whether the caller's role has `permission`."""
        return permission in GRANTS[self.role]

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless the caller's role has `permission`."""
        if not self.may(permission):
            raise Forbidden(f"The role {self.role} does not have the permission {permission}.")

    def require_own_or(self, permission: Permission, user_id: str) -> None:
        """Raise Forbidden unless `user_id` is the caller's own, or the role has `permission`."""
        if user_id != self.subject:
            self.require(permission)
