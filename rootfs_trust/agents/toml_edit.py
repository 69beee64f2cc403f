"""Edits a TOML file in place: comments, order, unknown keys, line ends and the final newline stay."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
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
    document = tomlkit.parse(text)
    wanted = expected(parse(text, path), renames, emptied, settings)
    try:
        _rename(document, renames, emptied)
        for key, value in settings.items():
            _set(document, key, value)
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
    _rename(document, renames, emptied)
    for key, value in settings.items():
        _set(document, key, value)
    return document


def _rename(document: Any, renames: Mapping[str, str], emptied: str) -> None:
    for old, new in renames.items():
        *tables, name = old.split(".")
        table = document
        for part in tables:
            table = table[part]
        value = table.pop(name)
        _set(document, new, value)
    if renames:
        *tables, name = emptied.split(".")
        table = document
        for part in tables:
            table = table.get(part, {})
        if name in table and not table[name]:
            del table[name]


def _set(document: Any, key: str, value: Any) -> None:
    *tables, name = key.split(".")
    table = document
    for part in tables:
        if part not in table:
            table[part] = {}
        table = table[part]
        if not hasattr(table, "keys"):
            raise ValueError(f"{part} is no table")
    table[name] = value


def _with_line_ends_of(original: str, text: str) -> str:
    """New lines end as those of the original do."""
    if "\r\n" in original and "\n" not in original.replace("\r\n", ""):
        return text.replace("\r\n", "\n").replace("\n", "\r\n")
    return text
