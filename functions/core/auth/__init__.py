"""Tokens and the callers that hold them."""
