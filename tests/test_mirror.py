"""tests/ mirrors the sources by file: the test of ``a/b/c.py`` is ``tests/a/b/test_c.py``.

``tests/mirror.toml`` has what differs. ``[tested_through]`` names the test file that exercises a
module without a test file of its own; ``[of_several_modules]`` says what a test file without a
module of its name tests. An entry that has become wrong or needless fails.
"""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import NamedTuple

import pytest
import tomllib

ROOT = Path(__file__).parents[1]
MIRRORED = ("bench", "extension", "local", "ml_scripts", "tasks/amltasks")
# Their tests drive several modules, or several programs, by design.
CROSSING = (
    "tests/local/azure/conformance",
    "tests/local/azure/devops/conformance",
    "tests/tasks/amltasks/contract",
)
# A module is imported from one of these.
IMPORT_ROOTS = ("", "tasks", "ml_scripts")
# A program that is started from code in a string.
STARTED = re.compile(r"'-m', '([\w.]+)'")


class Table(NamedTuple):
    """What ``mirror.toml`` has: module -> test file, test file -> what it tests."""

    tested_through: dict[str, str]
    of_several_modules: dict[str, str]


def own_test(module: str) -> str:
    """The test file of a module; that of ``__main__.py`` is ``test_main.py``."""
    path = Path(module)
    return str(Path("tests", path.parent, f"test_{path.stem.strip('_')}.py"))


def modules_of(test: str) -> tuple[str, str]:
    """The two modules that a test file may belong to."""
    path = Path(test).relative_to("tests")
    name = path.stem.removeprefix("test_")
    return str(path.parent / f"{name}.py"), str(path.parent / f"__{name}__.py")


