"""GET /v1/orders: list orders."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.access import Permission
from domain.errors import CursorInvalid
from domain.orders import OrderStatus, OrderSummary, UserId
from domain.pages import Page, PageRequest
from handlers.api import Api
from handlers.orders import Orders
from handlers.parameters import Cursor, Limit
from repositories.access import Access

api = Api()


@api.get(
    "/v1/orders",
    permission=Permission.ORDERS_READ,
    access=[Access.LIST, Access.LIST_BELOW],
    raises=[CursorInvalid],
)
def list_orders(
    orders: Orders,
    customer_id: Annotated[UserId | None, Query()] = None,
    status: Annotated[OrderStatus | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[OrderSummary]:
    """List orders, newest first. Customers see their own only. A page of one status may be short before the end."""
    caller = orders.caller
    if not caller.may(Permission.ORDERS_READ_ALL):
        customer_id = customer_id or caller.subject
        caller.require_own_or(Permission.ORDERS_READ_ALL, customer_id)
    return orders.page(PageRequest(limit, cursor), customer_id, status)


handler = api.handler
