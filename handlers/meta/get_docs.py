"""GET /v1/docs: show the API documentation in Swagger UI, without external resources."""

from functools import cache
from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from handlers.dependencies.document import OpenApiJson
from handlers.http.declaration import PUBLIC
from handlers.http.route import Route

api = Route()


@api.get("/v1/docs", permission=PUBLIC, media_type="text/html")
def get_docs(document: OpenApiJson) -> Response[str]:
    """Show the API documentation in Swagger UI. Returns an HTML page."""
    return Response(200, content_type="text/html; charset=utf-8", body=_page(document))


@cache
def _page(document: str) -> str:
    from aws_lambda_powertools.event_handler.openapi import swagger_ui

    files = Path(swagger_ui.__file__).parent
    return swagger_ui.generate_swagger_html(
        # A "</script>" in the document must not end the enclosing script element.
        spec=document.replace("</", "<\\/"),
        swagger_js=(files / "swagger-ui-bundle.min.js").read_text(),
        swagger_css=(files / "swagger-ui.min.css").read_text(),
        swagger_base_url="",
        oauth2_config=None,
        persist_authorization=True,
    )


handler = api.handler
