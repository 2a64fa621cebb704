"""Git repositories: their files and pull requests."""
