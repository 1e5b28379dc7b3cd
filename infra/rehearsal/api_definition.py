"""Completion of an API in the local AWS, which imports only parts of its definition.

It imports paths, proxy integrations and authorizers, and leaves out mocks, methods for `ANY` and gateway responses.
They are added by API calls here, from the definition in the deployed template. That AWS imports them as they are
written is not shown by this.
"""

from collections.abc import Iterator
from typing import Any

from infra.constructs.gateway_body import ANY, Json


def complete(client: Any, api: str, stage: str, definition: Json) -> None:
    """Add mocks and gateway responses to an API and deploy it; `client` is one of API Gateway (`apigateway`)."""
    resources = {each["path"]: each["id"] for each in client.get_resources(restApiId=api, limit=500)["items"]}
    for path, method, operation in _mocks(definition):
        if path not in resources:
            parent, _, part = path.rpartition("/")
            made = client.create_resource(restApiId=api, parentId=resources[parent or "/"], pathPart=part)
            resources[path] = made["id"]
        _put_mock(client, {"restApiId": api, "resourceId": resources[path], "httpMethod": method}, operation)
    for kind, response in definition["x-amazon-apigateway-gateway-responses"].items():
        client.put_gateway_response(restApiId=api, responseType=kind, **response)
    client.create_deployment(restApiId=api, stageName=stage)


def _mocks(definition: Json) -> Iterator[tuple[str, str, Json]]:
    for path, operations in definition["paths"].items():
        for name, operation in operations.items():
            if name in {"options", ANY}:
                yield path, "ANY" if name == ANY else name.upper(), operation


def _put_mock(client: Any, method: dict[str, str], operation: Json) -> None:
    integration = operation["x-amazon-apigateway-integration"]
    response = integration["responses"]["default"]
    client.put_method(**method, authorizationType="NONE")
    client.put_integration(
        **method,
        type="MOCK",
        requestTemplates=integration["requestTemplates"],
        passthroughBehavior=integration["passthroughBehavior"].upper(),
    )
    declared = dict.fromkeys(response["responseParameters"], True)
    client.put_method_response(**method, statusCode=response["statusCode"], responseParameters=declared)
    client.put_integration_response(**method, **response)
