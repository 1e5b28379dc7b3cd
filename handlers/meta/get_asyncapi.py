"""GET /v1/asyncapi.json: get the AsyncAPI document of the events."""

from aws_lambda_powertools.event_handler import Response

from handlers.dependencies.document import AsyncApiJson
from handlers.http.declaration import PUBLIC
from handlers.http.route import Route

api = Route()


@api.get("/v1/asyncapi.json", permission=PUBLIC)
def get_asyncapi(document: AsyncApiJson) -> Response[str]:
    """Get the AsyncAPI document of the events: their types and the schemas of their data."""
    return Response(200, content_type="application/json", body=document)


handler = api.handler
