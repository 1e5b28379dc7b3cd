"""Sample data that the sample events refer to."""

import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.bookings.booking import NewBooking
from domain.bookings.resources import NewResource
from domain.common.environment import now
from domain.common.events import DomainEvent
from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.discounts import NewDiscount
from domain.exports import Dataset, ExportFormat, NewExport
from domain.identity.email import canonical_email
from domain.identity.permissions import Caller, Role
from domain.identity.tenants import NewOwner, NewTenant, TenantSettings
from domain.identity.users import NewUser, User
from domain.items import Item, NewItem
from domain.ledger.accounts import Account, AccountType, Direction, NewAccount
from domain.ledger.transactions import NewEntry
from domain.orders.checkout import NewLine, NewOrder
from domain.payments.payment import NewPayment
from domain.payments.protocol import Stage
from domain.payments.providers import NewProvider, StripeCredentials
from domain.payments.settlement import Dispute, DisputeStatus, Payout, PayoutStatus
from domain.webhooks import Endpoint, NewEndpoint
from local.simulators.banks import signature
from repositories.aws.clients import dynamodb, secretsmanager
from repositories.aws.settings import settings
from repositories.bookings.feed import token_of
from repositories.bookings.repository import BookingRepository
from repositories.bookings.resources import ResourceRepository
from repositories.bookings.rows import StoredResource
from repositories.discounts.repository import DiscountRepository
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Meter, Table
from repositories.events.rows import event_of
from repositories.exports import keys as export_keys
from repositories.exports.repository import ExportRepository
from repositories.exports.working import work
from repositories.identity.invitations import add_user
from repositories.identity.tenants import TenantRepository
from repositories.identity.user_pool import user_pool
from repositories.items.repository import ItemRepository
from repositories.ledger.posting import Draft
from repositories.ledger.repository import LedgerRepository
from repositories.orders.repository import OrderRepository
from repositories.payments.accounting.rows import dispute_row, payout_row
from repositories.payments.advancing import advance
from repositories.payments.by_provider import ProviderPayments
from repositories.payments.repository import PaymentRepository
from repositories.payments.rows import StoredPayment
from repositories.payments.settings import ProviderRepository
from repositories.webhooks.fan_out import fan_out
from repositories.webhooks.repository import EndpointRepository
from repositories.webhooks.rows import StoredDelivery

TENANT = "sample"
OWNER = "0b54c9a6-4e0c-4c7e-9c57-6ad3c1b0f7a1"
CUSTOMER = "5a0c2f0e-52a3-4f0a-8a0e-3e1d9f6c7b21"
ITEM_ID = "item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2"
LAST_ITEM_ID = "item_01JD3ZK8Q4M5X6Y7Z8A9B0C1DA"
"""Id of an item to sell out and archive."""
_MOVES = {3: 0, 4: 0, 5: 1, 6: 1, 7: 2, 8: 1, 9: 1, 2: 3}
ORDERS = {f"order_01JD3ZK8Q4M5X6Y7Z8A9B0C1D{n}": moves for n, moves in _MOVES.items()}
"""Orders and their number of status changes: 0 (pending), 1 (paid), 2 (shipped) or 3 (refunded)."""
ACCOUNTS = {
    "acct_01JD3ZK8Q4M5X6Y7Z8A9B0C1E1": ("bank", AccountType.ASSET),
    "acct_01JD3ZK8Q4M5X6Y7Z8A9B0C1E2": ("capital", AccountType.EQUITY),
    "acct_01JD3ZK8Q4M5X6Y7Z8A9B0C1E3": ("unused", AccountType.EXPENSE),
}
CODES = ("WELCOME10", "SUMMER")
"""Codes of discounts: one to change, one to archive."""
ENDPOINT_IDS = ("ep_01JD3ZK8Q4M5X6Y7Z8A9B0C1G1", "ep_01JD3ZK8Q4M5X6Y7Z8A9B0C1G2")
"""Webhook endpoints: one to use, one to delete."""
EVENT_ID = "event_01JD3ZK8Q4M5X6Y7Z8A9B0C1H1"
"""Event that is delivered to the first of them."""
WAITING_EVENT_ID = "event_01JD3ZK8Q4M5X6Y7Z8A9B0C1H3"
"""Event that waits to be delivered to the first of them in order."""
PAYMENT_ORDER_ID = "order_01JD3ZK8Q4M5X6Y7Z8A9B0C1J1"
PAYMENT_IDS = ("payment_01JD3ZK8Q4M5X6Y7Z8A9B0C1K1", "payment_01JD3ZK8Q4M5X6Y7Z8A9B0C1K2")
"""Payments of that order by Stripe: one to use, one to cancel."""
STRIPE = StripeCredentials(secret_key="sk_test_sample", webhook_secret="whsec_sample")  # noqa: S106 - of a simulator
EXPORT_IDS = ("export_01JD3ZK8Q4M5X6Y7Z8A9B0C1M1", "export_01JD3ZK8Q4M5X6Y7Z8A9B0C1M2")
"""Exports: one that is written, one to write or cancel."""
RESOURCE_IDS = ("resource_01JD3ZK8Q4M5X6Y7Z8A9B0C1N1", "resource_01JD3ZK8Q4M5X6Y7Z8A9B0C1N2")
"""Resources: one to book, one to archive."""
BOOKINGS = {
    "booking_01JD3ZK8Q4M5X6Y7Z8A9B0C1P1": False,
    "booking_01JD3ZK8Q4M5X6Y7Z8A9B0C1P2": False,
    "booking_01JD3ZK8Q4M5X6Y7Z8A9B0C1P3": True,
    "booking_01JD3ZK8Q4M5X6Y7Z8A9B0C1P4": True,
    "booking_01JD3ZK8Q4M5X6Y7Z8A9B0C1P5": True,
}
"""Bookings, and whether they are confirmed."""
TRANSACTION_ID = "txn_01JD3ZK8Q4M5X6Y7Z8A9B0C1F1"
SECRET = "tradepost-cursor-keys"  # noqa: S105 - the name of the secret


