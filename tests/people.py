"""Tenants and users, created as operators and owners create them."""

import json
from typing import Any
from uuid import uuid4

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.http.sigv4 import SERVICE, AccessKey
from tests.shop import Answer, Send, Shop


class Operator:
    """Operator with the access key of the deployment."""

    def __init__(self, send: Send, key: AccessKey, host: str = "127.0.0.1") -> None:
        self.send, self.key, self.host = send, key, host

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        raw = b"" if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Type": "application/json"}
        return self.send(method, f"/v1{path}", self.signed(method, f"/v1{path}", raw, sent), raw)

    def signed(self, method: str, target: str, raw: bytes, headers: dict[str, str]) -> dict[str, str]:
        request = AWSRequest(method, f"http://{self.host}{target}", headers=headers | {"host": self.host}, data=raw)
        SigV4Auth(Credentials(self.key.id, self.key.secret), SERVICE, "eu-west-1").add_auth(request)
        return dict(request.headers.items())


def new_tenant(**fields: Any) -> dict[str, Any]:
    return {
        "id": f"t-{uuid4().hex[:12]}",
        "name": "Acme",
        "owner": {"email": "owner@example.com", "name": "Olga Owner"},
    } | fields


def new_user(**fields: Any) -> dict[str, Any]:
    return {"email": f"{uuid4().hex}@example.com", "name": "Jane Doe", "role": "customer"} | fields


def as_user(shop: Shop, user: dict[str, Any]) -> Shop:
    """Return a client that acts as this user."""
    return Shop(shop.send, shop.key, shop.tenant, user["role"], user["id"])
