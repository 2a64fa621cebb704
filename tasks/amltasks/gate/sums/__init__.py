"""Sums over rows that a measure is a function of, so that a resample of it is a weighted sum."""
