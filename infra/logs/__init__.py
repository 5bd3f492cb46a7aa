"""Log lines of all functions, local and on AWS: reading, filtering and display."""
