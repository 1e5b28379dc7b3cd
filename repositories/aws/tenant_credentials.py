"""Credentials that are those of the current request's tenant, for a client that all tenants share.

Connections then stay open from one tenant to the next. An environment serves one request at a time, and the threads of
a request share its context.
"""

from contextvars import ContextVar

from botocore.credentials import Credentials, ReadOnlyCredentials

from repositories.aws.ttl_cache import TtlCache

known: TtlCache[str, ReadOnlyCredentials] = TtlCache(1000)
"""Credentials by tenant."""
_current: ContextVar[tuple[str, ReadOnlyCredentials] | None] = ContextVar("tenant", default=None)


class TenantCredentials(Credentials):
    """Credentials of the current tenant; botocore asks for them to sign each request."""

    def __init__(self) -> None:
        super().__init__("", "", method="tenant-role")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the credentials. Raises LookupError without a tenant, as the function's own reach no rows."""
        current = _current.get()
        if current is None:
            raise LookupError("There is no tenant whose credentials could be used.")
        return current[1]


class Provider:
    """Provider of TenantCredentials for a botocore session."""

    def load_credentials(self) -> TenantCredentials:
        """Return the credentials."""
        return TenantCredentials()


def use(tenant: str, credentials: ReadOnlyCredentials) -> None:
    """Make a tenant the current one, for this context and the threads that are started in it."""
    _current.set((tenant, credentials))


def forget_tenant() -> None:
    """Make no tenant the current one."""
    _current.set(None)


def forget_current() -> None:
    """Forget the credentials of the current tenant, if there is one, because AWS refused them as expired."""
    current = _current.get()
    if current:
        known.forget(current[0])
