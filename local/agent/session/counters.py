"""The counters of ``counter(prefix, seed)``: one number for each run and prefix.

Source: MicrosoftDocs/azure-devops-docs docs/pipelines/process/expressions.md, "counter".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from local.agent.definition.numbering import Numbers


@dataclass(kw_only=True)
class Counters:
    """The counters of one pipeline, as one run sees them.

    Attributes:
        numbers: where they are kept between runs.
        pipeline: what they are counted for.
    """

    numbers: Numbers
    pipeline: str
    _taken: dict[str, int] = field(default_factory=dict)

    def next(self, prefix: str, seed: int) -> Decimal:
        """Return this run's number for a prefix; a second request gets the same one."""
        key = prefix.lower()
        if key not in self._taken:
            self._taken[key] = self.numbers.next(f"{self.pipeline}#counter#{key}", seed)
        return Decimal(self._taken[key])
