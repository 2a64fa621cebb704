"""One run: what its jobs share, and what they leave for each other."""
