"""Callers, roles and the permissions of each role."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from domain.common.errors import Forbidden


class Role(StrEnum):
    """Role of a user in a tenant, and the name of the user's group in the user pool."""

    OWNER = "owner"
    STAFF = "staff"
    CUSTOMER = "customer"


class Permission(StrEnum):
    """Permission that routes check before they do anything."""

    ITEMS_READ = "items:read"
    ITEMS_READ_ARCHIVED = "items:read-archived"
    ITEMS_WRITE = "items:write"
    ORDERS_PLACE = "orders:place"
    ORDERS_OWN = "orders:own"
    ORDERS_READ_ALL = "orders:read-all"
    ORDERS_MANAGE = "orders:manage"
    RESOURCES_READ = "resources:read"
    RESOURCES_WRITE = "resources:write"
    BOOKINGS_OWN = "bookings:own"
    BOOKINGS_MANAGE = "bookings:manage"
    DISCOUNTS_READ = "discounts:read"
    DISCOUNTS_WRITE = "discounts:write"
    EVENTS_READ = "events:read"
    STATS_READ = "stats:read"
    EXPORTS = "exports:manage"
    WEBHOOKS = "webhooks:manage"
    PROVIDERS = "providers:manage"
    LEDGER_READ = "ledger:read"
    LEDGER_WRITE = "ledger:write"
    USERS_OWN = "users:own"
    USERS_READ = "users:read"
    USERS_CREATE = "users:create"
    USERS_WRITE = "users:write"


_CUSTOMER = frozenset(
    {
        Permission.ITEMS_READ,
        Permission.ORDERS_PLACE,
        Permission.ORDERS_OWN,
        Permission.RESOURCES_READ,
        Permission.BOOKINGS_OWN,
        Permission.USERS_OWN,
    }
)
_STAFF = _CUSTOMER | {
    Permission.ORDERS_READ_ALL,
    Permission.ORDERS_MANAGE,
    Permission.RESOURCES_WRITE,
    Permission.BOOKINGS_MANAGE,
    Permission.DISCOUNTS_READ,
    Permission.EVENTS_READ,
    Permission.STATS_READ,
    Permission.EXPORTS,
    Permission.LEDGER_READ,
    Permission.ITEMS_READ_ARCHIVED,
    Permission.ITEMS_WRITE,
    Permission.USERS_READ,
    Permission.USERS_CREATE,
}
_OWNER = _STAFF | {
    Permission.USERS_WRITE,
    Permission.LEDGER_WRITE,
    Permission.DISCOUNTS_WRITE,
    Permission.WEBHOOKS,
    Permission.PROVIDERS,
}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.STAFF: _STAFF,
    Role.CUSTOMER: _CUSTOMER,
}
"""Permissions of each role; the only place that defines them."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Verified caller of a request: tenant, subject and role.

    The subject is a user's UUID, the ARN of an operator, or `system` for automatic changes.
    """

    tenant: str
    subject: str
    role: Role

    @classmethod
    def system(cls, tenant: str) -> Self:
        """Return the caller of automatic changes in a tenant, who may do what owners may."""
        return cls(tenant, "system", Role.OWNER)

    def may(self, permission: Permission) -> bool:
        """Return whether the caller's role has `permission`."""
        return permission in GRANTS[self.role]

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless the caller's role has `permission`."""
        if not self.may(permission):
            raise Forbidden(f"The role {self.role} does not have the permission {permission}.")

    def require_own_or(self, permission: Permission, user_id: str) -> None:
        """Raise Forbidden unless `user_id` is the caller's own id or the caller's role has `permission`."""
        if user_id != self.subject:
            self.require(permission)
