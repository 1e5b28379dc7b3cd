"""Addresses to which webhooks may be sent: public ones only, so that no endpoint reaches what only we can reach.

A host name is resolved once for each attempt, all its addresses are checked, and the connection is made to one of those
that were checked: what the name resolves to a moment later does not matter.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from socket import SOCK_STREAM, getaddrinfo
from urllib.parse import SplitResult, urlsplit

from domain.common.errors import Flaw, ValidationFailed
from domain.common.validation import invalid_input
from repositories.aws.settings import settings

PORTS = frozenset({443, 8443})
"""Ports of endpoints."""
_REFUSED = tuple(
    ip_network(each)
    for each in (
        "::ffff:0:0/96",  # IPv4-mapped (RFC 4291): an IPv4 address in another form, as are the next four
        "::/96",  # IPv4-compatible (RFC 4291)
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "2002::/16",  # 6to4 (RFC 3056)
        "2001::/32",  # Teredo (RFC 4380)
        "64:ff9b:1::/48",  # local-use NAT64 (RFC 8215)
        "fec0::/10",  # site-local (RFC 3879)
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
    )
)

type Address = IPv4Address | IPv6Address


class AddressRefusedError(Exception):
    """A URL is not one to which webhooks are sent; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect for a URL: an address that was checked, and the host name for TLS and the Host header."""

    scheme: str
    host: str
    port: int
    address: str
    path: str


def target_of(url: str) -> Target:
    """Return where to connect for a URL. Raises AddressRefusedError."""
    anywhere = _anywhere()
    parts, port = _parts(url)
    if not anywhere and (parts.scheme != "https" or port not in PORTS):
        raise AddressRefusedError(f"Must be an https address, with port {' or '.join(map(str, sorted(PORTS)))}.")
    host = parts.hostname or ""
    addresses = _resolved(host, port)
    if not anywhere and not all(is_public(each) for each in addresses):
        raise AddressRefusedError("The host must have public addresses only.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    first = min(addresses, key=lambda each: each.version)  # Functions may have no IPv6.
    return Target(parts.scheme, host, port, str(first), path)


def require_allowed(url: str) -> None:
    """Raise ValidationFailed unless webhooks may be sent to a URL. Where they may go anywhere, its host may be down."""
    try:
        _parts(url) if _anywhere() else target_of(url)
    except AddressRefusedError as refused:
        raise _flaw(str(refused)) from None


def _anywhere() -> bool:
    return settings().webhooks_to_anywhere == "on"


def _flaw(detail: str) -> ValidationFailed:
    return invalid_input([Flaw("/url", "URL_REFUSED", detail)])


def _parts(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        ascii_only = url.isascii() and not any(each.isspace() or each == "\\" for each in url)
    except ValueError:
        raise AddressRefusedError("Must be a URL.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not ascii_only:
        raise AddressRefusedError("Must be a URL in ASCII, such as https://shop.example/hooks.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefusedError("Must have no user name and no password.")
    if parts.fragment:
        raise AddressRefusedError("Must have no fragment.")
    return parts, port


def _resolved(host: str, port: int) -> list[Address]:
    """Return all addresses of a host. Raises AddressRefusedError."""
    try:
        found = getaddrinfo(host, port, type=SOCK_STREAM)
        addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    except (OSError, UnicodeError, ValueError):
        addresses = []
    if not addresses:
        raise AddressRefusedError("The host has no address.")
    return addresses


def is_public(address: Address) -> bool:
    """Return whether an address is of the public internet, and is no IPv4 address in another form."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address.version == each.version and address in each for each in _REFUSED)
