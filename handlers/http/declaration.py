"""Declaration of a route, used by the resolver, the OpenAPI document, the stack and the local server."""

from dataclasses import dataclass
from typing import Literal

from domain.common.errors import DomainError
from domain.identity.permissions import Permission

PUBLIC: Literal["public"] = "public"
"""Permission of a route without authentication."""
IAM: Literal["iam"] = "iam"
"""Permission of a route for operators, who sign requests as IAM principals (SigV4)."""
SIGNED: Literal["signed"] = "signed"
"""Permission of a route whose requests are signed, for a tenant that they name: the function checks the signature."""

type Required = Permission | Literal["public", "iam", "signed"]
type KeyUse = Literal["required", "accepted", "ignored"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """Declaration of a route. Its fields are described in `handlers.http.route.Route`."""

    method: str
    path: str
    """Path in Powertools' syntax: `/v1/items/<item_id>`."""
    permission: Required
    status: int
    raises: tuple[type[DomainError], ...]
    idempotency_key: KeyUse
    location: str
    media_type: str
    rate_limit: int = 0
    deferred: bool = False
    reads: bool = False
    packages: str = ""

    @property
    def writes(self) -> bool:
        """Whether the route changes data. If so, the caller's token is checked for revocation."""
        return self.method != "GET" and not self.reads

    @property
    def template(self) -> str:
        """Path in the syntax of API Gateway and OpenAPI: `/v1/items/{item_id}`."""
        return self.path.replace("<", "{").replace(">", "}")
