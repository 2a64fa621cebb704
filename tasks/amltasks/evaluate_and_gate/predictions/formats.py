"""The formats of a file of predictions, recognised by what is in it and not by its name."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from amltasks.evaluate_and_gate.predictions.problem import invalid, listed

MOST_BYTES = 2 * 1024**3
"""A larger file is refused, also one that unpacks to more: it would be held in memory whole."""

MOST_ROWS = 20_000_000
"""More rows are refused: a small parquet file can hold any number of them."""

_CHUNK = 2**20
_HEAD = 2**16
_SEPARATORS = (",", ";", "\t", "|")
# What a file of another format begins with. XLSX is a zip archive, too.
_OTHERS = {
    b"PK\x03\x04": "a zip archive or an Excel file",
    b"\xd0\xcf\x11\xe0": "an Excel file",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"ARROW1": "an Arrow (Feather) file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"\x93NUMPY": "a NumPy file",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file that can be read: lazily, with all its columns.

    ``texts`` says that it is CSV, whose values are all texts; ``decimal_comma`` that a comma in a
    number is its decimal point.
    """

    frame: pl.LazyFrame
    texts: bool = False
    decimal_comma: bool = False


def opened(path: Path, scratch: Path) -> Table:
    """Recognise a file, or a folder of part files of one format.

    Args:
        path: the file or folder.
        scratch: an empty folder for unpacked copies; it must outlive the table.

    Raises:
        TaskError: ``PREDICTIONS_INVALID``
    """
    if not path.is_dir():
        return _file(path, path.name, scratch)
    # Spark leaves _SUCCESS and .crc files beside the parts.
    parts = sorted(
        each
        for each in path.rglob("*")
        if each.is_file() and not each.name.startswith(("_", ".")) and each.stat().st_size
    )
    if not parts:
        raise invalid(path.name, "the folder holds no files")
    if sum(each.stat().st_size for each in parts) > MOST_BYTES:
        raise _too_large(path.name)
    tables = []
    for number, part in enumerate(parts):
        folder = scratch / str(number)
        folder.mkdir()
        tables.append(_file(part, f"{path.name}/{part.relative_to(path).as_posix()}", folder))
    return _together(path.name, parts, tables)


def _together(name: str, parts: Sequence[Path], tables: Sequence[Table]) -> Table:
    first = tables[0]
    columns = first.frame.collect_schema().names()
    for part, table in zip(parts, tables, strict=True):
        found = table.frame.collect_schema().names()
        if table.texts != first.texts:
            kinds = {True: "CSV", False: "parquet"}
            raise invalid(
                name,
                f"its parts differ: {parts[0].name} is {kinds[first.texts]}, "
                f"{part.name} is {kinds[table.texts]}",
            )
        if sorted(found) != sorted(columns):
            raise invalid(
                name,
                f"its parts differ: {parts[0].name} has the columns {listed(columns)}, "
                f"{part.name} has {listed(found)}",
            )
    return Table(
        frame=pl.concat([table.frame.select(columns) for table in tables], how="vertical_relaxed"),
        texts=first.texts,
        decimal_comma=any(table.decimal_comma for table in tables),
    )


def _file(path: Path, name: str, scratch: Path) -> Table:
    if path.stat().st_size > MOST_BYTES:
        raise _too_large(name)
    head = _head(path)
    if head.startswith(b"\x1f\x8b"):
        path = _unpacked(path, name, scratch)
        head = _head(path)
    if not head.strip():
        raise invalid(name, "it is empty")
    if head.startswith(b"PAR1"):
        return Table(frame=pl.scan_parquet(path))
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise invalid(name, f"it is {what}; write CSV or parquet")
    if head.lstrip()[:1] in (b"{", b"["):
        raise invalid(name, "it is JSON; write CSV or parquet")
    if name.lower().endswith(".parquet"):
        raise invalid(name, "it cannot be read as parquet: it does not begin as such a file does")
    encoding = _wide(head)
    is_old_mac = not encoding and b"\r" in head and b"\n" not in head
    if encoding or is_old_mac:
        path = _transcoded(path, name, encoding or "utf-8-sig", scratch)
        head = _head(path)
    return _csv(path, name, head)


def _csv(path: Path, name: str, head: bytes) -> Table:
    line = head.removeprefix(codecs.BOM_UTF8).lstrip().splitlines()[0]
    try:
        header = line.decode("utf-8")
    except UnicodeDecodeError:
        raise invalid(
            name, "it cannot be read as CSV: it is neither UTF-8 nor UTF-16 or UTF-32"
        ) from None
    # Names between quotes may hold separators.
    outside = "".join(header.split('"')[::2])
    separator = max(_SEPARATORS, key=outside.count)
    # As texts: a label may be true, an id 007.
    frame = pl.scan_csv(path, infer_schema=False, separator=separator)
    return Table(frame=frame, texts=True, decimal_comma=separator in (";", "\t"))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _wide(head: bytes) -> str:
    """The encoding of a text in UTF-16 or UTF-32, the former also without a mark; else empty."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if head[:1] == b"\0" else ""


def _unpacked(path: Path, name: str, scratch: Path) -> Path:
    try:
        with gzip.open(path) as packed:
            return _copied(packed, name, scratch / "unpacked")
    except (OSError, EOFError, zlib.error) as cause:
        raise invalid(name, f"it cannot be unpacked as gzip: {cause}") from None


def _copied(source: BinaryIO | gzip.GzipFile, name: str, target: Path) -> Path:
    room = MOST_BYTES
    with target.open("wb") as file:
        for piece in iter(lambda: source.read(_CHUNK), b""):
            room -= len(piece)
            if room < 0:
                raise _too_large(name)
            file.write(piece)
    return target


def _transcoded(path: Path, name: str, encoding: str, scratch: Path) -> Path:
    target = scratch / "utf-8"
    try:
        with target.open("w", encoding="utf-8", newline="") as file:
            for piece in _decoded(path, encoding):
                file.write(piece)
    except UnicodeDecodeError as cause:
        raise invalid(
            name, f"it cannot be read as CSV in {encoding.upper()}: {cause.reason}"
        ) from None
    return target


def _decoded(path: Path, encoding: str) -> Iterator[str]:
    with path.open(encoding=encoding) as file:  # a CR alone ends a line, too
        yield from iter(lambda: file.read(_CHUNK), "")


def _too_large(name: str) -> Exception:
    return invalid(name, f"it is larger than {MOST_BYTES / 1024**3:g} GiB")
