"""Jobs of v2: command and pipeline jobs."""
