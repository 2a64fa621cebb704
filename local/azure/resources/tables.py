"""The names of Resource Manager's tables in the store, each declared once."""

from __future__ import annotations

COMPUTES = "compute"
