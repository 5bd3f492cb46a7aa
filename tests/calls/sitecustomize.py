"""Starts the recorder in a function's process; Python imports this module at startup."""

from importlib import import_module

import_module("recorder").install()
