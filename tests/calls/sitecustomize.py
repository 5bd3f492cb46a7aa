"""Starts the recorder in a function's process: Python imports such a module when it starts."""

from importlib import import_module

import_module("recorder").install()
