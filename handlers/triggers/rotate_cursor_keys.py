"""Secrets Manager rotates the keys that sign cursors: a new one in front, the one before it kept.

Cursors signed with the key before stay good, as they live for a day and rotations are weeks apart.
Steps: Secrets Manager user guide, "Lambda rotation functions".
"""

from typing import Any

from handlers.triggers.trigger import Event, Source, told, trigger
from repositories.dynamodb.iam_actions import Access
from repositories.paging.cursor_keys import finish_rotation, prepare_rotation


@trigger(Source.SECRET_ROTATION, access=[Access.ROTATE])
def rotate_cursor_keys(event: Event, _context: Any) -> None:
    """Carry out one step. Each can be repeated."""
    secret, version, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    if step == "createSecret":
        prepare_rotation(secret, version)
    elif step == "finishSecret":
        finish_rotation(secret, version)
    told("secret rotation", step=step)


handler = rotate_cursor_keys.call
