"""Run history: experiments, runs, metrics, artifacts and snapshots."""
