"""The gallery's pictures show the tasks as they are, and Chromium draws them."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from extension import pictures
from extension.pickers import editable
from extension.sources import PackagingError

ROOT = Path(__file__).resolve().parents[2]
TASK = json.loads((ROOT / "tasks" / pictures.TASK / "task.json").read_text())
LABELS = {item["name"]: item["label"] for item in TASK["inputs"]}


def labels(values: dict[str, str]) -> list[str]:
    """The labels on the page of the classic editor."""
    found = re.findall(r"<label>(.*?)(?: <span.*?)?</label>", pictures.form(TASK, values))
    return [html.unescape(label) for label in found]


@pytest.mark.parametrize(
    ("target", "there", "hidden"),
    [("kubernetes", "aksName", "instanceCount"), ("managed", "instanceCount", "aksName")],
)
def test_what_a_rule_hides_is_not_shown(target: str, there: str, hidden: str) -> None:
    values = {**pictures.VALUES, "target": target, "mode": "release"}
    shown = labels(values)
    assert LABELS[there] in shown
    assert LABELS[hidden] not in shown
    assert LABELS["tags"] not in shown  # it is in a group that is not open
    text = pictures.form(TASK, values)
    assert ("+ Replicas in the cluster" in text) == (target == "kubernetes")


def test_the_samples_values_are_of_inputs_that_there_are() -> None:
    assert pictures.VALUES.keys() <= LABELS.keys()
    for name in pictures.OPEN:
        (item,) = (item for item in TASK["inputs"] if item["name"] == name)
        assert editable(item)


def test_the_editor_shows_names_of_yaml(tmp_path: Path) -> None:
    text = pictures.editor(TASK, pictures.VALUES)
    assert '<span class="k">    resourceGroupName</span>: <span class="v">my-group</span>' in text
    assert "<div>modelSource<i>" in text


def test_chromium_draws_them(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "made" / "classic.png"
    pictures.draw(browser, {path: pictures.form(TASK, pictures.VALUES)})
    with Image.open(path) as drawn:
        assert drawn.width == 960
        assert drawn.height > 500
        assert len(drawn.getcolors() or []) > 8
    assert path.stat().st_size < 40_000


def test_the_pictures_of_the_tests_become_small(tmp_path: Path) -> None:
    for name in pictures.SHOTS.values():
        Image.effect_noise((400, 300), 50).save(tmp_path / name)
    made = pictures.shots(tmp_path, tmp_path)
    assert [path.name for path in made] == list(pictures.SHOTS)
    with Image.open(made[0]) as drawn:
        assert drawn.size == (400, 300)
        assert len(drawn.getcolors() or []) <= pictures.COLOURS
    (tmp_path / "tab-light-1400.png").unlink()
    with pytest.raises(PackagingError, match=r"tab-light-1400.png was not found. Next: run the"):
        pictures.shots(tmp_path, tmp_path)


@pytest.mark.parametrize("name", pictures.SHOTS)
def test_a_picture_keeps_the_colours_of_the_verdicts(name: str) -> None:
    """Green that passed and, in a chart, red that did not."""
    with Image.open(ROOT / "extension" / "images" / name) as drawn:
        red, green, blue = drawn.convert("RGB").split()
    found = set(zip(red.tobytes(), green.tobytes(), blue.tobytes(), strict=True))
    assert any(green > red + 50 and green > blue + 30 for red, green, blue in found)
    assert any(red > green + 80 and red > blue + 80 for red, green, blue in found)


def test_without_a_browser_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackagingError, match=r"Chromium was not found\. Next: "):
        pictures.take({tmp_path / "x.png": ""})
