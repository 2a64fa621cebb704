"""Draw the gallery's pictures: `python -m extension.pictures` writes four PNG files.

There is no Azure DevOps here to take pictures of. These are drawn from task.json by a page of our
own, in Chromium: the fields, texts, lists and groups are the tasks', the looks are not the
portal's, and the captions in overview.md say so. Tab and widget are as the tests in
tests/extension/tab saw them last: run these first.
"""

from __future__ import annotations

import html
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from extension.pickers import editable
from extension.sources import ROOT, PackagingError
from extension.yaml_schema import yaml_name

Task = Mapping[str, Any]

TASK = "DeployToAksV1"
VALUES = {
    "connectedServiceNameARM": "my-service-connection",
    "resourceGroup": "my-group",
    "workspace": "my-workspace",
    "serviceName": "parts-service",
    "modelName": "parts",
    "modelVersion": "7",
    "aksName": "my-aks",
    "entryScript": "ml_scripts/score.py",
    "environmentFile": "environment.yml",
}
OPEN = {"modelVersion": ("7", "6", "5")}
"""A list that is shown open, with what Azure could have answered."""
SHOTS = {
    "report-tab.png": "tab-light-1400.png",
    "widget-on-dashboard.png": "widget-load-330-light-400.png",
}
"""Pictures that are made of those that the tests leave in build/."""
COLOURS = 16
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
STYLE = """
body { margin: 0; padding: 20px 24px; width: 912px; background: #fff; color: #1b1a19;
       font: 14px/1.4 "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 18px; margin: 0 0 2px; } .sub { color: #605e5c; margin: 0 0 14px; }
.grid { display: grid; grid-template-columns: 1fr 1fr; gap: 10px 24px; align-items: start; }
label { font-weight: 600; display: block; margin-bottom: 3px; } .must { color: #a4262c; }
.field { border: 1px solid #8a8886; border-radius: 2px; padding: 5px 8px; min-height: 19px;
         display: flex; justify-content: space-between; }
.field b { color: #605e5c; } .list { border: 1px solid #8a8886; border-top: 0;
         box-shadow: 0 3px 6px #0003; } .list div { padding: 4px 8px; }
.list div:first-child { background: #deecf9; } .help { color: #605e5c; font-size: 12px; }
.group { border-top: 1px solid #d2d0ce; margin-top: 14px; padding-top: 8px; font-weight: 600; }
.code { font: 14px/1.55 "DejaVu Sans Mono", monospace; white-space: pre; position: relative; }
.n { color: #8a8886; display: inline-block; width: 34px; } .k { color: #0451a5; }
.v { color: #a31515; }
.offer { position: absolute; border: 1px solid #c8c6c4; background: #f3f2f1; width: 690px;
         box-shadow: 0 3px 8px #0003; font-size: 13px; }
.offer div { padding: 2px 8px; overflow: hidden; text-overflow: ellipsis; }
.offer div:first-child { background: #cce4f7; }
.offer i { color: #605e5c; font-family: "Segoe UI", "DejaVu Sans", sans-serif; margin-left: 10px; }
"""


