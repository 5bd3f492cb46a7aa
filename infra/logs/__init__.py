"""The log lines of all functions, here and on AWS: found, read as they come, and shown to a person."""
