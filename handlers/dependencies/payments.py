"""Payments, for the routes that need the ledger too: what others import costs them a colder start."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from handlers.http.parameters import session_of
from repositories.payments.repository import PaymentRepository


def _payments(request: Request) -> PaymentRepository:
    return PaymentRepository(session_of(request))


Payments = Annotated[PaymentRepository, Depends(_payments)]
