"""Events that payment providers send. Each is kept once, and is a reason to ask the provider about a payment.

What an event says of money is never used, and events come late, twice and in any order.
"""

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic_core import from_json

from domain.common.errors import Flaw, NotFound
from domain.common.ids import is_id
from domain.common.model import to_rfc3339
from domain.common.validation import invalid_input
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import new_row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session
from repositories.dynamodb.work_list import Work
from repositories.payments import credentials
from repositories.payments.incoming.signatures import is_signed
from repositories.payments.settings import PROVIDERS

_SWEPT_AFTER = timedelta(minutes=1)
"""Time after which an event is overdue: its message was lost."""
_KEPT = timedelta(days=90)
_EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class PaymentInbox:
    """The events that a tenant's providers have sent."""

    session: Session

    @uses(IamAction.PUT, IamAction.PROVIDER_SECRETS)
    def receive(self, provider: str, body: bytes, signature: str | None) -> None:
        """Keep an event, once. One that is not about a payment of the tenant is left out.

        Raises NotFound without such a provider, ValidationFailed for a bad signature, Unavailable.
        """
        if provider not in PROVIDERS:
            raise NotFound
        self._require_signed(provider, body, signature)
        event = _object(body)
        payment_id = _payment_of(event, self.session.tenant)
        if payment_id is None:
            return
        at = self.session.at
        row = new_row(
            keys.inbox(self.session.tenant, provider, event["id"]),
            "inbox",
            payment_id=payment_id,
            event=str(event.get("type", ""))[:100],
            digest=hashlib.sha256(body).hexdigest(),
            received_at=to_rfc3339(at),
            ttl=int((at + _KEPT).timestamp()),
            **work_keys.due(Work.INBOX, event["id"], at + _SWEPT_AFTER),
        )
        self.session.table.put(row, "attribute_not_exists(pk)", {})

    def _require_signed(self, provider: str, body: bytes, signature: str | None) -> None:
        """Raise ValidationFailed unless the body has a valid signature; secrets may have been replaced lately."""
        for anew in (False, True):
            found = credentials.read(self.session.tenant, provider, anew=anew)
            if found and is_signed(body, signature, found.webhook_secrets, self.session.at):
                return
        flaw = Flaw("/header/Stripe-Signature", "SIGNATURE_INVALID", "It is not of this body, or not of now.")
        raise invalid_input([flaw])


def _object(body: bytes) -> dict[str, Any]:
    """Return a body that is a JSON object. Raises ValidationFailed."""
    with suppress(ValueError):
        found = from_json(body)
        if isinstance(found, dict):
            return found
    raise invalid_input([Flaw("", "OBJECT_TYPE", "The body must be a JSON object.")])


def _payment_of(event: dict[str, Any], tenant: str) -> str | None:
    """Return the payment of the tenant that an event is about, as the metadata say, or None."""
    about: Any = event
    for name in ("data", "object", "metadata"):
        about = about.get(name) if isinstance(about, dict) else None
    metadata = about if isinstance(about, dict) else {}
    payment_id = str(metadata.get("payment"))
    is_ours = metadata.get("tenant") == tenant and is_id("payment", payment_id)
    return payment_id if is_ours and _EVENT_ID.fullmatch(str(event.get("id"))) else None
