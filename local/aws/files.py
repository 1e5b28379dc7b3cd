"""Local part of S3 that functions use (Amazon S3 API reference): objects are files in a folder.

Downloads need the signature of a URL, as in AWS; uploads come from functions of this machine.
"""

import hmac
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.loopback import Answered, Asked, served
from repositories.aws.settings import environment

ENDPOINT = "AWS_ENDPOINT_URL_S3"
"""Environment variable that leads AWS clients to it."""
BUCKET = "tradepost-exports"
_SAFE = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{code}</Message></Error>'
_STATUS = {"AccessDenied": 403, "MethodNotAllowed": 405, "NoSuchKey": 404, "PreconditionFailed": 412}


class FilesError(Exception):
    """An error as S3 answers it."""


class Files:
    """Objects of the bucket in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, Lock()

    def handle(self, asked: Asked) -> Answered:
        """Answer a request."""
        try:
            return self._handled(asked)
        except FilesError as error:
            code = str(error)
            return Answered(_STATUS[code], {"Content-Type": "application/xml"}, _ERROR.format(code=code).encode())

    def _handled(self, asked: Asked) -> Answered:
        path = self._path(urlsplit(asked.target).path)
        if asked.method == "PUT":
            self._write(path, asked)
            return Answered(200, {"ETag": '"local"'}, b"")
        if asked.method not in {"GET", "HEAD"}:
            raise FilesError("MethodNotAllowed")
        query = _require_signed(asked)
        if not path.is_file():
            raise FilesError("NoSuchKey")
        headers = {"Content-Type": path.with_name(f"{path.name}.type").read_text()}
        headers["Last-Modified"] = formatdate(path.stat().st_mtime, usegmt=True)
        if "response-content-disposition" in query:
            headers["Content-Disposition"] = query["response-content-disposition"][0]
        return Answered(200, headers, path.read_bytes())

    def _path(self, path: str) -> Path:
        name = unquote(path).removeprefix(f"/{BUCKET}/")
        if not _SAFE.fullmatch(name) or ".." in name.split("/"):
            raise FilesError("NoSuchKey")
        return self._folder / name

    def _write(self, path: Path, asked: Asked) -> None:
        with self._lock:
            if asked.headers.get("if-none-match") == "*" and path.exists():
                raise FilesError("PreconditionFailed")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f"{path.name}.type").write_text(asked.headers.get("content-type", ""))
            fresh = path.with_name(f"{path.name}.new")
            fresh.write_bytes(asked.body)
            fresh.replace(path)


def _require_signed(asked: Asked) -> dict[str, list[str]]:
    """Return the query of a URL with a valid signature that has not expired. Raises FilesError."""
    parts = urlsplit(asked.target)
    target, _, signature = asked.target.partition("&X-Amz-Signature=")
    query = parse_qs(parts.query)
    try:
        date, seconds = query["X-Amz-Date"][0], int(query["X-Amz-Expires"][0])
        at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        region = query["X-Amz-Credential"][0].split("/")[2]
        expected = _signature(f"http://{asked.headers['host']}{target}", region, seconds, date)
    except (IndexError, KeyError, ValueError):
        raise FilesError("AccessDenied") from None
    if not hmac.compare_digest(expected, signature) or _now() > at + timedelta(seconds=seconds):
        raise FilesError("AccessDenied")
    return query


def _now() -> datetime:
    return datetime.now(UTC)


def _signature(url: str, region: str, seconds: int, date: str) -> str:
    """Return the signature of a URL (Amazon S3 API reference, "Authenticating requests: using query parameters")."""
    request = AWSRequest("GET", url, headers={})
    request.context["timestamp"] = date
    auth = S3SigV4QueryAuth(
        Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]), "s3", region, seconds
    )
    canonical = auth.canonical_request(request)
    return str(auth.signature(auth.string_to_sign(request, canonical), request))


@contextmanager
def files(folder: Path | None) -> Iterator[str]:
    """Serve the bucket in a folder (None: one that is deleted at the end) and yield the endpoint.

    The environment variables of this process and its child processes then point to it.
    """
    with nullcontext(folder) if folder else TemporaryDirectory() as place:
        kept = Files(Path(place))
        with served(kept.handle, "GET", "HEAD", "PUT") as endpoint:
            os.environ |= environment(export_bucket=BUCKET) | {ENDPOINT: endpoint}
            yield endpoint
