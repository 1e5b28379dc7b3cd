"""Dependency of routes on payments."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.payments.repository import PaymentRepository

Payments = Annotated[PaymentRepository, repository(PaymentRepository)]
