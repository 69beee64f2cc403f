"""Edits a TOML file in place: comments, order, unknown keys, line endings and the final newline are kept.

Each step has a target document and several candidate texts. The first candidate that parses to the target (with
tomllib) and keeps every comment is used. If there is none, the edit is refused.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from rootfs_trust import bounded_toml
from rootfs_trust.errors import THIN_EDGE_TOML, InputError
from rootfs_trust.text import as_toml
from rootfs_trust.toml_editor import insertion_points
from rootfs_trust.toml_editor.statements import Path, Statement, comments, cut, end_of

MAX_TEXT = 256 * 1024
"""Maximum number of characters in a file: a hundred times the size of thin-edge.io's settings."""

MAX_DOTS = 200
"""Maximum number of dots in one line."""

_Step: TypeAlias = tuple[Callable[[dict[str, Any]], None], Callable[[list[Statement]], Iterator[str]]]
"""A step of an edit: the change to the parsed file, and the candidates for the changed text."""


def parse(text: str, path: str) -> dict[str, Any]:
    """Parse ``text``. Raises InputError with ``path`` and the line."""
    try:
        return bounded_toml.loads(text, characters=MAX_TEXT, dots=MAX_DOTS)
    except (ValueError, RecursionError) as error:
        raise InputError(THIN_EDGE_TOML(path, f"is not valid TOML: {error}", "fix the file in the rootfs")) from error


def edited(text: str, path: str, renames: Mapping[str, str], emptied: str, settings: Mapping[str, str]) -> str:
    """Return ``text`` with keys renamed and set. ``renames`` and ``settings`` have dotted keys.

    ``emptied`` is a table that is removed if the renames leave it empty. Raises InputError if the structure of the file
    does not allow a key to be set.
    """
    parse(text, path)
    newline = end_of(text)
    unfinished = text != "" and not text.endswith("\n")
    result = text + newline if unfinished else text
    try:
        if renames:
            result = _with_renames(result, {_parts(old): _parts(new) for old, new in renames.items()}, _parts(emptied))
        for key, value in settings.items():
            result = _with_setting(result, _parts(key), value, newline)
    except _NoPlaceError as error:
        message, hint = f"cannot be edited safely: {error}", "write its tables with [headers], then run again"
        raise InputError(THIN_EDGE_TOML(path, message, hint)) from error
    except RecursionError as error:
        message, hint = "cannot be edited safely: it is nested too deeply", "fix the file in the rootfs"
        raise InputError(THIN_EDGE_TOML(path, message, hint)) from error
    return result.removesuffix(newline) if unfinished else result


class _NoPlaceError(Exception):
    """The structure of the file does not allow a new key at this path."""


# -- steps -------------------------------------------------------------------------------------------------


def _with_renames(text: str, renames: Mapping[Path, Path], emptied: Path) -> str:
    """Rename keys. If all keys of a table move to one other table, rename its header; else move them one by one."""
    newline = end_of(text)
    together = {old: new for old, new in renames.items() if old[:-1] == emptied}
    tables = {new[:-1] for new in together.values()}
    if len(tables) == 1:
        (table,) = tables
        whole: _Step = (
            lambda data: _move(data, together, emptied),
            lambda statements: insertion_points.renamed_header(statements, emptied, table),
        )
        text, renames = _try_together(whole, text, renames, together)
    for old, new in renames.items():
        text = _apply(_rename(old, new, emptied, newline), text, old)
    return _apply(_drop(emptied, newline), text, emptied)


def _try_together(
    step: _Step, text: str, renames: Mapping[Path, Path], together: Mapping[Path, Path]
) -> tuple[str, Mapping[Path, Path]]:
    """Do the renames in ``together`` in one step. Return the new text and the remaining renames, which are all if the
    step fails.
    """
    try:
        return _apply(step, text, ()), {old: new for old, new in renames.items() if old not in together}
    except _NoPlaceError:
        return text, renames


def _rename(old: Path, new: Path, emptied: Path, newline: str) -> _Step:
    def on_text(statements: list[Statement]) -> Iterator[str]:
        for text in insertion_points.renamed(statements, old, new, newline):
            yield text
            yield from insertion_points.without_table(cut(text), emptied, newline)

    return lambda data: _move(data, {old: new}, emptied), on_text


def _drop(table: Path, newline: str) -> _Step:
    return (
        lambda data: _remove_if_empty(data, table),
        lambda statements: insertion_points.without_table(statements, table, newline),
    )


def _with_setting(text: str, path: Path, value: str, newline: str) -> str:
    entry = insertion_points.TomlEntry(as_toml(value))
    return _apply(
        (
            lambda data: _set(data, path, value),
            lambda statements: insertion_points.places(statements, path, entry, newline),
        ),
        text,
        path,
    )


def _apply(step: _Step, text: str, path: Path) -> str:
    """Return ``text`` after ``step``, by the first valid candidate; unchanged if there is nothing to do."""
    on_data, on_text = step
    before, wanted = _read(text), _read(text)
    try:
        on_data(wanted)
    except _NoPlaceError as error:
        raise _NoPlaceError(f"{error}{_line_of(text, path)}") from error
    if wanted == before:
        return text
    kept = Counter(comments(text))
    for candidate in on_text(cut(text)):
        if _parses_to(candidate, wanted) and not kept - Counter(comments(candidate)):
            return candidate
    raise _NoPlaceError(f"there is no place for {'.'.join(path)}{_line_of(text, path)}")


def _line_of(text: str, path: Path) -> str:
    """Return the line of the statement nearest to ``path``, for messages, or an empty string."""
    nearest, at, line = 0, 0, 1
    for statement in cut(text):
        common = max(depth for depth in range(len(path) + 1) if statement.path[:depth] == path[:depth])
        if common > nearest:
            nearest, at = common, line
        line += statement.text.count("\n")
    return f" (line {at})" if at else ""


def _parses_to(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return _read(text) == wanted
    except ValueError:
        return False


def _read(text: str) -> dict[str, Any]:
    """Parse the text for comparison. Floats stay as they are written, since nan is not equal to itself."""
    return tomllib.loads(text, parse_float=lambda written: (written,))


# -- the parsed file ---------------------------------------------------------------------------------------


def _parts(key: str) -> Path:
    return tuple(key.split("."))


def _set(data: dict[str, Any], path: Path, value: Any) -> None:
    table = _table(data, path)
    if not isinstance(table.get(path[-1], ""), str):
        raise _NoPlaceError(f"{'.'.join(path)} is not a string")
    table[path[-1]] = value


def _move(data: dict[str, Any], renames: Mapping[Path, Path], emptied: Path) -> None:
    for old, new in renames.items():
        value = _table(data, old).pop(old[-1])
        if new[-1] in _table(data, new):
            raise _NoPlaceError(f"{'.'.join(new)} already exists")
        _table(data, new)[new[-1]] = value
    _remove_if_empty(data, emptied)


def _remove_if_empty(data: dict[str, Any], path: Path) -> None:
    parent: Any = data
    for part in path[:-1]:
        parent = parent.get(part, {})
    if parent.get(path[-1]) == {}:
        del parent[path[-1]]


def _table(data: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the table that contains ``path``. It is created if it is missing."""
    table = data
    for depth, part in enumerate(path[:-1], 1):
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise _NoPlaceError(f"{'.'.join(path[:depth])} is not a table")
    return table
