"""Starts the debugger in the processes of one function; Python imports this module at startup.

The emulator has it on its functions' PYTHONPATH (infra/local/debugging/waiting.py).
"""

import os

_NAME = "DEBUGGED_FUNCTION"

if os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "") == os.environ.get(_NAME):
    del os.environ[_NAME]  # the debugger starts processes of its own
    from infra.local.debugging.process import start

    start()
