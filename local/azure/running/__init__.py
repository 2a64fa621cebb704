"""Runs jobs: processes, their environments, their order."""
