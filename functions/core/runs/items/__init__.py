"""Items of runs: their outcomes, and the rules by which each is done once."""
