"""GET /v1/openapi.json: get the OpenAPI document of this API."""

from aws_lambda_powertools.event_handler import Response

from handlers.dependencies.document import OpenApiJson
from handlers.http.declaration import PUBLIC
from handlers.http.route import Route

api = Route()


@api.get("/v1/openapi.json", permission=PUBLIC)
def get_openapi(document: OpenApiJson) -> Response[str]:
    """Get the OpenAPI document of this API."""
    return Response(200, content_type="application/json", body=document)


handler = api.handler
