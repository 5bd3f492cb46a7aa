"""Triggers: the ways in which a workflow's function is called.

Each takes a workflow's definition.
"""
