"""The code that ships: workflows, the platform's own Lambdas (api), and what both are made of
(core).
"""

import gc

# An init makes tens of thousands of objects, and nearly all of them stay. The default, 2,000 new
# ones, would have each cold start search them for garbage again and again.
gc.set_threshold(50_000, 20, 100)
