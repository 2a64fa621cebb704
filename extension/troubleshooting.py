"""docs/troubleshooting.md: every code that a log can show, from the code itself and a few words.

What happened and what to do next are those of `tasks/amltasks/errors.py` and
`admin/causes.py`, read as text: `extension` and `amltasks` do not meet. docs/troubleshooting.yml
has the sections and, for each code, what else helps: all there is to say of a code of the launcher
or of a warning. A code that is missing in one of the two is a problem, so that none goes without
its anchor.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

SOURCE = "docs/troubleshooting.yml"
PAGE = "docs/troubleshooting.md"
CAUSES = ("tasks/amltasks/errors.py", "tasks/amltasks/admin/causes.py")
START = "<!-- codes: written from errors.py and troubleshooting.yml by python -m extension.docs -->"
END = "<!-- end of codes -->"
_LAUNCHER_CODE = re.compile(r"'([A-Z]+(?:_[A-Z]+)+)',")
_WARNING_CODE = re.compile(r'job\.warn\(\s*"([A-Z_]+)"')
_FIELD = re.compile(r"\{(\w+)(?::\w+)?\}")


def causes(root: Path) -> dict[str, tuple[str, str]]:
    """Of each cause that ends a task or a verb: what happened and what to do next, in markdown."""
    found = {}
    for name in CAUSES:
        tree = ast.parse((root / name).read_text(encoding="utf-8"))
        names: dict[str, str] = {}
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=key)], value=ast.Constant(value=str(text))):
                    names[key] = text
                case ast.Assign(value=ast.Call(func=ast.Name(id="Cause"), keywords=given)):
                    texts = {each.arg: text_of(each.value, names) for each in given}
                    sentences = (templated(texts["happened"]), templated(texts["next_step"]))
                    found[texts["code"]] = sentences
    return found


def text_of(value: ast.expr, names: Mapping[str, str]) -> str:
    """The text that an argument is, or names; empty for what is none."""
    if isinstance(value, ast.Name):
        return names[value.id]
    return str(value.value) if isinstance(value, ast.Constant) else ""


def templated(template: str) -> str:
    """A `str.format` template as markdown, its fields as words in italics."""
    apart = re.sub(r"(?<=\w)\{(?=\w)", " {", re.sub(r"[*<]", r"\\\g<0>", template))
    words = _FIELD.sub(lambda field: f"*{field[1].replace('_', ' ')}*", apart)
    return words.replace("{{", "{").replace("}}", "}")


def other_codes(root: Path) -> set[str]:
    """The codes of the launcher's errors and of warnings, which have no cause in errors.py."""
    launcher = (root / "tasks/launcher/errors.ts").read_text(encoding="utf-8")
    warned = {
        code
        for path in (root / "tasks/amltasks").rglob("*.py")
        for code in _WARNING_CODE.findall(path.read_text(encoding="utf-8"))
    }
    return warned | set(_LAUNCHER_CODE.findall(launcher))


def problems(root: Path) -> Iterator[str]:
    """Codes without a place on the page, places without a code, codes that nothing is said of."""
    listed: dict[str, str | None] = {}
    for section in sections(root):
        for code, words in section["codes"].items():
            if code in listed:
                yield f"{SOURCE}: {code} stands there twice."
            listed[code] = words
    known = causes(root)
    every = known.keys() | other_codes(root)
    for code in sorted(every - listed.keys()):
        yield f"{SOURCE} has no {code}. Next: add it to one of its sections."
    for code in sorted(listed.keys() - every):
        yield f"{SOURCE}: there is no {code} in the code. Next: remove it."
    for code in sorted(every - known.keys()):
        if code in listed and not listed[code]:
            yield f"{SOURCE}: {code} has no sentence in errors.py. Next: say what it means."


def sections(root: Path) -> list[dict[str, Any]]:
    """The page's sections: `title`, `about` and `codes`, a mapping of code to words or nothing."""
    return list(yaml.safe_load((root / SOURCE).read_text(encoding="utf-8")))


def filled(page: str, root: Path) -> str:
    """The page with its codes written anew between the two markers."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    known = causes(root)
    written = [
        part
        for section in sections(root)
        for part in (f"## {section['title']}", section["about"].strip(), *entries(section, known))
    ]
    return f"{before}{START}\n\n" + "\n\n".join(written) + f"\n\n{END}{after}"


def entries(section: dict[str, Any], known: dict[str, tuple[str, str]]) -> Iterator[str]:
    """The markdown blocks of a section's codes; the heading makes the anchor, in lower case."""
    for code, words in section["codes"].items():
        yield f"### {code}"
        if code in known:
            happened, next_step = known[code]
            yield f"> {happened}.\n> **Next:** {next_step}."
        if words:
            yield words.strip()
