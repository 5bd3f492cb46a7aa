"""Other products that this one works with."""
