"""The job of verify_check as others would write it, each with its packages and nothing of ours."""
