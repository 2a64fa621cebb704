"""Which names an artifact or attachment may have."""

from __future__ import annotations

import pytest

from local.agent.host.file_names import is_file_name


@pytest.mark.parametrize("name", ["drop", "a.b", "with blank", "...x"])
def test_names(name):
    assert is_file_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", " . ", "a/b", "a\\b", "C:", "a*", "a\0", "a|b"])
def test_what_is_no_name_or_leads_elsewhere(name):
    assert not is_file_name(name)
