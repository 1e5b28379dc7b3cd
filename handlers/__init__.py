"""Lambda functions: one module per route and one per trigger.

Garbage collection is off during imports, which allocate much and free nothing: collecting would take a tenth of a cold
start. It is resumed when a module declares its route or trigger, which happens after all imports.
"""

import gc

gc.disable()

from repositories.aws.clients import make_early  # noqa: E402 - after disabling collection


def end_initialization() -> None:
    """Create the clients that the function needs if it runs in Lambda, and resume garbage collection.

    Objects that exist then are not collected, as they live as long as the process.
    """
    make_early()
    gc.freeze()
    gc.enable()
