"""One module a route.

Importing allocates a great deal and frees nothing, so collecting garbage meanwhile only costs: a tenth of a cold
start. Collection rests until a route is declared (`handlers.api.Api`), which comes after all imports.
"""

import gc

gc.disable()
