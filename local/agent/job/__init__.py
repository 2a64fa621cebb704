"""Carries out one job: its steps, their inputs, handlers and logging commands."""
