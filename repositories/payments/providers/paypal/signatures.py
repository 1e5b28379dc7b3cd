"""Signatures of PayPal's webhooks, which PayPal itself verifies (Webhooks Management API, "Verify webhook signature").

To verify one here would need a certificate and a library for it, five times the size of the rest of the function.
What is not of PayPal's form, or not of now, is not asked about.
"""

import json
import re
from contextlib import suppress
from datetime import datetime
from urllib.parse import urlsplit

from repositories.payments.providers.paypal.asking import ask
from repositories.payments.providers.provider import Access, Received

HEADERS = {
    "auth_algo": "PayPal-Auth-Algo",
    "cert_url": "PayPal-Cert-Url",
    "transmission_id": "PayPal-Transmission-Id",
    "transmission_sig": "PayPal-Transmission-Sig",
    "transmission_time": "PayPal-Transmission-Time",
}
"""Headers by the names that the verification has for them."""
_LONGEST = 500
_TOLERANCE_SECONDS = 3600 * 24 * 4
"""Age up to which a signature is valid: PayPal sends a webhook again for three days, with its first time."""
_AHEAD_SECONDS = 300


def is_signed(access: Access, received: Received) -> bool:
    """Return whether PayPal says that it has signed a body for one of the webhooks. Raises Refused, OutcomeUnknown."""
    fields = {name: received.header(header) or "" for name, header in HEADERS.items()}
    if not _is_plausible(access, fields, received):
        return False
    for webhook in access.credentials.webhooks:
        # The event goes back as it came, byte for byte: PayPal has signed a checksum of the bytes.
        start = json.dumps(fields | {"webhook_id": webhook})[:-1]
        text = f'{start}, "webhook_event": {received.body.decode()}}}'
        found = ask(access, "POST", "/v1/notifications/verify-webhook-signature", text=text)
        if found.get("verification_status") == "SUCCESS":
            return True
    return False


def _is_plausible(access: Access, fields: dict[str, str], received: Received) -> bool:
    host, own = urlsplit(fields["cert_url"]).hostname or "", urlsplit(access.base).hostname
    if not all(0 < len(value) <= _LONGEST for value in fields.values()):
        return False
    if host != own and not host.endswith(".paypal.com"):
        return False
    if not re.fullmatch(r"[0-9TZ:.+-]{20,35}", fields["transmission_time"]):
        return False
    with suppress(ValueError):
        is_object = isinstance(json.loads(received.body), dict)
        age = received.at.timestamp() - datetime.fromisoformat(fields["transmission_time"]).timestamp()
        return is_object and -_AHEAD_SECONDS < age < _TOLERANCE_SECONDS
    return False
