"""Where a run leaves its predictions."""

from __future__ import annotations

import pytest

from amltasks.evaluate_and_gate.predictions.names import located, preference


@pytest.mark.parametrize(
    ("files", "path", "expected"),
    [
        (
            ["outputs/predictions.csv", "outputs/predictions.parquet"],
            "",
            "outputs/predictions.parquet",
        ),
        (["outputs/Predictions.CSV"], "", "outputs/Predictions.CSV"),
        (["outputs/predictions.tsv.gz"], "", "outputs/predictions.tsv.gz"),
        (["outputs/predictions.PARQUET/part-0"], "", "outputs/predictions.PARQUET"),
        (["outputs/predictions/part-0.csv"], "", "outputs/predictions"),
        (["outputs/predictions.txt", "logs/predictions.csv", "outputs/predictions.csv.md"], "", ""),
        (["a/b.csv"], "/a/b.csv", "a/b.csv"),
        (["a/b/part-0", "a/bc"], "a/b/", "a/b"),
        (["a/bc"], "a/b", ""),
    ],
)
def test_a_file_or_a_folder_is_found(files: list[str], path: str, expected: str) -> None:
    assert located(files, path) == expected


def test_parquet_comes_before_csv_and_a_folder_last() -> None:
    names = [
        "outputs/predictions",
        "a.csv",
        "outputs/predictions.csv",
        "outputs/predictions.parquet",
    ]
    assert sorted(names, key=preference) == [names[3], names[2], names[0], names[1]]
