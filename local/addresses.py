"""E-mail addresses for trying things out."""

import email_validator

_FOR_TESTS = {"test", "local", "localhost", "example"}


def allow_test_domains() -> None:
    """Accept addresses in domains such as `shop.test` in this process. They are reserved (RFC 2606, RFC 6762)."""
    reserved = email_validator.SPECIAL_USE_DOMAIN_NAMES
    reserved[:] = [domain for domain in reserved if domain not in _FOR_TESTS]
