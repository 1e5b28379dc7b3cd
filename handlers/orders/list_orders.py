"""GET /v1/orders: list orders."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.common.times import TimeRange
from domain.identity.permissions import Permission
from domain.orders.checkout import UserId
from domain.orders.order import OrderSummary
from domain.orders.status import OrderStatus
from handlers.dependencies.orders import Orders
from handlers.http.parameters import Cursor, From, Limit, To
from handlers.http.route import Route

api = Route()


@api.get(
    "/v1/orders",
    permission=Permission.ORDERS_OWN,
    raises=[CursorInvalid],
)
def list_orders(
    orders: Orders,
    customer_id: Annotated[UserId | None, Query()] = None,
    status: Annotated[OrderStatus | None, Query()] = None,
    start: From = None,
    end: To = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[OrderSummary]:
    """List orders, newest first. Customers can list only their own orders.

    With `status`, a page can have fewer than `limit` orders even if more follow.
    """
    created = TimeRange.of_query(start, end)
    caller = orders.caller
    if not caller.may(Permission.ORDERS_READ_ALL):
        customer_id = customer_id or caller.subject
        caller.require_own_or(Permission.ORDERS_READ_ALL, customer_id)
    return orders.page(PageRequest(limit, cursor), customer_id, status, created)


handler = api.handler
