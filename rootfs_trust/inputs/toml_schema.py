"""Check the tables of a TOML file against a schema. Every mistake is reported with its key and line.

A schema is a dictionary. For each key it has a function that converts the value, or raises ValueError with what was
expected. A key that is not in the schema is a mistake.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from rootfs_trust.errors import CONFIG, Problem
from rootfs_trust.store.anchor import safe_name
from rootfs_trust.text import did_you_mean

DESCRIBED = "docs/configuration.md describes every key"

MAX_UNKNOWN = 50
"""Maximum number of unknown keys that are reported per table, because each needs a search for a suggestion."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([\w-]+))\s*[=.]""")


_Value = TypeVar("_Value")

Check = Callable[[Any], object]
"""Converts a value, or raises ValueError with what was expected."""


@dataclass
class TableReader:
    """Collects the mistakes in the tables of one file with the given ``text`` and ``path``.

    ``described`` is a hint that names the documentation of the keys.
    """

    path: str
    text: str
    described: str = DESCRIBED
    problems: list[Problem] = field(default_factory=list)

    def array(self, key: str, document: dict[str, Any]) -> list[tuple[str, Any]]:
        """Return the tables of ``[[key]]``, each with its own key, such as ``anchor[0]``."""
        value = document.get(key, [])
        if not isinstance(value, list):
            self.wrong(key, f"must be written as [[{key}]]")
            return []
        return [(f"{key}[{index}]", each) for index, each in enumerate(value)]

    def table(self, key: str, value: object, checks: dict[str, Check], needed: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the checked values of a table. With ``needed`` keys, also its ``key`` and its position ``where``."""
        if not isinstance(value, dict):
            self.wrong(key, "must be a table")
            return {}
        self.unknown(f"{key}.", value, tuple(checks))
        for name in needed:
            if name not in value:
                self.wrong(f"{key}.{name}", "is missing")
        known = {name: each for name, each in value.items() if name in checks}
        checked = {name: self._checked(f"{key}.{name}", each, checks[name]) for name, each in known.items()}
        return {**checked, "key": key, "where": self._where(f"{key}.{needed[0]}")} if needed else checked

    def _checked(self, key: str, value: object, check: Check) -> object:
        try:
            return check(value)
        except ValueError as error:
            self.wrong(key, f"must be {error}")
            return None

    def unknown(self, prefix: str, table: dict[str, Any], known: tuple[str, ...]) -> None:
        """Report the keys that are not ``known``, up to a limit."""
        unknown = [name for name in table if name not in known]
        for name in unknown[:MAX_UNKNOWN]:
            key, hint = f"{prefix}{name}", did_you_mean(name, known) or f"known: {', '.join(known)}"
            self.problems.append(CONFIG(self._where(key), f"unknown key {key}", hint))

    def wrong(self, key: str, message: str, hint: str = "") -> None:
        """Report that the value at ``key`` is wrong."""
        self.problems.append(CONFIG(self._where(key), f"{key} {message}", hint or self.described))

    @cached_property
    def _lines(self) -> KeyLines:
        return KeyLines(self.text)

    def _where(self, key: str) -> str:
        line = self._lines.line(key)
        return f"{self.path}:{line}" if line else self.path


class KeyLines:
    """The line numbers (from 1) of the keys of a TOML file, found in one pass.

    For an inline table, only its first line is known. This is needed because tomllib keeps no positions, and is used
    only for messages.
    """

    def __init__(self, text: str) -> None:
        self._tables: dict[str, int] = {}
        self._keys: dict[tuple[str, str], int] = {}
        self._last: dict[str, int] = {}
        """For each key outside of tables, the last line that contains it."""
        counts: Counter[str] = Counter()
        current = ""
        for number, line in enumerate(text.splitlines(), 1):
            if header := _HEADER.match(line):
                current = _table_name(header[1], header[2], counts)
                self._tables[current] = number
            elif found := _KEY.match(line):
                self._note(current, next(filter(None, found.groups())), number)

    def _note(self, table: str, name: str, number: int) -> None:
        self._keys.setdefault((table, name), number)
        if not table:
            self._last[name] = number

    def line(self, key: str) -> int | None:
        """Return the line of ``key`` (such as ``anchor[2].file``), or else the line of its table, or None."""
        table, _, name = key.rpartition(".")
        first = re.split(r"[.[]", key)[0]
        return self._keys.get((table, name)) or self._tables.get(table or name) or self._last.get(first)


def _table_name(bracket: str, name: str, counts: Counter[str]) -> str:
    if bracket == "[":
        return name
    counts[name] += 1
    return f"{name}[{counts[name] - 1}]"


# -- types of values ---------------------------------------------------------------------------------------


def string(value: object) -> str:
    """Check a string that is not empty."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a non-empty string")
    return value


def file_name(value: object) -> str:
    """Check a name that every layout accepts as a file name."""
    if not isinstance(value, str) or not value or value != safe_name(value):
        raise ValueError('a safe file name: ASCII letters, digits, ".", "_" and "-"')
    return value


def boolean(value: object) -> bool:
    """Check a boolean."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def count(value: object) -> int:
    """Check a whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number, 0 or more")
    return value


def list_of(check: Callable[[object], _Value]) -> Callable[[object], tuple[_Value, ...]]:
    """Check a list, and each of its values."""

    def checked(value: object) -> tuple[_Value, ...]:
        if not isinstance(value, list):
            raise ValueError("a list")
        return tuple(check(each) for each in value)

    return checked


def one_of(*words: str) -> Check:
    """Check that the value is one of ``words``."""

    def checked(value: object) -> str:
        if value not in words:
            raise ValueError(" or ".join(f'"{word}"' for word in words))
        return str(value)

    return checked
