"""Runs on the local stack: their failed items, and what the emulator lacks for long workflows."""
