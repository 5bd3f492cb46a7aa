"""The code that ships: workflows, the platform's own Lambdas (api), and what both are made of
(core).
"""

import gc

# An init makes tens of thousands of objects, and nearly all of them stay. The default, 2,000 new
# ones, would have each cold start search them for garbage again and again. Nearly 80,000 are made
# in the longest, so none is searched (decision 102).
gc.set_threshold(100_000, 20, 100)
