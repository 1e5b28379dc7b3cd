"""Secrets Manager rotates the keys that sign cursors: a new one in front, the one before it kept.

Cursors signed with the key before stay good, as they live for a day and rotations are weeks apart.
Steps: Secrets Manager user guide, "Lambda rotation functions".
"""

from typing import Any

from handlers.triggers.trigger import LambdaEvent, TriggerSource, log_occasion, trigger
from repositories.paging.cursor_keys import finish_rotation, prepare_rotation


@trigger(TriggerSource.SECRET_ROTATION)
def rotate_cursor_keys(event: LambdaEvent, _context: Any) -> None:
    """Carry out one step. Each can be repeated."""
    secret, version, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    if step == "createSecret":
        prepare_rotation(secret, version)
    elif step == "finishSecret":
        finish_rotation(secret, version)
    log_occasion("secret rotation", step=step)


handler = rotate_cursor_keys.call
