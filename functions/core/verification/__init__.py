"""Verifications: the record of one code that was sent to one destination for one purpose."""
