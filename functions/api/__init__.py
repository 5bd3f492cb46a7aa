"""The platform's own Lambdas."""
