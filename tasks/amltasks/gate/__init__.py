"""The gate: rules, baseline and verdict as pure functions; no input, no output."""
