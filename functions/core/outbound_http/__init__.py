"""Requests to URLs that somebody configured: only to public addresses, bounded in time and size."""
