"""Read a file of predictions: recognise its format, find its columns, check what is in them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from amltasks.evaluate_and_gate.predictions import formats, kinds
from amltasks.evaluate_and_gate.predictions.columns import Columns
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.evaluate_and_gate.predictions.problem import invalid, listed
from amltasks.evaluate_and_gate.predictions.said import Said
from amltasks.gate import model_types
from amltasks.gate.crossing import CROSS
from amltasks.gate.roles import BY_CLASS, INPUT_ROLES, ROLES
from amltasks.gate.rows import Array, Rows, joined

_DUPLICATE = "_duplicated_0"  # what polars adds to the name of the second of two


def read(path: Path, layout: Layout | None = None) -> Rows:
    """Read one model's predictions.

    Args:
        path: a file, or a folder of part files: CSV (between commas, semicolons, tabs or bars; in
            UTF-8 or UTF-16) or parquet, also packed by gzip.
        layout: what to read of it; by default that of a classifier.

    Raises:
        TaskError: ``PREDICTIONS_INVALID``
    """
    layout = layout or Layout()
    # On Windows a file that was mapped into memory may resist a moment longer.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        try:
            table = formats.opened(path, Path(scratch))
            return _rows(_columns(path.name, table, layout), layout)
        except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as cause:
            said = str(cause).strip().splitlines()
            first = said[0] if said else type(cause).__name__
            raise invalid(path.name, f"it cannot be read as CSV or parquet: {first}") from None


def _columns(file: str, table: formats.Table, layout: Layout) -> Columns:
    schema = table.frame.collect_schema()
    names = schema.names()
    roles = dict(_roles(file, names, layout))
    kept = list(dict.fromkeys(roles.values()))
    _refuse_nested(file, schema, roles, layout)
    count = int(table.frame.select(pl.len()).collect().item())
    if count > formats.MOST_ROWS:
        raise invalid(file, f"its {count:,} rows are more than {formats.MOST_ROWS:,}")
    if count == 0:
        raise invalid(file, f"it holds no rows; its columns are {listed(names)}")
    chosen = table.frame.select(kept)
    texts = [name for name in kept if schema[name] in (pl.String, pl.Binary)]
    if not table.texts and texts:
        # Parquet may hold a long text once for any number of rows.
        sizes = [
            pl.col(name).cast(pl.Binary).bin.size().cast(pl.Int64).sum().alias(str(at))
            for at, name in enumerate(texts)
        ]
        total = sum(chosen.select(sizes).collect(engine="streaming").row(0))
        if total > formats.MOST_BYTES:
            raise invalid(file, f"its texts are larger than {formats.MOST_BYTES / 1024**3:g} GiB")
    return Columns(
        file=file,
        frame=chosen.collect(),
        names=names,
        roles=roles,
        decimal_comma=table.decimal_comma,
    )


def _roles(file: str, names: Sequence[str], layout: Layout) -> Iterator[tuple[str, str]]:
    """Each role that the file has a column for, and its name there."""
    for role in layout.columns:
        if _named(file, names, layout.columns[role]) is None:
            if _is_family(role, names, layout):
                continue
            raise invalid(
                file,
                f"it has no column '{layout.columns[role]}', which the rules call the {role}; its "
                f"columns are {listed(names)}",
            )
    taken = set(layout.columns.values())
    quantiles = [each for each in layout.columns if each not in ROLES]
    for role in dict.fromkeys([*ROLES, *layout.values, *quantiles, *_slice_parts(layout, names)]):
        found = _named(file, names, layout.columns.get(role, role))
        if found is not None and (
            role in layout.columns or role not in ROLES or found not in taken
        ):
            yield role, found
    for role in BY_CLASS:
        prefix = layout.columns.get(role, role)
        for name in names:
            if _begins(name, prefix):
                yield f"{role}_{name.strip()[len(prefix) + 1 :]}", name


def _is_family(role: str, names: Sequence[str], layout: Layout) -> bool:
    """Whether the rules name a family of columns, one for each class, by what they begin with."""
    by_class = role in BY_CLASS and set(layout.model_types) <= set(model_types.MANY_CLASSES)
    return by_class and any(_begins(each, layout.columns[role]) for each in names)


def _begins(name: str, prefix: str) -> bool:
    return name.strip().lower().startswith(f"{prefix.strip().lower()}_")


def _named(file: str, names: Sequence[str], wanted: str) -> str | None:
    """The column of a name; upper case and spaces around it do not matter."""
    like = [each for each in names if each.strip().lower() == wanted.strip().lower()]
    same = [each for each in like if each == wanted] or like
    if not same:
        return None
    if len(same) > 1:
        raise invalid(file, f"it has more than one column '{wanted}': {listed(map(repr, same))}")
    if f"{same[0]}{_DUPLICATE}" in names:
        raise invalid(file, f"it has more than one column '{same[0]}'")
    return same[0]


def _slice_parts(layout: Layout, names: Sequence[str]) -> Iterator[str]:
    """The columns that the slices are made of; a crossed one is of several."""
    for name in layout.slices:
        yield from [name] if name in names else name.split(CROSS)


def _refuse_nested(file: str, schema: pl.Schema, roles: Mapping[str, str], layout: Layout) -> None:
    for role, name in roles.items():
        listable = role in ("label", "prediction") and model_types.MULTILABEL in layout.model_types
        if schema[name].is_nested() and not (listable and isinstance(schema[name], pl.List)):
            raise invalid(file, f"the column '{name}' holds no texts, numbers or booleans")


def _rows(columns: Columns, layout: Layout) -> Rows:
    ids = columns.strings("id")
    if ids.null_count() or ids.is_duplicated().any():
        twice = ids.filter(ids.is_duplicated()).drop_nulls().head(1).to_list()
        what = f"the id '{twice[0]}' stands in several rows" if twice else "a row has no id"
        raise columns.invalid(what)
    model_type = kinds.decided(columns, layout)
    said = kinds.said(model_type, columns, layout)
    queries = _present(columns, "query") if model_type == model_types.RANKING else None
    texts = _inputs(columns)
    return Rows(
        ids=ids.to_numpy().astype(object),
        model_type=model_type,
        classes=said.classes,
        labels=said.labels,
        predictions=said.predictions,
        scores=said.scores,
        values=_values(columns, layout, model_type, said),
        weights=_weights(columns, queries),
        queries=queries,
        inputs=_clusters(columns, texts, queries),
        texts=texts,
        slices=dict(_slices(columns, layout)),
        seen=columns.binary("in_training").astype(bool) if "in_training" in columns else None,
        notes=said.notes,
    )


def _inputs(columns: Columns) -> Array | None:
    role = next((each for each in INPUT_ROLES if each in columns), None)
    return None if role is None else columns.texts(role)


def _clusters(columns: Columns, texts: Array | None, queries: Array | None) -> Array:
    """Rows of one input, of one group and of one query are one cluster."""
    clusters: Array | None = None
    role = next((each for each in INPUT_ROLES if each in columns), None)
    parts: Iterable[Array | None] = (
        columns.codes(role) if role and texts is not None else None,
        _present(columns, "group") if "group" in columns else None,
        queries,
    )
    for part in parts:
        if part is not None:
            clusters = part if clusters is None else joined(part, clusters)
    return np.arange(len(columns)) if clusters is None else clusters


def _present(columns: Columns, role: str) -> Array:
    """The codes of a column that every row must have a value of."""
    found = columns.strings(role).str.strip_chars()
    missing = (found.is_null() | (found == "")).fill_null(True)
    if missing.any():
        raise columns.invalid(
            f"{int(missing.sum())} rows have no {role}, the first is data row "
            f"{int(missing.arg_max() or 0) + 1}"
        )
    return columns.codes(role)


def _weights(columns: Columns, queries: Array | None) -> Array | None:
    if "weight" not in columns:
        return None
    found = columns.finite("weight")
    if (found < 0).any():
        raise columns.invalid(f"the weight of data row {int((found < 0).argmax()) + 1} is below 0")
    if not found.any():
        raise columns.invalid("all its weights are 0")
    if queries is not None:
        order = np.argsort(queries, kind="stable")
        same = queries[order][1:] == queries[order][:-1]
        if (same & (found[order][1:] != found[order][:-1])).any():
            raise columns.invalid("the rows of a query have different weights")
    return found


def _values(columns: Columns, layout: Layout, model_type: str, said: Said) -> dict[str, Array]:
    found = {name: columns.numbers(name) for name in layout.values if name in columns}
    if model_type == model_types.REGRESSION and "quantile_0.5" in layout.values:
        # A prediction is of the median where nothing else is said.
        found.setdefault("quantile_0.5", said.predictions)
    return found


def _slices(columns: Columns, layout: Layout) -> Iterator[tuple[str, Array]]:
    for name in layout.slices:
        parts = [name] if name in columns else name.split(CROSS)
        if all(part in columns for part in parts):
            values = [columns.strings(part).fill_null("(empty)") for part in parts]
            whole = values[0]
            for each in values[1:]:
                whole = whole + CROSS + each
            yield name, whole.to_numpy().astype(object)
