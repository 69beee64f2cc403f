"""Edits a TOML file in place: comments, order, unknown keys, line ends and the final newline stay."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from rootfs_trust.errors import InputError, Trouble


def parse(text: str, path: str) -> dict[str, Any]:
    """The parsed ``text``. Raises InputError that names ``path`` and the line."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(Trouble("toml", path, f"is not valid TOML: {error}", "mend the file in the rootfs")) from error


def edited(text: str, path: str, renames: Mapping[str, str], emptied: str, settings: Mapping[str, str]) -> str:
    """``text`` with keys renamed and set; both name keys by their dotted path.

    ``emptied`` is a table that goes if the renames leave nothing in it. Raises InputError where tomlkit is
    missing, or where the file's own shape does not let a key be set.
    """
    try:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError
    except ImportError as error:
        raise InputError(
            Trouble(
                "missing-package",
                path,
                "has to be edited, which needs the Python package tomlkit",
                "install tomlkit (Debian: python3-tomlkit, Yocto: python3-tomlkit of meta-python)",
            )
        ) from error
    try:
        wanted = expected(parse(text, path), renames, emptied, settings)
        document = tomlkit.parse(text)
        for step in _steps(document, renames, emptied, settings):
            step(document)
            # Read anew: tomlkit loses track of tables that it just made, or whose parts stand apart.
            document = tomlkit.parse(tomlkit.dumps(document))
        result = _with_line_ends_of(text, tomlkit.dumps(document))
        if tomllib.loads(result) != wanted:
            raise ValueError("the edited text would not mean what it should")
    except (TOMLKitError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            Trouble(
                "toml", path, f"cannot be edited safely: {error}", "write the tables with [headers], then run again"
            )
        ) from error
    return result


def expected(
    document: dict[str, Any], renames: Mapping[str, str], emptied: str, settings: Mapping[str, str]
) -> dict[str, Any]:
    """What the parse of the edited text has to be."""
    for step in _steps(document, renames, emptied, settings):
        step(document)
    return document


def _steps(
    document: Any, renames: Mapping[str, str], emptied: str, settings: Mapping[str, str]
) -> Iterator[Callable[[Any], None]]:
    """Old names go first, so that new tables need not stand between them."""
    moved = {new: _value(document, old) for old, new in renames.items()}
    for old in renames:
        yield partial(_remove, key=old)
    if renames:
        yield partial(_remove_if_empty, key=emptied)
    for key, value in {**moved, **settings}.items():
        yield partial(_set, key=key, value=value)


def _value(document: Any, key: str) -> Any:
    table, name = _existing(document, key)
    return table[name]


def _remove(document: Any, key: str) -> None:
    table, name = _existing(document, key)
    del table[name]


def _remove_if_empty(document: Any, key: str) -> None:
    table, name = _existing(document, key)
    if name in table and not table[name]:
        del table[name]


def _existing(document: Any, key: str) -> tuple[Any, str]:
    """The table that holds ``key``, an empty one if there is none, and the key's name in it."""
    *tables, name = key.split(".")
    table = document
    for part in tables:
        table = table.get(part, {})
    return table, name


def _set(document: Any, key: str, value: Any) -> None:
    *tables, name = key.split(".")
    table = document
    while tables and tables[0] in table:
        part = tables.pop(0)
        table = table[part]
        if not hasattr(table, "keys"):
            raise ValueError(f"{part} is no table")
    for part in reversed(tables):
        name, value = part, {name: value}
    table[name] = value


def _with_line_ends_of(original: str, text: str) -> str:
    """New lines end as those of the original do."""
    if "\r\n" in original and "\n" not in original.replace("\r\n", ""):
        return text.replace("\r\n", "\n").replace("\n", "\r\n")
    return text
