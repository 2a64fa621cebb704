"""The organisation is still there when the server starts again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.local.azure.devops.organisation import NAMES, Organisation, connect


def test_the_organisation_survives(
    start_local_azure: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(azure: Any) -> Organisation:
        for name in NAMES:
            monkeypatch.setenv(name, azure.environment[name])
        return connect(azure.environment)

    with start_local_azure(tmp_path / "state") as azure:
        before = opened(azure)
        build = before.queue(before.definition("kept"))
        before.client("build").add_build_tag(before.project, build.id, "kept")
        before.session.close()
    with start_local_azure(tmp_path / "state") as azure:
        after = opened(azure)
        assert (after.url, after.token) == (before.url, before.token)
        assert after.client("build").get_build_tags(after.project, build.id) == ["kept"]
        assert after.queue(build.definition).id == build.id + 1
        after.session.close()
