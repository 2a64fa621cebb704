"""Pictures of the report: `PYTHONPATH=tasks python -m tests.tasks.amltasks.report.picture`.

Writes the README's docs/gate-report.png, and into build/report/ the same page as a dark one and as
a phone has it.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from amltasks.report import html
from tests.tasks.amltasks.report import samples

ROOT = Path(__file__).resolve().parents[4]
_COLOURS = 160
# A model that is as good as the last one over all, and worse where nobody looks.
_RULES = """
rules:
  - {metric: accuracy, floor: 0.9, max_loss: 0.01}
  - {metric: auc, max_loss: 0.005}
  - {metric: accuracy, slices: [material], max_loss: 0.04}
  - {metric: calibration_error, ceiling: 0.02, severity: warn}
"""


def main() -> None:
    """Write them all."""
    verdict = samples.judged(worse_on="iron", by=0.34, rules=_RULES)
    page = html.gate(verdict, title=samples.TITLE, facts=samples.FACTS)
    folder = ROOT / "build" / "report"
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for path, scheme, width in (
            (ROOT / "docs" / "gate-report.png", "light", 1180),
            (folder / "dark.png", "dark", 1180),
            (folder / "phone.png", "light", 360),
        ):
            shown = browser.new_page(
                viewport={"width": width, "height": 900},
                color_scheme=scheme,  # type: ignore[arg-type]
            )
            shown.set_content(page)
            below = shown.get_by_role("heading", name="Right and wrong").bounding_box()
            assert below is not None
            size = {"x": 0, "y": 0, "width": width, "height": below["y"] - 10}
            taken = shown.screenshot(full_page=True, clip=size)  # type: ignore[arg-type]
            picture = Image.open(io.BytesIO(taken)).convert("RGB")
            picture = picture.quantize(_COLOURS, Image.Quantize.FASTOCTREE)
            picture.save(path, optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
