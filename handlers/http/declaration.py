"""What a route declares, for the resolver, the OpenAPI document, the stack and the local server."""

from dataclasses import dataclass
from typing import Literal

from domain.common.errors import DomainError
from domain.identity.permissions import Permission

PUBLIC: Literal["public"] = "public"
"""Permission of a route that needs no caller."""
IAM: Literal["iam"] = "iam"
"""Permission of a route for operators, who sign requests as IAM principals (SigV4)."""

type Required = Permission | Literal["public", "iam"]
type KeyUse = Literal["required", "accepted", "ignored"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """A route as it was declared. Its fields are explained in `handlers.http.route.Route`."""

    method: str
    path: str
    """The path as Powertools writes it: `/v1/items/<item_id>`."""
    permission: Required
    status: int
    raises: tuple[type[DomainError], ...]
    idempotency_key: KeyUse
    location: str
    media_type: str

    @property
    def writes(self) -> bool:
        """Whether the route changes anything, so that the caller's token must not have been revoked."""
        return self.method != "GET"

    @property
    def template(self) -> str:
        """The path as API Gateway and OpenAPI write it: `/v1/items/{item_id}`."""
        return self.path.replace("<", "{").replace(">", "}")
