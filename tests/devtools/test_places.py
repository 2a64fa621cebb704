"""Whether a folder is up to date, and how that is noted."""

from __future__ import annotations

import os
from pathlib import Path

from devtools.places import stamp_folder, stamped


def test_a_folder_is_stamped_with_what_it_was_made_from(tmp_path: Path) -> None:
    assert not stamped(tmp_path, "one")
    stamp_folder(tmp_path, "one")
    assert stamped(tmp_path, "one")
    assert not stamped(tmp_path, "two")
    assert not stamped(tmp_path / "absent", "one")


def test_a_copy_by_hard_links_keeps_its_own_stamp(tmp_path: Path) -> None:
    first, copy = tmp_path / "first", tmp_path / "copy"
    first.mkdir()
    copy.mkdir()
    stamp_folder(first, "one")
    os.link(first / ".stamp", copy / ".stamp")
    stamp_folder(copy, "two")
    assert stamped(first, "one")
    assert stamped(copy, "two")
