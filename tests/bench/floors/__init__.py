"""Least code with plain botocore that makes the AWS requests of each other function."""
