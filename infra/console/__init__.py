"""Console of `make run`: its pages and what they read below `/_local/`. Nothing of it ships."""
