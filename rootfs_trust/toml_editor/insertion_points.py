"""The places where a key of a TOML file may stand: each function gives whole files, the best one first.

What TOML allows in a place depends on the rest of the file (a table that dotted keys began gets no header, a table
with a header no dotted keys from outside), so not all that is given is valid, or means what it should: the caller
reads it and takes the first that does. (Libraries that edit TOML put a new key behind the comments that stand above
the next table, and stumble over tables whose parts stand apart and over dotted keys in inline tables.)
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
    """A value as TOML, and the comments that go with it: lines above it, and one behind it."""

    value: str
    above: str = ""
    comment: str = ""

    def line(self, key: Path, indent: str, newline: str) -> str:
        """The pair, with its comments."""
        behind = f"  {self.comment}" if self.comment else ""
        return f"{self.above}{indent}{'.'.join(key)} = {self.value}{behind}{newline}"


def places(statements: Statements, path: Path, entry: TomlEntry, newline: str) -> Iterator[str]:
    """The file with ``entry`` at ``path``, whose parts are all bare keys."""
    holder = _holder(statements, path)
    if holder is not None:
        yield from _inside(statements, holder, path, entry, newline)
        return
    yield from _below_header(statements, path, entry, newline)
    yield from _beside_relatives(statements, path, entry, newline)
    yield _below_new_header(statements, path, entry, newline)


def renamed(statements: Statements, old: Path, new: Path, newline: str) -> Iterator[str]:
    """The file with the key ``old`` called ``new``: where it stands, else where ``new`` may stand."""
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
    """The file with the header of the table ``old``, which has just one, turned into that of ``new``."""
    headers = [index for index, each in enumerate(statements) if each.is_header and each.path[: len(old)] == old]
    if len(headers) == 1 and statements[headers[0]].path == old:
        header = statements[headers[0]]
        text = header.text[header.text.index("]") + 1 :]
        yield _joined(statements, headers[0], headers[0] + 1, f"{header.indent}[{'.'.join(new)}]{text}")


def without_table(statements: Statements, path: Path, newline: str) -> Iterator[str]:
    """The file without the empty table ``path``; its comments stay."""
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
    """Behind the last key below the header of its table, or directly below the header; the root table has none."""
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
        yield _apart(statements, _end_of_own(statements, -1), entry.line(path, "", newline), newline)


def _beside_relatives(statements: Statements, path: Path, entry: TomlEntry, newline: str) -> Iterator[str]:
    """Behind the last dotted key that begins as ``path`` does; the nearest relatives first."""
    for depth in range(len(path) - 1, 0, -1):
        key = _last(
            each.kind == "pair" and len(each.table) < depth and each.path[:depth] == path[:depth] for each in statements
        )
        if key is not None:
            yield _below(statements, key, path, entry, newline)


def _below_new_header(statements: Statements, path: Path, entry: TomlEntry, newline: str) -> str:
    """In a table of its own, behind the tables that are nearest to it, else at the end of the file."""
    table = path[:-1]
    text = f"[{'.'.join(table)}]{newline}{entry.line(path[-1:], '', newline)}"
    for depth in range(len(table), 0, -1):
        last = _last(each.kind not in _NOTHING and each.table[:depth] == table[:depth] for each in statements)
        if last is not None:
            return _apart(statements, _end_of_own(statements, last), text, newline)
    return _apart(statements, len(statements), text, newline)


def _inside(statements: Statements, index: int, path: Path, entry: TomlEntry, newline: str) -> Iterator[str]:
    """In the value that is there, or in the inline table that holds it; comments have no place but above."""
    holder = statements[index]
    above = entry.above + (f"{holder.indent}{entry.comment}{newline}" if entry.comment else "")
    with suppress(NoInlineTableError):
        value = assigned(holder.value, path[len(holder.path) :], entry.value)
        yield _joined(statements, index, index + 1, above + holder.with_value(value))


def _renamed_inside(statements: Statements, index: int, old: Path, new: Path, newline: str) -> Iterator[str]:
    """Out of an inline table, and into the same one if it may be, else to a place of its own."""
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
    """The pair at ``path``, or the one whose inline table ``path`` leads into."""
    return _last(each.kind == "pair" and each.path == path[: len(each.path)] for each in statements)


def _last(matches: Iterable[bool]) -> int | None:
    return max((index for index, match in enumerate(matches) if match), default=None)


def _end_of_own(statements: Statements, index: int) -> int:
    """The place behind a statement and the comments below it, unless they stand above the next statement."""
    end = index + 1
    while end < len(statements) and statements[end].kind == "comment":
        end += 1
    return end if end == len(statements) or statements[end].kind == "empty" else index + 1


def _below(statements: Statements, index: int, path: Path, entry: TomlEntry, newline: str) -> str:
    """Directly below a statement, indented as it is, and named from its table."""
    above = statements[index]
    return _joined(statements, index + 1, index + 1, entry.line(path[len(above.table) :], above.indent, newline))


def _apart(statements: Statements, index: int, text: str, newline: str) -> str:
    """With an empty line before and behind, where something else stands there."""
    before = newline if index and statements[index - 1].kind != "empty" else ""
    behind = newline if index < len(statements) and statements[index].kind != "empty" else ""
    return _joined(statements, index, index, f"{before}{text}{behind}")


def _joined(statements: Statements, begin: int, end: int, text: str) -> str:
    """The file with ``text`` in place of some statements."""
    return "".join(each.text for each in statements[:begin]) + text + "".join(each.text for each in statements[end:])
