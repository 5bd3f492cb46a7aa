"""Outbound HTTP: requests to configured URLs, public addresses only, bounded in time and size."""
