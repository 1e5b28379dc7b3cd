"""Objects of PayPal's API with the fields that it documents (https://developer.paypal.com/docs/api/orders/v2/)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

type Fields = dict[str, Any]
_API = "https://api-m.paypal.com"
_FEE_RATE, _FEE_FIXED = Decimal("0.0349"), Decimal("0.39")


def shown(kept: Fields) -> Fields:
    """Return an object without what only the simulator knows: names that begin with `_`."""
    return {name: value for name, value in kept.items() if not name.startswith("_")}


def time(at: float) -> str:
    """Return a time as the API writes it."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def money(value: Decimal, like: Fields) -> Fields:
    """Return an amount in the currency, and with the digits, of another."""
    _, dot, digits = like["value"].partition(".")
    return {"currency_code": like["currency_code"], "value": f"{value:.{len(digits) if dot else 0}f}"}


def fee_of(amount: Fields) -> Fields:
    """Return what PayPal keeps of an amount."""
    return money(Decimal(amount["value"]) * _FEE_RATE + _FEE_FIXED, amount)


def links(base: str, *pairs: tuple[str, str, str]) -> list[Fields]:
    """Return links: relation, method and path of each."""
    return [{"href": f"{base}{path}", "rel": relation, "method": method} for relation, method, path in pairs]


def _noted(given: Fields) -> Fields:
    """Return what an object notes of what was given, for the account's own use."""
    return {name: given[name] for name in ("custom_id", "invoice_id", "note_to_payer") if name in given}


def order(order_id: str, given: Fields, at: float, base: str, page: str) -> Fields:
    """Return an order that waits for the customer."""
    unit = given["purchase_units"][0]
    about = {"reference_id": unit.get("reference_id", "default"), "amount": unit["amount"]}
    about |= _noted(unit)
    about |= {"payee": {"email_address": "shop@example.com", "merchant_id": "SHPMERCHANT22"}}
    links_ = links(base, ("self", "GET", f"/v2/checkout/orders/{order_id}"))
    return {
        "id": order_id,
        "intent": given["intent"],
        "status": "PAYER_ACTION_REQUIRED",
        "payment_source": {"paypal": {}},
        "purchase_units": [about],
        "create_time": time(at),
        "links": [*links_, {"href": page, "rel": "payer-action", "method": "GET"}],
    }


def authorization(authorization_id: str, unit: Fields, at: float, lasts: float, base: str) -> Fields:
    """Return an authorization of what a purchase unit comes to."""
    path = f"/v2/payments/authorizations/{authorization_id}"
    return {
        "id": authorization_id,
        "status": "CREATED",
        "amount": unit["amount"],
        **_noted(unit),
        "seller_protection": {"status": "ELIGIBLE", "dispute_categories": ["ITEM_NOT_RECEIVED"]},
        "expiration_time": time(at + lasts),
        "create_time": time(at),
        "update_time": time(at),
        "links": links(
            base, ("self", "GET", path), ("capture", "POST", f"{path}/capture"), ("void", "POST", f"{path}/void")
        ),
    }


def capture(capture_id: str, authorization_: Fields, at: float, base: str) -> Fields:
    """Return the capture of an authorization."""
    amount, fee = authorization_["amount"], fee_of(authorization_["amount"])
    net = money(Decimal(amount["value"]) - Decimal(fee["value"]), amount)
    path = f"/v2/payments/captures/{capture_id}"
    return {
        "id": capture_id,
        "status": "COMPLETED",
        "amount": amount,
        "final_capture": True,
        **_noted(authorization_),
        "seller_protection": {"status": "ELIGIBLE", "dispute_categories": ["ITEM_NOT_RECEIVED"]},
        "seller_receivable_breakdown": {"gross_amount": amount, "paypal_fee": fee, "net_amount": net},
        "create_time": time(at),
        "update_time": time(at),
        "links": links(base, ("self", "GET", path), ("refund", "POST", f"{path}/refund")),
    }


def refund(refund_id: str, amount: Fields, given: Fields, status: str, at: float, base: str, of: str) -> Fields:
    """Return a refund of a capture."""
    zero = money(Decimal(0), amount)
    return {
        "id": refund_id,
        "status": status,
        "amount": amount,
        **_noted(given),
        "seller_payable_breakdown": {"gross_amount": amount, "paypal_fee": zero, "net_amount": amount},
        "create_time": time(at),
        "update_time": time(at),
        "links": links(
            base, ("self", "GET", f"/v2/payments/refunds/{refund_id}"), ("up", "GET", f"/v2/payments/captures/{of}")
        ),
    }


def balance(total: Decimal, currency: str) -> Fields:
    """Return the balance in one currency."""
    amount = {"currency_code": currency, "value": f"{total:.2f}"}
    return {"currency": currency, "primary": True, "total_balance": amount, "available_balance": amount} | {
        "withheld_balance": {"currency_code": currency, "value": "0.00"}
    }


def dispute(dispute_id: str, capture_: Fields, at: float) -> Fields:
    """Return a dispute of a capture, which waits for an answer."""
    about = {"seller_transaction_id": capture_["id"], "gross_amount": capture_["amount"]}
    about |= {"custom": capture_["custom_id"]} if "custom_id" in capture_ else {}
    return {
        "dispute_id": dispute_id,
        "create_time": time(at),
        "update_time": time(at),
        "disputed_transactions": [about],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": "WAITING_FOR_SELLER_RESPONSE",
        "dispute_state": "REQUIRED_ACTION",
        "dispute_amount": capture_["amount"],
        "dispute_life_cycle_stage": "CHARGEBACK",
        "dispute_channel": "INTERNAL",
        "seller_response_due_date": time(at + 7 * 86400),
        "links": links(_API, ("self", "GET", f"/v1/customer/disputes/{dispute_id}")),
    }


def event(event_id: str, kind: str, resource_type: str, resource: Fields, at: float, base: str) -> Fields:
    """Return an event about a resource."""
    return {
        "id": event_id,
        "create_time": time(at),
        "resource_type": resource_type,
        "event_type": kind,
        "event_version": "1.0",
        "resource_version": "2.0",
        "summary": kind.replace(".", " ").capitalize(),
        "resource": resource,
        "links": links(base, ("self", "GET", f"/v1/notifications/webhooks-events/{event_id}")),
    }