def add_samples() -> None:
    """Add the sample data to the database, user pool and secrets in the environment variables."""
    caller = Caller(TENANT, OWNER, Role.OWNER)
    session = Session(Table(dynamodb(), settings().table_name, Meter()), caller, now(), time.monotonic() + 10)
    new = NewTenant(
        id=TENANT,
        name="Sample Crockery",
        settings=TenantSettings(allow_sign_up=True),
        owner=NewOwner(email="first@example.com", name="First Owner"),
    )
    TenantRepository(session, user_pool()).create(new)
    _add_user(session, OWNER, NewUser(email="owner@example.com", name="Olga Owner", role=Role.OWNER))
    _add_user(session, CUSTOMER, NewUser(email="customer@example.com", name="Carl Customer", role=Role.CUSTOMER))
    mug = NewItem(
        name="Enamel mug", price=Money.of_minor(1299, "EUR"), sku="MUG-RED", attributes={"colour": "red"}, stock=100
    )
    ItemRepository(session).add(Item.new(ITEM_ID, mug, session.at))
    last = NewItem(name="Enamel mug, last year's", price=Money.of_minor(1299, "EUR"), stock=10)
    ItemRepository(session).add(Item.new(LAST_ITEM_ID, last, session.at))
    for code in CODES:
        DiscountRepository(session).create(NewDiscount(code=code, percent="10"))
    _add_orders(session)
    _add_payments(session)
    _add_settlement(session)
    _add_books(session)
    _add_webhooks(session)
    _add_exports(session)
    _add_bookings(session)
    with suppress(secretsmanager().exceptions.ResourceExistsException):
        secretsmanager().create_secret(Name=SECRET, SecretString="first-key")


def _add_orders(session: Session) -> None:
    """Add an order for each event that refers to one, in the status that the event requires."""
    orders = OrderRepository(session)
    paying = NewPayment(provider="manual")
    for order_id, moves in ORDERS.items():
        new = NewOrder(lines=[NewLine(item_id=ITEM_ID, quantity=1)], customer_id=CUSTOMER)
        orders.place_as(order_id, new)
        if moves:
            PaymentRepository(session).pay(order_id, paying)
        if moves > 1:
            orders.ship(order_id)
        if moves > 2:
            PaymentRepository(session).refund_rest(order_id, "damaged in the post")


def _add_payments(session: Session) -> None:
    """Add the provider, and the order with payments, that events refer to."""
    ProviderRepository(session).set("stripe", NewProvider(credentials=STRIPE), "")
    new = NewOrder(lines=[NewLine(item_id=ITEM_ID, quantity=1)], customer_id=CUSTOMER)
    order = OrderRepository(session).place_as(PAYMENT_ORDER_ID, new)
    for payment_id in PAYMENT_IDS:
        payment = StoredPayment(
            id=payment_id,
            order_id=order.id,
            customer_id=CUSTOMER,
            provider="stripe",
            stage=Stage.STARTED,
            amount=order.total,
            created_at=session.at,
            updated_at=session.at,
        )
        ProviderPayments(session).add(payment)
        advance(session, payment)


