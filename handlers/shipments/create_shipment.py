"""POST /v1/orders/{order_id}/shipments: ship some units of an order, or all that remain."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.orders.parts import NewShipment, Shipment
from handlers.dependencies.orders import Orders
from handlers.http.route import Route

api = Route()
_ALL = NewShipment()


@api.post(
    "/v1/orders/<order_id>/shipments",
    permission=Permission.ORDERS_MANAGE,
    status=201,
    location="/v1/orders/{order_id}/shipments",
    raises=[NotFound, InvalidState, Contention],
)
def create_shipment(order_id: str, orders: Orders, new: Annotated[NewShipment, Body()] = _ALL) -> Shipment:
    """Ship some units of a paid order; without lines, all that remain. They leave the stock.

    Returns the shipment. The order is shipped once no units remain. 409 if the order is not paid, or fewer units
    remain.
    """
    return orders.add_shipment(order_id, new)


handler = api.handler
