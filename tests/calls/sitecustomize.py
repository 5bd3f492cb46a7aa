"""Starts the recorder in a function's process: Python imports a module of this name when it starts."""

from importlib import import_module

import_module("recorder").install()
