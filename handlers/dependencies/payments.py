"""Dependencies of routes that make payments and refunds."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.payments.repository import PaymentRepository

Payments = Annotated[PaymentRepository, repository(PaymentRepository)]
