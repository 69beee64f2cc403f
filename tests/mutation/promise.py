"""A promise of the product, with the edit that breaks it and the tests that have to notice.

:func:`each_element` makes one for every entry of a table in the code, such as the rules of ``verify``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[2]


class StaleError(Exception):
    """The text that a promise replaces is not in its file, or is there more than once."""


class Promise(NamedTuple):
    """``old`` stands exactly once in ``file``; with ``new`` in its place, one of ``tests`` has to fail.

    ``tests`` are arguments of pytest, relative to the repository; each may be a glob pattern. Keep them few and fast:
    those that hold the promise, not the whole suite.
    """

    name: str
    promise: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def broken(self, text: str) -> str:
        """``text``, the content of the file, with the edit made. Raises StaleError."""
        if (count := text.count(self.old)) != 1:
            found = "is not in it any more" if not count else f"is in it {count} times"
            raise StaleError(f"{self.file}: the line that promise {self.name} replaces {found}; edit the promise, too")
        return text.replace(self.old, self.new)


def each_element(
    file: str, table: str, tests: tuple[str, ...], promise: str, *, name: str = "{table}: {element} #{number}"
) -> Iterator[Promise]:
    """A promise for each element of each tuple in the module's variable ``table``, broken by leaving the element out.

    ``promise`` and ``name`` may hold ``{table}``, ``{element}`` (its source) and ``{number}`` (counted from 1). Names
    of dictionary keys and arguments around the tuple come before: ``RULES[go].checks``.
    """
    text = (REPOSITORY / file).read_text()
    lines = text.encode().splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
    value = _value(ast.parse(text), table, file)
    begin = starts[value.lineno - 1] + value.col_offset

    for where, node in _tuples(value, table):
        first, last = (starts[line - 1] + column for line, column in _span(node))
        sources = [ast.unparse(each) for each in node.elts]
        for number, element in enumerate(sources, 1):
            rest = [each for other, each in enumerate(sources, 1) if other != number]
            shorter = f"({', '.join(rest)}{',' if rest else ''})"
            words = {"table": where, "element": element, "number": number}
            yield Promise(
                name.format(**words),
                promise.format(**words),
                file,
                text.encode()[begin:last].decode(),
                text.encode()[begin:first].decode() + shorter,
                tests,
            )


def _value(module: ast.Module, table: str, file: str) -> ast.expr:
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        named = any(isinstance(each, ast.Name) and each.id == table for each in targets)
        if named and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            return node.value
    raise StaleError(f"{file} has no variable {table}")


def _tuples(node: ast.AST, where: str) -> Iterator[tuple[str, ast.Tuple]]:
    """The outermost tuples below ``node``, each with the keys and arguments that lead to it."""
    if isinstance(node, ast.Tuple):
        yield where, node
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield from _tuples(value, f"{where}[{ast.literal_eval(key) if isinstance(key, ast.Constant) else key}]")
    elif isinstance(node, ast.keyword):
        yield from _tuples(node.value, f"{where}.{node.arg}")
    else:
        for child in ast.iter_child_nodes(node):
            yield from _tuples(child, where)


def _span(node: ast.expr) -> Sequence[tuple[int, int]]:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
