"""Lambda functions: one module per route and one per trigger.

Garbage collection is off during imports, which allocate much and free nothing: collecting would take a tenth of a cold
start. It is resumed when a module declares its route or trigger, which happens after all imports.
"""

import gc

gc.disable()


def resume_garbage_collection() -> None:
    """Resume garbage collection. Objects created by imports are excluded, as they live as long as the process."""
    gc.freeze()
    gc.enable()
