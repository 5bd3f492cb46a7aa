"""Node.js and its packages, as `make lint-web` installs them."""

import sys
from pathlib import Path

NODE = Path(sys.executable).parent / "node"
MODULES = Path(sys.prefix) / "html/node_modules"
