"""Timing of a schedule: read from a request, computed, and said in words."""
