"""Pytest plugin that records calls: `pytest -p tests.calls.plugin`.

It sets `FUNCTIONS_PYTHONPATH`, so that the functions' own processes record as well.
"""

import os
from pathlib import Path

from tests.calls.recorder import install

os.environ["FUNCTIONS_PYTHONPATH"] = str(Path(__file__).parent)
install()
