"""Continuous deployment: which builds a trigger's filters let through."""

from __future__ import annotations

import pytest

from local.agent.definition.triggers import Filter, let_through

MAIN = Filter(branch="main")
NIGHTLY = Filter(branch="nightly/*")
NOT_OLD = Filter(branch="-release/old*")
DEFAULT = Filter(default_branch=True)
TAGGED = Filter(branch="main", tags=("good", "Signed"))


@pytest.mark.parametrize(
    ("filters", "branch", "passes"),
    [
        ((), "refs/heads/any", True),
        ((), "", True),
        ((MAIN,), "refs/heads/main", True),
        ((MAIN,), "refs/heads/Main", False),
        ((MAIN,), "refs/heads/main2", False),
        ((MAIN,), "refs/tags/main", False),
        ((MAIN,), "", False),
        ((Filter(branch="refs/heads/main"),), "refs/heads/main", True),
        ((Filter(branch="refs/pull/*"),), "refs/pull/3/merge", True),
        ((MAIN, NIGHTLY), "refs/heads/nightly/a/b", True),
        ((NIGHTLY,), "refs/heads/nightly", False),
        ((Filter(branch="v?.0"),), "refs/heads/v1.0", True),
        ((Filter(branch="v?.0"),), "refs/heads/v1x0", False),
        ((NOT_OLD,), "refs/heads/main", True),
        ((NOT_OLD,), "refs/heads/release/older", False),
        ((Filter(branch="release/*"), NOT_OLD), "refs/heads/release/old", False),
        ((DEFAULT,), "refs/heads/trunk", True),
        ((DEFAULT,), "refs/heads/main", False),
        ((Filter(tags=("good",)),), "refs/heads/any", False),
    ],
)
def test_branches(filters, branch, passes):
    found = let_through(filters, branch=branch, default_branch="refs/heads/trunk", tags=())
    assert found is passes


def test_a_default_branch_that_is_not_known_lets_nothing_through():
    assert not let_through((DEFAULT,), branch="refs/heads/main", default_branch="", tags=())


@pytest.mark.parametrize(
    ("tags", "passes"), [((), False), (("good",), False), (("GOOD", "signed", "more"), True)]
)
def test_a_filter_wants_all_its_tags(tags, passes):
    found = let_through((TAGGED,), branch="refs/heads/main", default_branch="", tags=tags)
    assert found is passes
