"""Workflows. Each folder is one Lambda and one API path."""
