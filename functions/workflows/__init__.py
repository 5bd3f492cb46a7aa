"""One folder, one Lambda, one API path."""
