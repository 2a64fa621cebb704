"""The tags that a gate writes on a model version: what it came to."""

from __future__ import annotations

STATE, REASON, EVALUATION = "gate", "gate_reason", "gate_evaluation"
"""The state below; why a version was rejected; the digest of the rows it was judged on."""

CLAIMED, PROMOTED, STEPPED_BACK, REJECTED = "claimed", "promoted", "stepped-back", "rejected"
