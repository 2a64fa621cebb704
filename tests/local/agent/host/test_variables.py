"""Cases of the agent's src/Test/L0/Worker/VariablesL0.cs and Util/VarUtilL0.cs at 42bde98."""

from __future__ import annotations

import pytest

from local.agent.host.variables import MAX_DEPTH, environment_name, expand

CYCLE = "Unable to expand variable '{}'. A cyclical reference was detected."

# name, stored values (a trailing "!" marks a secret), expanded values, warnings
EXPANSIONS = [
    (
        "DetectsAdjacentCyclicalReference",
        {
            "variable1": "1_$(variable2)",
            "variable2": "2_$(variable3)",
            "variable3": "3_$(variable2)",
        },
        {
            "variable1": "1_$(variable2)",
            "variable2": "2_$(variable3)",
            "variable3": "3_$(variable2)",
        },
        ["variable1", "variable2", "variable3"],
    ),
    (
        "DetectsNonadjacentCyclicalReference",
        {
            "variable1": "1_$(variable2)",
            "variable2": "2_$(variable3)",
            "variable3": "3_$(variable1)",
        },
        {
            "variable1": "1_$(variable2)",
            "variable2": "2_$(variable3)",
            "variable3": "3_$(variable1)",
        },
        ["variable1", "variable2", "variable3"],
    ),
    (
        "ExpandsValueWithConsecutiveMacros",
        {"variable1": "before$(variable2)$(variable2)after", "variable2": "some variable 2 value"},
        {"variable1": "beforesome variable 2 valuesome variable 2 valueafter"},
        [],
    ),
    (
        "ExpandsValueWithDeepRecursion",
        {
            "variable1": "before$(variable2)after",
            "variable2": "$(variable3)world",
            "variable3": "hello",
        },
        {"variable1": "beforehelloworldafter", "variable2": "helloworld", "variable3": "hello"},
        [],
    ),
    (
        "ExpandsValueWithPreceedingPrefix",
        {"variable1": "before$($(variable2)after", "variable2": "hello"},
        {"variable1": "before$(helloafter", "variable2": "hello"},
        [],
    ),
    (
        "HandlesNullNestedValue",
        {"variable1": "before $(variable2) after", "variable2": None},
        {"variable1": "before  after", "variable2": ""},
        [],
    ),
]


@pytest.mark.parametrize(
    ("stored", "expected", "cyclic"),
    [case[1:] for case in EXPANSIONS],
    ids=[case[0] for case in EXPANSIONS],
)
def test_recursive_expansion(job_variables, stored, expected, cyclic):
    for name, value in stored.items():
        job_variables.set(name, value)
    warnings = job_variables.recalculate()
    assert warnings == [CYCLE.format(name) for name in cyclic]
    assert {name: job_variables.get(name) for name in expected} == expected


def test_excessive_depth(job_variables):
    for number in range(1, MAX_DEPTH + 1):
        job_variables.set(f"variable{number}", f"$(variable{number + 1})")
    job_variables.set(f"variable{MAX_DEPTH + 1}", "Final value")
    warnings = job_variables.recalculate()
    assert warnings == [
        "Unable to expand variable 'variable1'. The max expansion depth (50) was exceeded."
    ]
    assert job_variables.get("variable1") == "$(variable2)"
    for number in range(2, MAX_DEPTH + 2):
        assert job_variables.get(f"variable{number}") == "Final value"


@pytest.mark.parametrize("depth", [2, 3])
def test_secrecy_is_inherited_through_recursion(job_variables, masker, depth):
    for number in range(1, depth):
        job_variables.set(f"variable{number}", f"before $(variable{number + 1}) after")
    job_variables.set(f"variable{depth}", "some secret value", secret=True)
    assert job_variables.recalculate() == []
    assert job_variables.public == []
    assert "some secret value" in job_variables.get("variable1")
    assert masker.mask(job_variables.get("variable1")) == "***"


def test_names_ignore_case(job_variables):
    job_variables.set("i", "foo")
    job_variables.set("I", "bar")
    assert [variable.value for variable in job_variables.public] == ["bar"]


def test_expansion_is_repeated_with_later_values(job_variables):
    job_variables.set("top", "$(nested1) $(nested2)")
    job_variables.set("nested1", "1")
    job_variables.recalculate()
    assert job_variables.get("top") == "1 $(nested2)"
    job_variables.set("nested2", "2")
    job_variables.recalculate()
    assert job_variables.get("top") == "1 2"


# what is set: (value, secret) in order; whether the variable is public at the end
SECRECY = [
    ([("bar", False)], True),
    ([("bar", False), ("baz", True)], False),
    ([("bar", True), ("baz", False)], False),
    ([("bar", True)], False),
    ([("bar", True), ("baz", True)], False),
]


@pytest.mark.parametrize(("values", "public"), SECRECY)
def test_once_secret_always_secret(job_variables, values, public):
    for value, secret in values:
        job_variables.set("foo", value, secret=secret)
    assert bool(job_variables.public) is public
    assert job_variables.get("foo") == values[-1][0]


def test_read_only(job_variables):
    job_variables.set("var1", "abc", read_only=True)
    job_variables.set("var2", "abc")
    job_variables.set("system.accessToken", "abc")
    job_variables.set("build.repository.clean", "abc")
    names = ("var1", "var2", "var3", "System.AccessToken", "Build.Repository.Clean", "agent.id")
    expected = [True, False, False, True, True, False]
    assert [job_variables.is_read_only(name) for name in names] == expected


def test_a_missing_variable_is_none(job_variables):
    job_variables.set("foo", "bar")
    job_variables.unset("FOO")
    assert job_variables.get("foo") is None


# text, variables, expected (VariablesL0 ExpandValues_*)
ONE_LEVEL = [
    ("before $(variable1) after", {"variable1": "$(variable2)", "variable2": "x"}, "$(variable2)"),
    ("before $(variable1)$(variable2) after", {"variable1": "v1 ", "variable2": "v2"}, "v1 v2"),
    ("before $($(variable1) after", {"variable1": "v1"}, "$(v1"),
    ("before $(nosuch) after", {}, "$(nosuch)"),
    ("before $() after", {"": "x"}, "x"),
    ("before $(open after", {"open after": "x"}, None),
]


@pytest.mark.parametrize(("text", "variables", "expected"), ONE_LEVEL)
def test_texts_are_expanded_one_level(text, variables, expected):
    whole = text if expected is None else f"before {expected} after"
    assert expand(text, variables) == whole


@pytest.mark.parametrize(
    ("name", "expected", "preserve_case"),
    [
        ("test.value1", "TEST_VALUE1", False),
        ("test value2", "TEST_VALUE2", False),
        ("tesT vaLue.3", "TEST_VALUE_3", False),
        (".tesT vaLue 4", "_TEST_VALUE_4", False),
        ("TEST_VALUE_5", "TEST_VALUE_5", False),
        (".. TEST   VALUE. 6", "___TEST___VALUE__6", False),
        ("", "", False),
        (" ", "_", False),
        (".", "_", False),
        ("TestValue", "TestValue", True),
        ("Test.Value", "Test_Value", True),
    ],
)
def test_environment_names(name, expected, preserve_case):
    assert environment_name(name, preserve_case=preserve_case) == expected
