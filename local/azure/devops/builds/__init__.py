"""Builds: definitions, builds, agents, jobs, logs and test runs."""
