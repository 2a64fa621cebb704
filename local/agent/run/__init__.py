"""Orders a run: from the command line to stages and jobs in dependency order."""
