"""Rotate the keys that sign cursors: add a new key in front and keep the previous one.

Called by Secrets Manager. Cursors signed with the previous key stay valid for their lifetime of a day, as rotations
are weeks apart.
Steps: Secrets Manager user guide, "Lambda rotation functions".
"""

from typing import Any

from handlers.invocations.trigger import LambdaEvent, TriggerSource, log_occasion, trigger
from repositories.paging.cursor_keys import finish_rotation, prepare_rotation


@trigger(TriggerSource.SECRET_ROTATION)
def rotate_cursor_keys(event: LambdaEvent, _context: Any) -> None:
    """Run one step of a rotation. Each step can be repeated."""
    secret, version, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    if step == "createSecret":
        prepare_rotation(secret, version)
    elif step == "finishSecret":
        finish_rotation(secret, version)
    log_occasion("secret rotation", step=step)


handler = rotate_cursor_keys.handler
