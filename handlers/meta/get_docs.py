"""GET /v1/docs: the API's documentation in Swagger UI, with nothing loaded from elsewhere."""

from functools import cache
from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from handlers.http.document import openapi_json
from handlers.http.parameters import CallParameter
from handlers.http.route import PUBLIC, Api

api = Api()


@api.get("/v1/docs", permission=PUBLIC)
def get_docs(call: CallParameter) -> Response[str]:
    """Browse and try the API in Swagger UI."""
    return Response(200, content_type="text/html; charset=utf-8", body=_page(call.base))


@cache
def _page(base: str) -> str:
    from aws_lambda_powertools.event_handler.openapi import swagger_ui

    files = Path(swagger_ui.__file__).parent
    return swagger_ui.generate_swagger_html(
        # A "</script>" in the document must not end the script that holds it.
        spec=openapi_json(base).replace("</", "<\\/"),
        swagger_js=(files / "swagger-ui-bundle.min.js").read_text(),
        swagger_css=(files / "swagger-ui.min.css").read_text(),
        swagger_base_url="",
        oauth2_config=None,
        persist_authorization=True,
    )


handler = api.handler
