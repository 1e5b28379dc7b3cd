"""Objects of Stripe's API with the fields that it documents (https://docs.stripe.com/api)."""

from local.simulators.stripe.forms import Fields


def payment_intent(intent_id: str, secret: str, amount: int, currency: str, at: int, fields: Fields) -> Fields:
    """Return a payment intent that waits for the customer."""
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": fields.get("capture_method", "automatic_async"),
        "client_secret": f"{intent_id}_secret_{secret}",
        "confirmation_method": "automatic",
        "created": at,
        "currency": currency,
        "customer": None,
        "description": fields.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": fields.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def charge(charge_id: str, intent: Fields, method: str, at: int) -> Fields:
    """Return the charge of an intent that was authorised and not captured."""
    return {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "captured": False,
        "created": at,
        "currency": intent["currency"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": intent["metadata"],
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": method,
        "payment_method_details": {"type": "card"},
        "refunded": False,
        "status": "succeeded",
    }


def balance_transaction(
    movement_id: str, kind: str, amount: int, fee: int, source: str, currency: str, at: int
) -> Fields:
    """Return a movement of the account's balance."""
    return {
        "id": movement_id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": at + 2 * 86400,
        "created": at,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source,
        "status": "pending",
        "type": kind,
    }


def refund(
    refund_id: str, amount: int, movement: Fields, taken: Fields, at: int, fields: Fields, status: str
) -> Fields:
    """Return a refund of a charge."""
    return {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": movement["id"],
        "charge": taken["id"],
        "created": at,
        "currency": taken["currency"],
        "metadata": fields.get("metadata", {}),
        "payment_intent": taken["payment_intent"],
        "reason": fields.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def dispute(dispute_id: str, taken: Fields, movement: Fields, at: int) -> Fields:
    """Return a dispute of a charge, which waits for an answer."""
    return {
        "id": dispute_id,
        "object": "dispute",
        "amount": taken["amount"],
        "balance_transactions": [movement],
        "charge": taken["id"],
        "created": at,
        "currency": taken["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {"due_by": at + 7 * 86400, "has_evidence": False, "past_due": False, "submission_count": 0},
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": taken["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
    }


def payout(payout_id: str, amount: int, currency: str, movement: Fields, at: int) -> Fields:
    """Return a payout that is on its way."""
    return {
        "id": payout_id,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": at + 2 * 86400,
        "automatic": True,
        "balance_transaction": movement["id"],
        "created": at,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_simulated",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "reconciliation_status": "in_progress",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "type": "bank_account",
    }


def webhook_endpoint(endpoint_id: str, secret: str, url: str, at: int, fields: Fields) -> Fields:
    """Return an endpoint for webhooks, with its secret."""
    return {
        "id": endpoint_id,
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": at,
        "description": fields.get("description"),
        "enabled_events": fields.get("enabled_events", ["*"]),
        "livemode": False,
        "metadata": {},
        "secret": f"whsec_{secret}",
        "status": "enabled",
        "url": url,
    }


def event(event_id: str, kind: str, about: Fields, at: int) -> Fields:
    """Return an event about an object."""
    return {
        "id": event_id,
        "object": "event",
        "api_version": None,
        "created": at,
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def account(account_id: str) -> Fields:
    """Return an account."""
    return {"id": account_id, "object": "account", "country": "DE", "default_currency": "eur", "type": "standard"} | {
        "charges_enabled": True,
        "payouts_enabled": True,
        "details_submitted": True,
        "email": "shop@example.com",
        "metadata": {},
        "capabilities": {"card_payments": "active", "transfers": "active"},
    }


def list_of(url: str, found: list[Fields], limit: int) -> Fields:
    """Return a page of objects."""
    return {"object": "list", "url": url, "has_more": len(found) > limit, "data": found[:limit]}
