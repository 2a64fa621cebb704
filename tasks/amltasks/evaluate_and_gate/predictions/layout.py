"""Where a file of predictions has what the rules need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from amltasks.gate import model_types
from amltasks.gate.rows import Rows
from amltasks.gate.rules import Rules


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What to read of a file of predictions.

    ``model_types`` are the kinds of model that it may be of; where they are more than one, the file
    decides. ``columns`` names the file's column of each role that has another name, ``slices`` the
    columns that the rules call slices, ``values`` those of numbers. ``needed`` says whether the
    rules need the rows at all.
    """

    model_types: tuple[str, ...] = model_types.CLASSIFIERS
    positive_label: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    slices: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    needed: bool = True

    @classmethod
    def of(cls, rules: Rules) -> Layout:
        """What the rules need."""
        return cls(
            model_types=rules.model_types,
            positive_label=rules.positive_label or "",
            columns=rules.columns,
            slices=rules.slice_columns,
            values=rules.value_columns,
            needed=rules.need_rows,
        )

    def like(self, rows: Rows | None) -> Layout:
        """The layout of a baseline's file: of the same kind of model as the candidate's rows."""
        return self if rows is None else replace(self, model_types=(rows.model_type,))
