"""pytest's plugin that records calls: `pytest -p tests.calls.plugin`. It makes `FUNCTIONS_PYTHONPATH`
the recorder's, so that the functions' own processes record as well.
"""

import os
from pathlib import Path

from tests.calls.recorder import install

os.environ["FUNCTIONS_PYTHONPATH"] = str(Path(__file__).parent)
install()