def _add_settlement(session: Session) -> None:
    """Add the dispute and the payout that lists show."""
    amount = Money.of_minor(1299, "EUR")
    dispute = Dispute(
        id="du_01JD3ZK8Q4M5X6Y7",
        provider="stripe",
        status=DisputeStatus.NEEDS_RESPONSE,
        reason="fraudulent",
        amount=amount,
        payment_id=PAYMENT_IDS[0],
        respond_by=session.at + timedelta(days=7),
        created_at=session.at,
    )
    payout = Payout(
        id="po_01JD3ZK8Q4M5X6Y7",
        provider="stripe",
        status=PayoutStatus.PAID,
        amount=Money.of_minor(123456, "EUR"),
        arrives_at=session.at + timedelta(days=2),
        created_at=session.at,
    )
    for row in (dispute_row(TENANT, dispute, 1, None, session.at), payout_row(TENANT, payout, 1, session.at)):
        session.table.put(row, "attribute_not_exists(pk)", {})


def signed_now(event: dict[str, Any]) -> dict[str, Any]:
    """Return a sample event with a signature of this time and deployment, if it is one that is signed."""
    if event.get("resource", "").endswith("/calendar.ics"):
        token = token_of(TENANT, RESOURCE_IDS[0], 1)
        query = {"queryStringParameters": {"token": token}, "multiValueQueryStringParameters": {"token": [token]}}
        return event | query
    if "Stripe-Signature" not in (event.get("headers") or {}):
        return event
    header = signature(event["body"], STRIPE.webhook_secret or "", now().timestamp())
    single = event["headers"] | {"Stripe-Signature": header}
    return event | {"headers": single, "multiValueHeaders": {name: [value] for name, value in single.items()}}


def _add_books(session: Session) -> None:
    """Add the accounts and the transaction that events refer to."""
    ledger = LedgerRepository(session)
    for account_id, (code, kind) in ACCOUNTS.items():
        new = NewAccount(code=code, name=code.title(), type=kind, currency="EUR")
        ledger.add_account(Account.new(account_id, new, session.at))
    bank, capital, _ = ACCOUNTS
    amount = Money.of_minor(50000, "EUR")
    entries = [
        NewEntry(account_id=bank, direction=Direction.DEBIT, amount=amount),
        NewEntry(account_id=capital, direction=Direction.CREDIT, amount=amount),
    ]
    ledger.post_draft(Draft("Capital paid in", entries, id=TRANSACTION_ID))


def _add_webhooks(session: Session) -> None:
    """Add the endpoints and the delivery that events refer to."""
    for endpoint_id in ENDPOINT_IDS:
        new = NewEndpoint(url="https://shop.example/hooks", types=["tradepost.order.paid"], ordering="subject")
        EndpointRepository(session).add(Endpoint.new(endpoint_id, new, session.at))
    stored = {"id": EVENT_ID, "kind": "OrderPaid", "subject": next(iter(ORDERS)), "sequence": 2, "data": {}}
    event = event_of(TENANT, to_rfc3339(session.at), stored)
    fan_out(session, [event.model_copy(update={"id": WAITING_EVENT_ID})])
    row = StoredDelivery.of(event, session.at, in_lane=False).to_row(TENANT, ENDPOINT_IDS[0], session.at)
    session.table.put(row, "attribute_not_exists(pk)", {})


def _add_exports(session: Session) -> None:
    """Add the exports that events refer to, of all that there is before."""
    later = replace(session, at=session.at + timedelta(seconds=1))
    for export_id in EXPORT_IDS:
        new = NewExport(dataset=Dataset.ORDERS, format=ExportFormat.CSV, status="paid")
        ExportRepository(later).add(export_id, new)
    work(later, export_keys.export(TENANT, EXPORT_IDS[0]))


def _add_bookings(session: Session) -> None:
    """Add the resources and bookings that events refer to, one hour after the other."""
    for resource_id in RESOURCE_IDS:
        new = NewResource(name="Meeting room", timezone="Europe/Berlin", horizon_days=1000)
        ResourceRepository(session).add(replace(StoredResource.new(resource_id, new, session.at), feed=1))
    first = (session.at + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    for number, (booking_id, confirmed) in enumerate(BOOKINGS.items()):
        start = first + timedelta(hours=number)
        booked = NewBooking(
            resource_id=RESOURCE_IDS[0],
            starts_at=start,
            ends_at=start + timedelta(hours=1),
            customer_id=CUSTOMER,
            confirm=confirmed,
        )
        BookingRepository(session).create_as(booking_id, booked)


def _add_user(session: Session, user_id: str, new: NewUser) -> None:
    """Add a user with a fixed id. The user pool does not support that, as it assigns subjects itself."""
    user, canonical = User.new(user_id, new, session.at), canonical_email(new.email)
    user_pool().invite(session.tenant, canonical, new.email)
    tx = session.transaction()
    add_user(tx, session, user, canonical)
    session.commit(tx, user, DomainEvent("UserCreated", user.id, 1))
