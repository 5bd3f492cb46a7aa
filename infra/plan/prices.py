"""Prices in USD, of us-east-1: those of docs/how-to/deploy.md, which says where each was read."""

LAMBDA_REQUEST = 0.20e-6
LAMBDA_GIGABYTE_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
"""By architecture."""
WRITE_UNIT = 0.625e-6
READ_UNIT = 0.125e-6
TRANSITION = 25.00e-6
EXPRESS_REQUEST = 1.00e-6
EXPRESS_GIGABYTE_SECOND = 0.00001667
EXPRESS_GIGABYTES = 64 / 1024
"""Least memory that an Express child is billed for."""
S3_READ = 0.40e-6
LOG_GIGABYTE = 0.50
EMAIL = 0.10e-3

MEGABYTES_OF_A_CPU = 1769
"""Memory with which Lambda gives a function one vCPU (Lambda developer guide, "Configure Lambda
function memory").
"""
