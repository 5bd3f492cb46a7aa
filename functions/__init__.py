"""The code that ships: workflows, the platform's own Lambdas (api), and what both are made of
(core).
"""
