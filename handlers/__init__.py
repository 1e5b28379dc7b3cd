"""One module a route, one a trigger.

Importing allocates a great deal and frees nothing, so collecting garbage meanwhile only costs: a tenth of a cold
start. Collection rests until a module has declared what it is, which comes after all imports.
"""

import gc

gc.disable()


def resume_garbage_collection() -> None:
    """Collect garbage again; what the imports made lives as long as the process, and is not looked at."""
    gc.freeze()
    gc.enable()
