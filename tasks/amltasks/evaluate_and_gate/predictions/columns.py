"""The columns of a file of predictions, found by their role and turned into arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from amltasks.evaluate_and_gate.predictions.problem import invalid, listed
from amltasks.gate.rows import Array

BINARY_WORDS = ("0", "1", "false", "true")
"""What the labels 0 and 1 are written as, in lower case."""

# Whole numbers up to this are exact in binary floating point.
_EXACT = 2.0**53
_WHOLE = r"^([+-]?[0-9]+)\.0+$"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a file that have a role; ``names`` are all that it has.

    ``frame`` has the columns that were kept, ``roles`` the name of each role's column in it.
    ``file`` is the file's name, for messages.
    """

    file: str
    frame: pl.DataFrame
    names: Sequence[str]
    roles: Mapping[str, str]
    decimal_comma: bool = False

    def __contains__(self, role: str) -> bool:
        """Whether the file has a column of that role."""
        return role in self.roles

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.frame)

    def series(self, role: str) -> pl.Series:
        """A column as the file has it.

        Raises:
            TaskError: ``PREDICTIONS_INVALID`` when there is none of that role.
        """
        if role not in self.roles:
            raise self.invalid(f"it has no column '{role}'; its columns are {listed(self.names)}")
        return self.frame[self.roles[role]]

    def family(self, role: str) -> dict[str, str]:
        """The roles ``<role>_<class>`` that the file has, by class."""
        prefix = f"{role}_"
        return {name[len(prefix) :]: name for name in self.roles if name.startswith(prefix)}

    def texts(self, role: str, missing: str = "") -> Array:
        """A column as texts (object, n); ``missing`` stands for what is not there."""
        return _texts(self.strings(role).fill_null(missing))

    def strings(self, role: str) -> pl.Series:
        """A column as texts, null where the file has nothing."""
        given = self.series(role)
        if given.dtype == pl.Binary:
            try:
                return given.cast(pl.String)
            except pl.exceptions.PolarsError:  # bytes that are no text, such as a UUID's
                return given.bin.encode("hex")
        if given.dtype.is_float():
            # Through a missing value pandas turns whole numbers into others: 7 into 7.0.
            whole = given.drop_nulls()
            if ((whole == whole.round()) & (whole.abs() < _EXACT)).all():
                given = given.cast(pl.Int64)
        return given.cast(pl.String)

    def labels(self, role: str) -> pl.Series:
        """A column of labels as texts: without space around them, 1.0 and 1 alike.

        Raises:
            TaskError: ``PREDICTIONS_INVALID`` when a row has none.
        """
        found = self.strings(role).str.strip_chars().str.replace(_WHOLE, "$1")
        lower = found.str.to_lowercase()
        found = pl.select(pl.when(lower.is_in(["true", "false"])).then(lower).otherwise(found))[
            found.name
        ]
        # pandas writes what is missing as NaN, which is no class.
        missing = (found.is_null() | (found == "") | (lower == "nan")).fill_null(True)
        if missing.any():
            raise self.invalid(
                f"{int(missing.sum())} rows have no {role}, the first is data row {_first(missing)}"
            )
        return found

    def numbers(self, role: str) -> Array:
        """A column as numbers (float64, n), NaN where the file has nothing.

        Raises:
            TaskError: ``PREDICTIONS_INVALID`` where it has something else.
        """
        given = self.series(role)
        if given.dtype == pl.String:
            given = given.str.strip_chars()
            if self.decimal_comma:
                given = given.str.replace(r"^([+-]?[0-9]*),([0-9]+)$", "$1.$2")
        found = given.cast(pl.Float64, strict=False)
        wrong = found.is_null() & given.is_not_null()
        if given.dtype == pl.String:
            wrong &= ~given.str.to_lowercase().is_in(["", "nan", "null", "none", "na"])
        if wrong.any():
            at = _first(wrong)
            value = self.series(role)[at - 1]
            hint = "; write a share of 1, not per cent" if str(value).strip().endswith("%") else ""
            raise self.invalid(f"the {role} of data row {at} is no number ({value!r}){hint}")
        return found.fill_null(np.nan).to_numpy().astype(np.float64)

    def finite(self, role: str) -> Array:
        """As `numbers`, of which none may be missing or infinite."""
        found = self.numbers(role)
        wrong = ~np.isfinite(found)
        if wrong.any():
            raise self.invalid(
                f"{int(wrong.sum())} rows have a {role} that is missing or not finite, the first "
                f"is data row {int(wrong.argmax()) + 1}"
            )
        return found

    def binary(self, role: str) -> Array:
        """A column of 0 and 1, or false and true (int8, n)."""
        texts = self.strings(role).str.strip_chars().str.to_lowercase().str.replace(_WHOLE, "$1")
        one, zero = texts.is_in(["1", "true"]), texts.is_in(["0", "false"])
        wrong = ~(one | zero).fill_null(False)
        if wrong.any():
            at = _first(wrong)
            raise self.invalid(
                f"{int(wrong.sum())} rows have a {role} that is neither 0 nor 1, the first is data "
                f"row {at} ({role}: {self.series(role)[at - 1]!r})"
            )
        return one.to_numpy().astype(np.int8)

    def codes(self, role: str) -> Array:
        """Numbers from 0 for the distinct values of a column (int64, n)."""
        found = self.strings(role).fill_null("").rank("dense").to_numpy()
        return found.astype(np.int64) - 1

    def invalid(self, detail: str) -> Exception:
        """The error that says what is wrong with the file."""
        return invalid(self.file, detail)


def _first(wrong: pl.Series) -> int:
    """The number of the first row that is wrong, as a person counts the rows of data."""
    return int(wrong.arg_max() or 0) + 1


def _texts(series: pl.Series) -> Array:
    return series.to_numpy().astype(object)
