"""What workflows are made of. Knows no workflow."""
