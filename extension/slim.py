"""Sources and locks as they ship: without what only people read.

Python has no comments and no docstrings, and each line is where it was.

What people read is in the repository; an agent downloads the rest. As lines keep their numbers, a
traceback of an agent fits the repository's files.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

_Span = tuple[tuple[int, int], tuple[int, int], str]
"""From and to (line, column), and what comes in its place."""


def slim(source: str) -> str:
    """The source without comments and docstrings.

    Raises:
        SyntaxError: the source is no Python.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    spans = sorted([*_docstrings(tree, lines), *_comments(source)], reverse=True)
    for (first, start), (last, end), instead in spans:
        rest = lines[last - 1][end:]
        lines[first - 1] = (lines[first - 1][:start] + instead + rest).rstrip()
        for line in range(first, last):
            lines[line] = ""
    slimmed = "\n".join(lines) + "\n"
    _same(tree, ast.parse(slimmed))
    return slimmed


def slim_lock(text: str) -> str:
    """A lock without the comments that tell what needs a package."""
    kept = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return "\n".join(kept) + "\n"


def _docstrings(tree: ast.AST, lines: list[str]) -> Iterator[_Span]:
    """Texts that stand alone as a statement; a body of nothing else needs a statement instead."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        texts = [one for one in body if _is_text(one)]
        for text in texts:
            assert text.end_lineno is not None  # noqa: S101 - parsed from a source
            assert text.end_col_offset is not None  # noqa: S101
            alone = (
                len(texts) == len(body) and text is body[-1] and not isinstance(node, ast.Module)
            )
            yield (
                (text.lineno, _column(lines, text.lineno, text.col_offset)),
                (text.end_lineno, _column(lines, text.end_lineno, text.end_col_offset)),
                "pass" if alone else "",
            )


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _column(lines: list[str], line: int, offset: int) -> int:
    """The column in characters; `ast` counts bytes of UTF-8."""
    return len(lines[line - 1].encode()[:offset].decode())


def _comments(source: str) -> Iterator[_Span]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start, token.end, ""


def _same(before: ast.AST, after: ast.AST) -> None:
    """Fail unless both do the same."""
    if ast.dump(_Bare().visit(before)) != ast.dump(_Bare().visit(after)):
        raise SyntaxError("the source does something else without its comments")


class _Bare(ast.NodeTransformer):
    """Takes out what does nothing: texts that stand alone, and `pass`."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if _is_text(node) else self.generic_visit(node)

    def visit_Pass(self, node: ast.Pass) -> None:  # noqa: ARG002 - ast's name
        return None
