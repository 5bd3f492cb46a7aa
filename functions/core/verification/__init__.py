"""Verifications: codes that are sent to a destination and checked."""
