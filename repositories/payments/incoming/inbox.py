"""Events that payment providers send. Each is kept once, and is a reason to ask the provider about a payment.

What an event says of money is never used, and events come late, twice and in any order.
"""

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic_core import from_json

from domain.common.errors import Flaw, NotFound, ProviderUnavailable
from domain.common.ids import is_id
from domain.common.model import to_rfc3339
from domain.common.validation import invalid_input
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import new_row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session
from repositories.dynamodb.work_list import Work
from repositories.payments import credentials
from repositories.payments.providers.clients import PROVIDERS, client
from repositories.payments.providers.provider import OutcomeUnknown, Provider, Received, Refused, Subject

_SWEPT_AFTER = timedelta(minutes=1)
"""Time after which an event is overdue: its message was lost."""
_KEPT = timedelta(days=90)
_EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class PaymentInbox:
    """The events that a tenant's providers have sent."""

    session: Session

    @uses(IamAction.PUT, IamAction.PROVIDER_SECRETS)
    def receive(self, provider: str, body: bytes, header: Callable[[str], str | None]) -> None:
        """Keep an event, once. One that is about no payment of the tenant, and not about the balance, is left out.

        Raises NotFound without such a provider, ValidationFailed for a bad signature, ProviderUnavailable, Unavailable.
        """
        if provider not in PROVIDERS:
            raise NotFound
        sender = self._sender(provider, Received(body, header, self.session.at))
        event = _object(body)
        if not _EVENT_ID.fullmatch(str(event.get("id"))):
            return
        payment_id = self._payment_of(sender.subject(event))
        if payment_id is None and not sender.is_of_balance(event):
            return
        at = self.session.at
        row = new_row(
            keys.inbox(self.session.tenant, provider, event["id"]),
            "inbox",
            provider=provider,
            payment_id=payment_id,
            event=str(event.get("type") or event.get("event_type") or "")[:100],
            digest=hashlib.sha256(body).hexdigest(),
            received_at=to_rfc3339(at),
            ttl=int((at + _KEPT).timestamp()),
            **work_keys.due(Work.INBOX, event["id"], at + _SWEPT_AFTER),
        )
        self.session.table.put(row, "attribute_not_exists(pk)", {})

    def _sender(self, provider: str, received: Received) -> Provider:
        """Return the provider that has sent what was received; credentials may have been replaced lately.

        Raises ValidationFailed unless it is signed, ProviderUnavailable if the provider cannot be asked whether it is.
        """
        tried, sender = None, None
        for anew in (False, True):
            found = credentials.read(self.session.tenant, provider, anew=anew)
            if found and found != tried:
                sender = client(self.session, provider, found)
                if _is_genuine(sender, received):
                    return sender
            tried = found
        name = f"/header/{sender.signature_header}" if sender else ""
        raise invalid_input([Flaw(name, "SIGNATURE_INVALID", "It is not of this body, or not of now.")])

    def _payment_of(self, about: Subject | None) -> str | None:
        """Return the payment of the tenant that an event is about, or None."""
        is_ours = about and about.tenant == self.session.tenant and is_id("payment", about.payment_id)
        return about.payment_id if about and is_ours else None


def _is_genuine(sender: Provider, received: Received) -> bool:
    try:
        return sender.is_genuine(received)
    except (OutcomeUnknown, Refused):
        raise ProviderUnavailable from None


def _object(body: bytes) -> dict[str, Any]:
    """Return a body that is a JSON object. Raises ValidationFailed."""
    with suppress(ValueError):
        found = from_json(body)
        if isinstance(found, dict):
            return found
    raise invalid_input([Flaw("", "OBJECT_TYPE", "The body must be a JSON object.")])
