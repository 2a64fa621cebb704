"""Formats are recognised by what is in a file, or else named."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from amltasks.errors import TaskError
from amltasks.evaluate_and_gate.predictions import formats
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.evaluate_and_gate.predictions.reader import read

HEADER = "id,label,prediction,score"
LINES = ("r1,1,1,0.75", "r2,0,0,0.25")


def table(separator: str = ",", newline: str = "\n") -> str:
    return newline.join([HEADER, *LINES]).replace(",", separator) + newline


def parquet() -> bytes:
    buffer = io.BytesIO()
    pl.read_csv(io.StringIO(table())).write_parquet(buffer)
    return buffer.getvalue()


FORMS: dict[str, bytes] = {
    "commas": table().encode(),
    "semicolons": table(";").encode(),
    "decimal commas": table(";").replace("0.", "0,").encode(),
    "tabs": table("\t").encode(),
    "bars": table("|").encode(),
    "Windows": table(newline="\r\n").encode(),
    "byte order mark": table().encode("utf-8-sig"),
    "UTF-16": table().encode("utf-16"),
    "UTF-16, big": b"\xfe\xff" + table().encode("utf-16-be"),
    "UTF-16, unmarked": table().encode("utf-16-le"),
    "UTF-16, big and unmarked": table(";").encode("utf-16-be"),
    "quoted header": table().replace("prediction", '"prediction"').encode(),
    "gzip": gzip.compress(table().encode()),
    "UTF-32": table().encode("utf-32"),
    "UTF-32, big": b"\0\0\xfe\xff" + table(";").encode("utf-32-be"),
    "lines that end with CR": table().replace("\n", "\r").encode(),
    "gzip of UTF-16": gzip.compress(table("\t").encode("utf-16")),
    "parquet": parquet(),
    "gzip of parquet": gzip.compress(parquet()),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["predictions.csv", "PREDICTIONS"])
def test_a_format_is_recognised(tmp_path: Path, form: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FORMS[form])
    rows = read(path)
    assert rows.ids.tolist() == ["r1", "r2"]
    assert rows.labels.tolist() == rows.predictions.tolist() == [1, 0]
    assert rows.scores is not None
    assert rows.scores.tolist() == [0.75, 0.25]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b" \n\n", "it is empty"),
        (b"PK\x03\x04rest", "a zip archive or an Excel file; write CSV or parquet"),
        (b"\x28\xb5\x2f\xfdrest", "compressed by zstd"),
        (b'[{"id": 1}]', "it is JSON"),
        (b"ARROW1", "an Arrow (Feather) file"),
        (gzip.compress(table().encode(), mtime=0)[:-9], "cannot be unpacked as gzip"),
        (b"PAR1rest", "cannot be read as CSV or parquet"),
        (b"id,label,pr\xe9diction\n", "neither UTF-8 nor UTF-16"),
        ("id,label".encode("utf-16")[:-1], "cannot be read as CSV in UTF-16: truncated data"),
    ],
)
def test_another_format_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "predictions.csv"
    path.write_bytes(content)
    with pytest.raises(TaskError, match="PREDICTIONS_INVALID") as found:
        read(path)
    assert words in str(found.value)


def test_part_files_are_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "predictions.parquet"
    folder.mkdir()
    for number, line in enumerate(LINES):
        frame = pl.read_csv(io.StringIO(f"{HEADER}\n{line}\n"))
        frame.write_parquet(folder / f"part-{number}.snappy.parquet")
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.crc").write_bytes(b"crc")
    assert read(folder).ids.tolist() == ["r1", "r2"]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (
            "id,label,prediction\n3,1,1\n",
            "its parts differ: a.csv has the columns id, label, predic",
        ),
        ("", ""),
    ],
)
def test_parts_must_fit(tmp_path: Path, second: str, words: str) -> None:
    (tmp_path / "a.csv").write_text(table())
    (tmp_path / "b.csv").write_text(second)
    if not words:
        assert len(read(tmp_path)) == 2
        return
    with pytest.raises(TaskError, match="PREDICTIONS_INVALID") as found:
        read(tmp_path)
    assert words in str(found.value)


def test_parts_may_have_their_columns_in_another_order(tmp_path: Path) -> None:
    first, second = table().splitlines()[:2], table().splitlines()[0::2]
    (tmp_path / "a.csv").write_text("\n".join(first) + "\n")
    turned = [",".join(reversed(line.split(","))) for line in second]
    (tmp_path / "b.csv").write_text("\n".join(turned) + "\n")
    whole = tmp_path.parent / "whole.csv"
    whole.write_text(table())
    assert read(tmp_path).ids.tolist() == read(whole).ids.tolist()
    assert read(tmp_path).labels.tolist() == read(whole).labels.tolist()


def test_parts_of_two_formats_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(table())
    pl.read_csv(tmp_path / "a.csv").write_parquet(tmp_path / "b.parquet")
    with pytest.raises(TaskError, match=r"a\.csv is CSV, b\.parquet is parquet"):
        read(tmp_path)


def test_a_folder_without_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="the folder holds no files"):
        read(tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_too_large_unpacked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(formats, "MOST_BYTES", 2**20)
    path = tmp_path / "predictions.csv"
    content = table().encode() + b"\n" * 2**21
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(TaskError, match=r"larger than 0.000976\d* GiB"):
        read(path)


def test_a_parquet_of_one_long_text_many_times_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "MOST_BYTES", 10**7)
    rows = 20_000
    frame = pl.DataFrame({"id": np.arange(rows), "label": 1, "prediction": 1, "text": "x" * 1000})
    path = tmp_path / "predictions.parquet"
    frame.write_parquet(path)
    assert path.stat().st_size < 10**6
    with pytest.raises(TaskError, match="its texts are larger than"):
        read(path, Layout(model_types=("binary",)))
