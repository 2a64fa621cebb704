"""Locks keep the files that a supported agent can install, and no others."""

from __future__ import annotations

import pytest

from extension import locks

LOCK = """six==1.17.0 \\
    --hash=sha256:{wheel} \\
    --hash=sha256:{sdist}
fast==2.0 ; sys_platform != 'darwin' \\
    --hash=sha256:{new} \\
    --hash=sha256:{source} \\
    --hash=sha256:{linux}
"""
DIGESTS = {name: str(number) * 64 for number, name in enumerate(("wheel", "sdist", "new"))}
DIGESTS |= {"source": "8" * 64, "linux": "9" * 64}


def file(name: str, digest: str) -> dict[str, object]:
    return {"url": f"https://example.invalid/{name}", "hashes": {"sha256": DIGESTS[digest]}}


PYLOCK = {
    "packages": [
        {
            "name": "six",
            "wheels": [file("six-1.17.0-py2.py3-none-any.whl", "wheel")],
            "sdist": file("six-1.17.0.tar.gz", "sdist"),
        },
        {
            "name": "fast",
            "wheels": [
                file("fast-2.0-cp314-cp314-manylinux_2_28_x86_64.whl", "new"),
                file("fast-2.0-cp39-abi3-manylinux_2_28_x86_64.whl", "linux"),
            ],
            "sdist": file("fast-2.0.tar.gz", "source"),
        },
    ]
}


@pytest.mark.parametrize(
    ("wheel", "useful"),
    [
        ("a-1-py3-none-any.whl", True),
        ("a-1-py2.py3-none-any.whl", True),
        ("a-1-py2-none-any.whl", False),
        ("a-1-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("a-1-cp312-cp312-musllinux_1_2_aarch64.whl", True),
        ("a-1-cp312-cp312-macosx_11_0_arm64.whl", True),
        ("a-1-cp312-cp312-win_amd64.whl", True),
        ("a-1-cp312-cp312-win32.whl", False),
        ("a-1-cp312-cp312-manylinux_2_17_s390x.whl", False),
        ("a-1-cp313-cp313-manylinux_2_17_x86_64.whl", False),
        ("a-1-cp313-abi3-manylinux_2_17_x86_64.whl", False),
        ("a-1-cp37-abi3-manylinux_2_17_x86_64.whl", True),
        ("a-1-cp39-cp39-manylinux_2_17_x86_64.whl", False),
        ("a-1-pp311-pypy311_pp73-manylinux_2_17_x86_64.whl", False),
        ("a-1-3-cp311-cp311-macosx_10_9_universal2.whl", True),
    ],
)
def test_a_wheel_fits_an_agent(wheel: str, useful: bool) -> None:
    assert locks.installable(wheel) is useful


def test_sources_stay_where_some_agent_has_no_wheel() -> None:
    expected = """six==1.17.0 \\
    --hash=sha256:{wheel}
fast==2.0 ; sys_platform != 'darwin' \\
    --hash=sha256:{source} \\
    --hash=sha256:{linux}
"""
    assert locks.narrowed(LOCK.format(**DIGESTS), PYLOCK) == expected.format(**DIGESTS)


ONLY = {
    "name": "native",
    "wheels": [
        file("native-1-cp311-cp311-manylinux_2_17_aarch64.whl", "new"),
        file("native-1-cp311-cp311-macosx_10_9_universal2.whl", "linux"),
    ],
}


def test_a_system_that_one_package_lacks_is_none_of_the_lock() -> None:
    """What has wheels only decides, unless just some agents need it."""
    assert locks.reachable([ONLY]) == {"manylinux aarch64", "macosx arm64", "macosx x86_64"}
    assert locks.reachable([{**ONLY, "marker": "sys_platform == 'darwin'"}]) is None
    assert locks.reachable([{**ONLY, "sdist": file("native-1.tar.gz", "source")}]) is None
    assert locks.reachable([*PYLOCK["packages"], ONLY]) == locks.reachable([ONLY])
    fast = {
        "name": "fast",
        "wheels": [
            file("fast-2.0-cp311-cp311-musllinux_1_2_aarch64.whl", "wheel"),
            file("fast-2.0-cp311-cp311-linux_aarch64.whl", "sdist"),
            file("fast-2.0-cp311-cp311-win_amd64.whl", "new"),
            file("fast-2.0-cp311-cp311-macosx_11_0_arm64.whl", "linux"),
            file("fast-2.0-py3-none-any.whl", "source"),
        ],
    }
    within = locks.reachable([ONLY])
    assert set(locks.useless(fast, within)) == {DIGESTS["wheel"], DIGESTS["new"]}
    assert set(locks.useless(fast)) == set()


@pytest.mark.parametrize(
    ("marker", "pythons"),
    [
        ("", ("310", "311", "312")),
        ("python_full_version < '3.11'", ("310",)),
        ("python_full_version >= '3.11'", ("311", "312")),
        ("python_full_version >= '3.11' and sys_platform == 'win32'", ("311", "312")),
        ("python_full_version < '3.11' or sys_platform == 'win32'", ("310", "311", "312")),
        ("python_full_version >= '3.13'", ()),
        ("extra == 'x'", ("310", "311", "312")),
    ],
)
def test_a_marker_names_the_pythons(marker: str, pythons: tuple[str, ...]) -> None:
    assert locks.pythons_of(marker) == pythons
