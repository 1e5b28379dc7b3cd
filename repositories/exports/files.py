"""Files of exports in a private bucket (Amazon S3 API reference)."""

import base64
import hashlib
from typing import NamedTuple

from domain.exports import LINK_LIFETIME
from repositories.aws.clients import s3
from repositories.aws.errors import mapped_to_domain
from repositories.aws.settings import settings

MANIFEST = "manifest.json"
_ALREADY_THERE = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""Errors of S3 for an object that is there, or that another request is writing."""


class Content(NamedTuple):
    """The content of a file, with its media type and checksum."""

    data: bytes
    media_type: str

    @property
    def sha256(self) -> str:
        """SHA-256 in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def write_once(name: str, content: Content) -> None:
    """Write a file, unless there is one with this name. S3 compares its checksum. Raises Unavailable."""
    digest = base64.b64encode(hashlib.sha256(content.data).digest()).decode()
    with mapped_to_domain():
        try:
            s3().put_object(
                Bucket=settings().export_bucket,
                Key=name,
                Body=content.data,
                ContentType=content.media_type,
                ChecksumSHA256=digest,
                IfNoneMatch="*",
            )
        except s3().exceptions.ClientError as refused:
            if refused.response["Error"]["Code"] not in _ALREADY_THERE:
                raise


def download_url(name: str, file_name: str) -> str:
    """Return a URL that downloads a file under a name, for `LINK_LIFETIME`."""
    return s3().generate_presigned_url(
        "get_object",
        Params={
            "Bucket": settings().export_bucket,
            "Key": name,
            "ResponseContentDisposition": f'attachment; filename="{file_name}"',
        },
        ExpiresIn=int(LINK_LIFETIME.total_seconds()),
    )
