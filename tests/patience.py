"""How long tests wait for a state. A slow or busy machine must not make one fail."""

from __future__ import annotations

PATIENCE_S = 600.0
"""Seconds after which a state that has not come counts as one that never comes."""