@functools.cache
def parsed(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"))


def has_code(source: ast.Module) -> bool:
    """Whether there is something to test: more than imports, constants, types and signatures."""
    return any(map(_is_code, source.body))


def _is_code(node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Assign() | ast.AnnAssign() | ast.Pass():
            return False
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.Raise(exc=ast.Name(id="NotImplementedError")):
            return False
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return False
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return any(_is_code(child) for child in node.body)
    return True


def problems(sources: dict[str, bool], tests: set[str], table: Table) -> list[str]:
    """What breaks the rule, one sentence each.

    ``sources`` says of each module whether it has code; ``tests`` are all test files.
    """
    return [
        *_modules_without_test(sources, tests, table.tested_through),
        *_tests_without_module(sources, tests, table.of_several_modules),
    ]


def _modules_without_test(
    sources: dict[str, bool], tests: set[str], through: dict[str, str]
) -> list[str]:
    found = [
        f"{module} has no test. Next: write {own_test(module)}"
        for module, code in sources.items()
        if code and own_test(module) not in tests and module not in through
    ]
    for module, test in through.items():
        if not sources.get(module):
            found.append(f"{module} is gone or has no code. Next: take it out of mirror.toml")
        elif own_test(module) in tests:
            found.append(f"{module} has its own test. Next: take it out of mirror.toml")
        elif test not in tests:
            found.append(f"{test}, said to test {module}, does not exist")
    return found


def _tests_without_module(
    sources: dict[str, bool], tests: set[str], several: dict[str, str]
) -> list[str]:
    mirrored = {
        test for test in tests if test.startswith(tuple(f"tests/{each}/" for each in MIRRORED))
    }
    owned = {test for test in mirrored if any(module in sources for module in modules_of(test))}
    found = [
        f"{test} has no module of its name. Next: name it after the module that it tests, "
        "or say in mirror.toml what it tests"
        for test in sorted(mirrored - owned)
        if test not in several and str(Path(test).parent) not in CROSSING
    ]
    for test in several:
        if test not in tests:
            found.append(f"{test} is gone. Next: take it out of mirror.toml")
        elif test in owned:
            found.append(f"{test} has a module of its name. Next: take it out of mirror.toml")
    return found


@functools.cache
def _reached_from(file: Path) -> frozenset[Path]:
    """The sources that a file imports by name, or names in a string as a program to start."""
    found: set[Path] = set()
    for node in ast.walk(parsed(file)):
        match node:
            case ast.Import(names=names):
                found.update(*(_files_of(alias.name) for alias in names))
            case ast.ImportFrom(module=str(module), names=names):
                found.update(_files_of(module))
                found.update(*(_files_of(f"{module}.{alias.name}") for alias in names))
            case ast.Constant(value=str(text)):
                found.update(
                    *(_programs().get(name, ()) for name in (text, *STARTED.findall(text)))
                )
    return frozenset(found)


def _files_of(name: str) -> list[Path]:
    stems = [ROOT / root / name.replace(".", "/") for root in IMPORT_ROOTS]
    files = [file for stem in stems for file in (stem.with_suffix(".py"), stem / "__init__.py")]
    return [file for file in files if file.is_file()]


@functools.cache
def _programs() -> dict[str, list[Path]]:
    """What ``python -m name`` or ``python file`` may load: programs find modules by name, too."""
    found = {"dev.py": [ROOT / "dev.py"]}
    for folder in (ROOT / root for root in MIRRORED):
        for main in folder.rglob("__main__.py"):
            package = main.parent
            name = ".".join(package.relative_to(ROOT).parts).removeprefix("tasks.")
            found[name] = sorted(package.rglob("*.py"))
        for file in folder.rglob("*.py"):
            found[".".join(file.relative_to(ROOT).with_suffix("").parts)] = [file]
    return found


@functools.cache
def reached(test: Path) -> set[Path]:
    """Every source that a test file can reach by imports, its conftest files' included."""
    conftests = [folder / "conftest.py" for folder in test.parents if folder.is_relative_to(ROOT)]
    waiting = [test, *(file for file in conftests if file.is_file())]
    found = set(waiting)
    while waiting:
        new = _reached_from(waiting.pop()) - found
        found |= new
        waiting.extend(new)
    return found


@pytest.fixture(scope="module")
def table() -> Table:
    return Table(**tomllib.loads((ROOT / "tests/mirror.toml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def sources() -> dict[str, bool]:
    files = [file for root in MIRRORED for file in sorted((ROOT / root).rglob("*.py"))]
    return {
        str(file.relative_to(ROOT)): has_code(parsed(file))
        for file in files
        if file.name != "__init__.py"
    }


@pytest.fixture(scope="module")
def tests() -> set[str]:
    return {str(file.relative_to(ROOT)) for file in (ROOT / "tests").rglob("test_*.py")}


def test_every_module_has_its_test_and_every_test_its_module(
    sources: dict[str, bool], tests: set[str], table: Table
) -> None:
    assert not problems(sources, tests, table)


def test_a_listed_test_reaches_its_module(table: Table) -> None:
    unreached = [
        f"{test} neither imports {module} nor starts what imports it"
        for module, test in table.tested_through.items()
        if ROOT / module not in reached(ROOT / test)
    ]
    assert not unreached


def test_the_table_is_sorted(table: Table) -> None:
    assert list(table.tested_through) == sorted(table.tested_through)
    assert list(table.of_several_modules) == sorted(table.of_several_modules)


SOURCES = {"local/a.py": True, "local/b/__main__.py": True, "local/types.py": False}
TESTS = {"tests/local/test_a.py", "tests/local/b/test_main.py"}


def test_a_mirrored_tree_has_no_problem() -> None:
    assert problems(SOURCES, TESTS, Table({}, {})) == []


@pytest.mark.parametrize(
    ("sources", "tests", "table", "said"),
    [
        ({**SOURCES, "local/c.py": True}, TESTS, Table({}, {}), "write tests/local/test_c.py"),
        (SOURCES, TESTS, Table({"local/a.py": "tests/local/test_a.py"}, {}), "has its own test"),
        (SOURCES, TESTS, Table({"local/c.py": "tests/local/test_a.py"}, {}), "is gone"),
        (SOURCES, TESTS, Table({"local/types.py": "tests/local/test_a.py"}, {}), "has no code"),
        (
            {**SOURCES, "local/c.py": True},
            TESTS,
            Table({"local/c.py": "tests/local/test_d.py"}, {}),
            "does not exist",
        ),
        (SOURCES, {*TESTS, "tests/local/test_d.py"}, Table({}, {}), "no module of its name"),
        (SOURCES, TESTS, Table({}, {"tests/local/test_d.py": "d"}), "is gone"),
        (SOURCES, TESTS, Table({}, {"tests/local/test_a.py": "a"}), "has a module of its name"),
    ],
)
def test_each_breach_is_told(
    sources: dict[str, bool], tests: set[str], table: Table, said: str
) -> None:
    (problem,) = problems(sources, tests, table)
    assert said in problem


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"""Text."""\nimport os\nA = 1\nB: int = 2', False),
        ("class A:\n    name: str", False),
        ("class A:\n    def go(self) -> None:\n        raise NotImplementedError", False),
        ("class A:\n    def go(self) -> None:\n        '''Go.'''", False),
        ("def go() -> int:\n    return 1", True),
        ("class A:\n    @property\n    def go(self) -> int:\n        return 1", True),
        ("import os\nos.environ.setdefault('A', '1')", True),
        ("for name in 'ab':\n    print(name)", True),
    ],
)
def test_what_counts_as_code(source: str, expected: bool) -> None:
    assert has_code(ast.parse(source)) is expected


def test_reach_follows_imports_and_started_programs() -> None:
    judge = reached(ROOT / "tests/tasks/amltasks/gate/test_judge.py")
    assert ROOT / "tasks/amltasks/gate/judge.py" in judge
    assert ROOT / "local/agent/run/plan.py" not in judge
    assert ROOT / "local/azure/v2/jobs/jobs.py" in reached(
        ROOT / "tests/local/azure/v2/jobs/test_jobs.py"
    )
