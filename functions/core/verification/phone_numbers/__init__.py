"""Phone numbers: read as people write them, and held against their country's numbering plan."""
