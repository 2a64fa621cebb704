"""One run: what its jobs share, and their outcomes."""