def main_inputs(task: Task, values: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """The inputs that stand in no group and are not hidden by the values of others."""
    now = {**defaults_of(task), **values}
    return [
        item
        for item in task["inputs"]
        if "groupName" not in item and holds(item.get("visibleRule", ""), now)
    ]


def holds(rule: str, values: Mapping[str, str]) -> bool:
    """Whether a visible rule holds: `input = value`, several joined by `&&`, or an empty one."""
    terms = [term.partition("=") for term in rule.split("&&") if term]
    return all(values[name.strip()] == wanted.strip() for name, _, wanted in terms)


def form(task: Task, values: Mapping[str, str]) -> str:
    """The page that shows the task as the classic editor asks for it."""
    fields = "".join(field(item, values) for item in main_inputs(task, values))
    groups = "".join(
        f'<div class="group">+ {html.escape(group["displayName"])}</div>'
        for group in task["groups"]
        if holds(group.get("visibleRule", ""), {**defaults_of(task), **values})
    )
    head = f"<h1>{html.escape(task['friendlyName'])}</h1>"
    sub = f'<p class="sub">{html.escape(task["description"])}</p>'
    return page(f'{head}{sub}<div class="grid">{fields}</div>{groups}')


def defaults_of(task: Task) -> dict[str, str]:
    """The inputs' defaults."""
    return {item["name"]: item.get("defaultValue", "") for item in task["inputs"]}


def field(item: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """One input: label, value or list, help."""
    name = item["name"]
    value = values.get(name, item.get("defaultValue", ""))
    value = item.get("options", {}).get(value, value)
    listed = item["type"] == "pickList" or item["type"].startswith("connectedService")
    mark = "<b>▾</b>" if listed else ""
    must = ' <span class="must">*</span>' if item["required"] else ""
    options = "".join(f"<div>{html.escape(option)}</div>" for option in OPEN.get(name, ()))
    opened = f'<div class="list">{options}</div>' if options and editable(item) else ""
    return (
        f"<div><label>{html.escape(item['label'])}{must}</label>"
        f'<div class="field"><span>{html.escape(value)}</span>{mark}</div>{opened}'
        f'<div class="help">{marked(item["helpMarkDown"])}</div></div>'
    )


def marked(text: str) -> str:
    """Help as people see it: its first sentence."""
    first = re.split(r"(?<=\.) ", text.replace("`", "").removeprefix("Required. "))[0]
    return html.escape(first)


def editor(task: Task, values: Mapping[str, str]) -> str:
    """The page that shows the task in a pipeline file, with what an editor offers for it."""
    given = [item for item in main_inputs(task, values) if item["name"] in values]
    inputs = [(yaml_name(item), values[item["name"]]) for item in given]
    rows = [
        ("steps", ""),
        ("- task", f"{task['name']}@{task['version']['Major']}"),
        ("  inputs", ""),
    ]
    rows += [(f"    {name}", value) for name, value in inputs]
    lines = [
        f'<span class="n">{number}</span><span class="k">{html.escape(name)}</span>: '
        f'<span class="v">{html.escape(value)}</span>'
        for number, (name, value) in enumerate(rows, 1)
    ]
    lines.append(f'<span class="n">{len(rows) + 1}</span>    ')
    rest = [item for item in task["inputs"] if item["name"] not in values][:3]
    offers = "".join(
        f"<div>{html.escape(yaml_name(item))}<i>{marked(item['helpMarkDown'])}</i></div>"
        for item in rest
    )
    code = "\n".join(lines)
    below = f'<div class="offer" style="left: 66px">{offers}</div>'
    room = f'<div style="height: {len(rest) * 26 + 12}px"></div>'
    return page(f'<div class="code">{code}\n{below}</div>{room}')


def page(body: str) -> str:
    """A whole page."""
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><body>{body}</body>'


def take(pages: Mapping[Path, str]) -> None:
    """Let Chromium draw pages to PNG files.

    Raises:
        PackagingError: there is no Chromium.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise PackagingError("Chromium was not found. Next: install the package chromium.")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        draw(running, pages)
        running.close()


def draw(browser: Browser, pages: Mapping[Path, str]) -> None:
    """Let a running browser draw pages to PNG files."""
    view = browser.new_page(viewport={"width": 960, "height": 400}, device_scale_factor=1)
    for path, text in pages.items():
        view.set_content(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        save(view.screenshot(full_page=True), path)
    view.close()


def save(png: bytes, path: Path) -> None:
    """Save a picture in its commonest colours: text and charts need no more, and it is small.

    They are exact: a palette of averages has no red for the few pixels of a rejected build.
    """
    drawn = Image.open(io.BytesIO(png)).convert("RGB")
    counted = Counter(zip(*(band.tobytes() for band in drawn.split()), strict=True))
    common = [channel for colour, _ in counted.most_common(COLOURS) for channel in colour]
    palette = Image.new("P", (1, 1))
    palette.putpalette(common)
    quantised = drawn.quantize(palette=palette, dither=Image.Dither.NONE)
    quantised.save(path, optimize=True)


def shots(folder: Path, out: Path) -> list[Path]:
    """Make the pictures of tab and widget of those that the tests left in a folder.

    Raises:
        PackagingError: the tests have left none.
    """
    made = []
    for name, shot in SHOTS.items():
        if not (folder / shot).is_file():
            raise PackagingError(
                f"{shot} was not found. Next: run the tests in tests/extension/tab."
            )
        save((folder / shot).read_bytes(), out / name)
        made.append(out / name)
    return made


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "extension" / "images",
    help="Folder for the pictures.",
)
def main(out: Path) -> None:
    """Draw the pictures of the gallery's page."""
    task = json.loads((ROOT / "tasks" / TASK / "task.json").read_text(encoding="utf-8"))
    pages = {"classic-editor.png": form(task, VALUES), "yaml-editor.png": editor(task, VALUES)}
    take({out / name: text for name, text in pages.items()})
    for path in (*(out / name for name in pages), *shots(ROOT / "build", out)):
        click.echo(str(path))


if __name__ == "__main__":
    main()
