"""Files of predictions: CSV or parquet, one row for each row of the evaluation set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from amltasks import errors
from amltasks.gate.rows import Array, Rows

NAMES = ("predictions.parquet", "predictions.csv")
"""What ``ml_scripts/evaluate.py`` and its kind call the file."""

MOST_BYTES = 2 * 1024**3
"""A larger file is refused: it would be held in memory whole."""

MOST_ROWS = 20_000_000
"""More rows are refused: a small parquet file can hold any number of them."""

INPUT_COLUMNS = ("text", "input")
THRESHOLD = 0.5
_NEEDED = ("id", "label")
_SEEN = "in_training"


def read(path: Path, slices: Sequence[str] = ()) -> Rows:
    """Read one model's predictions.

    The columns: ``id`` (unique), ``label`` (0 or 1), ``prediction`` (0 or 1; may be left out where
    there is a ``score``, then it is 1 from 0.5 on), ``score`` (probability of label 1), ``text`` or
    ``input`` (what the model was given: equal ones are one input), ``in_training`` (whether that
    input was trained on), and those that ``slices`` names.

    Args:
        path: the file, ``.parquet`` or CSV in UTF-8 with a header line.
        slices: columns to keep as slices; one that is not there is left out.

    Raises:
        TaskError: ``PREDICTIONS_INVALID``
    """
    if path.stat().st_size > MOST_BYTES:
        raise _invalid(path, f"it is larger than {MOST_BYTES // 1024**3} GiB")
    frame = _frame(path, slices)
    missing = [name for name in _NEEDED if name not in frame.columns]
    if not {"prediction", "score"} & set(frame.columns):
        missing.append("prediction")
    if missing:
        raise _invalid(
            path, f"it has no column '{missing[0]}'; its columns are {', '.join(frame.columns)}"
        )
    if frame.is_empty():
        raise _invalid(path, "it holds no rows")
    ids = frame["id"].cast(pl.String)
    if ids.null_count() or ids.is_duplicated().any():
        twice = ids.filter(ids.is_duplicated()).head(1).to_list()
        what = f"the id '{twice[0]}' stands in several rows" if twice else "a row has no id"
        raise _invalid(path, what)
    scores = _scores(path, frame)
    labels = _binary(path, frame, "label")
    if "prediction" in frame.columns:
        predictions = _binary(path, frame, "prediction")
    else:
        assert scores is not None  # noqa: S101 - one of the two is there
        unknown = ~np.isfinite(scores)
        if unknown.any():
            # NaN >= 0.5 is false: it would count as a 0 that the model never said.
            at = int(unknown.argmax()) + 1
            raise _invalid(
                path, f"data row {at} has neither a prediction nor a score that is a number"
            )
        predictions = (scores >= THRESHOLD).astype(np.int8)
    column = next((name for name in INPUT_COLUMNS if name in frame.columns), None)
    texts = frame[column].cast(pl.String).fill_null("") if column else None
    return Rows(
        ids=_texts(ids),
        labels=labels,
        predictions=predictions,
        scores=scores,
        inputs=np.arange(len(frame)) if texts is None else _codes(texts),
        texts=None if texts is None else _texts(texts),
        slices={
            name: _texts(frame[name].cast(pl.String).fill_null("(empty)"))
            for name in slices
            if name in frame.columns
        },
        seen=_binary(path, frame, _SEEN).astype(bool) if _SEEN in frame.columns else None,
    )


def _frame(path: Path, slices: Sequence[str]) -> pl.DataFrame:
    wanted = {*_NEEDED, "prediction", "score", _SEEN, *INPUT_COLUMNS, *slices}
    try:
        if path.suffix == ".parquet":
            found = pl.scan_parquet(path)
        else:
            # As texts: a label may be true, an id 007.
            found = pl.scan_csv(path, infer_schema=False)
        schema = found.collect_schema()
        names = schema.names()
        kept = [name for name in names if name in wanted]
        for name in kept:
            if f"{name}_duplicated_0" in names:  # polars' name for the second one
                raise _invalid(path, f"it has more than one column '{name}'")
            if schema[name].is_nested() or schema[name] == pl.Binary:
                raise _invalid(path, f"the column '{name}' holds no texts, numbers or booleans")
        count = int(found.select(pl.len()).collect().item())
        if count > MOST_ROWS:
            raise _invalid(path, f"its {count:,} rows are more than {MOST_ROWS:,}")
        return found.select(kept or names).collect()
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as cause:
        first = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
        kind = "parquet" if path.suffix == ".parquet" else "CSV in UTF-8"
        raise _invalid(path, f"it cannot be read as {kind}: {first}") from None


_TRUE, _FALSE = ("1", "1.0", "true"), ("0", "0.0", "false")


def _binary(path: Path, frame: pl.DataFrame, name: str) -> Array:
    texts = frame[name].cast(pl.String).str.strip_chars().str.to_lowercase()
    one, zero = texts.is_in(_TRUE), texts.is_in(_FALSE)
    wrong = ~(one | zero).fill_null(False)
    if wrong.any():
        first = int(wrong.arg_max() or 0)
        raise _invalid(
            path,
            f"{int(wrong.sum())} rows have a {name} that is neither 0 nor 1, the first is data row "
            f"{first + 1} ({name}: {frame[name][first]!r})",
        )
    return one.to_numpy().astype(np.int8)


def _scores(path: Path, frame: pl.DataFrame) -> Array | None:
    if "score" not in frame.columns:
        return None
    given = frame["score"]
    numbers = given.cast(pl.Float64, strict=False)
    wrong = numbers.is_null() & given.is_not_null()
    if given.dtype == pl.String:
        wrong &= ~given.str.strip_chars().str.to_lowercase().is_in(["", "nan"])
    if wrong.any():
        first = int(wrong.arg_max() or 0)
        raise _invalid(path, f"the score of data row {first + 1} is no number ({given[first]!r})")
    return numbers.fill_null(math.nan).to_numpy()


def _codes(texts: pl.Series) -> Array:
    return texts.rank("dense").to_numpy().astype(np.int64) - 1


def _texts(series: pl.Series) -> Array:
    return series.to_numpy().astype(object)


def _invalid(path: Path, detail: str) -> errors.TaskError:
    return errors.PREDICTIONS_INVALID.error(path=path.name, detail=detail)
