"""Candidate places for a key in a TOML file: each function yields whole files, the best one first.

What TOML allows in a place depends on the rest of the file. A table that dotted keys began can have no header; a table
with a header can have no dotted keys outside it. So a candidate may be invalid, or may have another meaning. The caller
parses the candidates and uses the first correct one.

Libraries that edit TOML put a new key after the comments that precede the next table. They also fail for tables whose
parts are apart, and for dotted keys in inline tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from rootfs_trust.toml_editor.inline_tables import NoInlineTableError, assigned, removed
from rootfs_trust.toml_editor.statements import Path, Statement, cut

Statements = Sequence[Statement]

_NOTHING = ("comment", "empty")


@dataclass(frozen=True, slots=True)
class TomlEntry:
    """A value as TOML, and its comments: lines above it, and one after it."""

    value: str
    above: str = ""
    comment: str = ""

    def line(self, key: Path, indent: str, newline: str) -> str:
        """The pair of key and value as text, with its comments."""
        after = f"  {self.comment}" if self.comment else ""
        return f"{self.above}{indent}{'.'.join(key)} = {self.value}{after}{newline}"


def places(statements: Statements, path: Path, entry: TomlEntry, newline: str) -> Iterator[str]:
    """Yield the file with ``entry`` at ``path``, whose parts are all bare keys."""
    holder = _holder(statements, path)
    if holder is not None:
        yield from _inside(statements, holder, path, entry, newline)
        return
    yield from _below_header(statements, path, entry, newline)
    yield from _after_siblings(statements, path, entry, newline)
    yield _below_new_header(statements, path, entry, newline)


def renamed(statements: Statements, old: Path, new: Path, newline: str) -> Iterator[str]:
    """Yield the file with the key ``old`` renamed to ``new``: first in its old place, then in places where ``new`` may
    be added.
    """
    index = _holder(statements, old)
    if index is None:
        return
    holder = statements[index]
    if holder.path != old:
        yield from _renamed_inside(statements, index, old, new, newline)
        return
    if new[: len(holder.table)] == holder.table:
        line = TomlEntry(holder.value, comment=holder.comment).line(new[len(holder.table) :], holder.indent, newline)
        yield _joined(statements, index, index + 1, line)
    first = index
    while first and statements[first - 1].kind == "comment":
        first -= 1
    above = "".join(each.text for each in statements[first:index])
    rest = [*statements[:first], *statements[index + 1 :]]
    yield from places(rest, new, TomlEntry(holder.value, above, holder.comment), newline)


def renamed_header(statements: Statements, old: Path, new: Path) -> Iterator[str]:
    """Yield the file with the header of the table ``old`` renamed to ``new``. The table must have only one header."""
    headers = [index for index, each in enumerate(statements) if each.is_header and each.path[: len(old)] == old]
    if len(headers) == 1 and statements[headers[0]].path == old:
        header = statements[headers[0]]
        text = header.text[header.text.index("]") + 1 :]
        yield _joined(statements, headers[0], headers[0] + 1, f"{header.indent}[{'.'.join(new)}]{text}")


def without_table(statements: Statements, path: Path, newline: str) -> Iterator[str]:
    """Yield the file without the empty table ``path``; its comments stay."""
    index = _holder(statements, path)
    if index is not None and statements[index].path != path:
        holder = statements[index]
        with suppress(NoInlineTableError):
            rest, _ = removed(holder.value, path[len(holder.path) :])
            yield _joined(statements, index, index + 1, holder.with_value(rest))
        return
    text = ""
    for each in statements:
        if each.path != path:
            text += each.text
        elif each.comment:
            text += f"{each.indent}{each.comment}{newline}"
    yield text


# -- places ------------------------------------------------------------------------------------------------


def _below_header(statements: Statements, path: Path, entry: TomlEntry, newline: str) -> Iterator[str]:
    """Yield the entry after the last key of its table, or directly below the header. The root table has no header."""
    table = path[:-1]
    header = _last(each.kind == "header" and each.path == table for each in statements)
    key = _last(each.kind == "pair" and each.table == table for each in statements)
    if header is None and table:
        return
    if key is not None:
        yield _below(statements, key, path, entry, newline)
    elif header is not None:
        yield _below(statements, header, path, entry, newline)
    else:
        yield _with_blank_lines(statements, _end_with_comments(statements, -1), entry.line(path, "", newline), newline)


def _after_siblings(statements: Statements, path: Path, entry: TomlEntry, newline: str) -> Iterator[str]:
    """Yield the entry after the last dotted key with a common prefix, the longest prefix first."""
    for depth in range(len(path) - 1, 0, -1):
        key = _last(
            each.kind == "pair" and len(each.table) < depth and each.path[:depth] == path[:depth] for each in statements
        )
        if key is not None:
            yield _below(statements, key, path, entry, newline)


def _below_new_header(statements: Statements, path: Path, entry: TomlEntry, newline: str) -> str:
    """Add a table with the entry, after the tables with the longest common prefix, else at the end of the file."""
    table = path[:-1]
    text = f"[{'.'.join(table)}]{newline}{entry.line(path[-1:], '', newline)}"
    for depth in range(len(table), 0, -1):
        last = _last(each.kind not in _NOTHING and each.table[:depth] == table[:depth] for each in statements)
        if last is not None:
            return _with_blank_lines(statements, _end_with_comments(statements, last), text, newline)
    return _with_blank_lines(statements, len(statements), text, newline)


def _inside(statements: Statements, index: int, path: Path, entry: TomlEntry, newline: str) -> Iterator[str]:
    """Yield the file with the entry in place of the existing value, or in the inline table that contains it.

    Comments go above the statement.
    """
    holder = statements[index]
    above = entry.above + (f"{holder.indent}{entry.comment}{newline}" if entry.comment else "")
    with suppress(NoInlineTableError):
        value = assigned(holder.value, path[len(holder.path) :], entry.value)
        yield _joined(statements, index, index + 1, above + holder.with_value(value))


def _renamed_inside(statements: Statements, index: int, old: Path, new: Path, newline: str) -> Iterator[str]:
    """Yield the file with the key moved: first within its inline table, then out of it to another place."""
    holder = statements[index]
    start = len(holder.path)
    with suppress(NoInlineTableError):
        rest, taken = removed(holder.value, old[start:])
        if new[:start] == holder.path:
            yield _joined(statements, index, index + 1, holder.with_value(assigned(rest, new[start:], taken)))
        without = _joined(statements, index, index + 1, holder.with_value(rest))
        yield from places(cut(without), new, TomlEntry(taken), newline)


# -- lines -------------------------------------------------------------------------------------------------


def _holder(statements: Statements, path: Path) -> int | None:
    """Return the index of the pair at ``path``, or of the one whose inline table contains ``path``."""
    return _last(each.kind == "pair" and each.path == path[: len(each.path)] for each in statements)


def _last(matches: Iterable[bool]) -> int | None:
    return max((index for index, match in enumerate(matches) if match), default=None)


def _end_with_comments(statements: Statements, index: int) -> int:
    """Return the index after a statement and its comments. Comments directly above the next statement belong to the
    next statement.
    """
    end = index + 1
    while end < len(statements) and statements[end].kind == "comment":
        end += 1
    return end if end == len(statements) or statements[end].kind == "empty" else index + 1


def _below(statements: Statements, index: int, path: Path, entry: TomlEntry, newline: str) -> str:
    """Insert the entry directly below a statement, with the same indentation and relative to its table."""
    above = statements[index]
    return _joined(statements, index + 1, index + 1, entry.line(path[len(above.table) :], above.indent, newline))


def _with_blank_lines(statements: Statements, index: int, text: str, newline: str) -> str:
    """Insert ``text`` with an empty line before and after it if there are other statements."""
    before = newline if index and statements[index - 1].kind != "empty" else ""
    after = newline if index < len(statements) and statements[index].kind != "empty" else ""
    return _joined(statements, index, index, f"{before}{text}{after}")


def _joined(statements: Statements, begin: int, end: int, text: str) -> str:
    """Return the file with ``text`` in place of the statements from ``begin`` to ``end``."""
    return "".join(each.text for each in statements[:begin]) + text + "".join(each.text for each in statements[end:])
