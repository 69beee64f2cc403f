"""Tables of a TOML file checked key by key, every mistake said with its key and line.

A table's schema is a dictionary: for each key the function that turns its value into ours, or raises ValueError with
what was expected. A key that the schema lacks is a mistake.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rootfs_trust.errors import Trouble
from rootfs_trust.store.anchor import safe_name

DESCRIBED = "docs/configuration.md describes every key"

MAX_UNKNOWN = 50
"""Keys of one table that are told; for each, the known ones are searched for what was meant."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([\w-]+))\s*[=.]""")

Check = Callable[[Any], object]
"""Turns a value of the file into one of a table, or raises ValueError with what was expected."""


@dataclass
class TableReader:
    """Collects what is wrong with the tables of one file: ``text`` is the file's, ``path`` its own.

    ``described`` is the hint that says where its keys are described.
    """

    path: str
    text: str
    described: str = DESCRIBED
    troubles: list[Trouble] = field(default_factory=list)

    def array(self, key: str, document: dict[str, Any]) -> list[tuple[str, Any]]:
        """The tables of ``[[key]]``, each with its own key: ``anchor[0]``."""
        value = document.get(key, [])
        if not isinstance(value, list):
            self.wrong(key, f"has to be written as [[{key}]]")
            return []
        return [(f"{key}[{index}]", each) for index, each in enumerate(value)]

    def table(self, key: str, value: object, checks: dict[str, Check], needed: tuple[str, ...] = ()) -> dict[str, Any]:
        """The checked values of a table; with ``needed`` keys also its ``key`` and ``where`` it stands."""
        if not isinstance(value, dict):
            self.wrong(key, "has to be a table")
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
            self.wrong(key, f"has to be {error}")
            return None

    def unknown(self, prefix: str, table: dict[str, Any], known: tuple[str, ...]) -> None:
        """Note the keys that are not ``known``, of very many the first ones."""
        from difflib import get_close_matches

        unknown = [name for name in table if name not in known]
        for name in unknown[:MAX_UNKNOWN]:
            near = get_close_matches(name, known, 1)
            self.wrong(
                f"{prefix}{name}",
                "is no key that is known here",
                f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}",
            )

    def wrong(self, key: str, message: str, hint: str = "") -> None:
        """Note that the value at ``key`` is wrong."""
        self.troubles.append(Trouble("config", self._where(key), f"{key} {message}", hint or self.described))

    @cached_property
    def _lines(self) -> KeyLines:
        return KeyLines(self.text)

    def _where(self, key: str) -> str:
        line = self._lines.line(key)
        return f"{self.path}:{line}" if line else self.path


class KeyLines:
    """The lines (from 1) on which the keys of a TOML file stand, found in one pass.

    Of a table that is written inline the line is known on which it begins. tomllib keeps no positions, and this
    serves messages alone.
    """

    def __init__(self, text: str) -> None:
        self._tables: dict[str, int] = {}
        self._keys: dict[tuple[str, str], int] = {}
        self._last: dict[str, int] = {}
        """Where a key outside of tables stands last: each line may add to it."""
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
        """The line of ``key`` (``anchor[2].file``), else that of its table, else None."""
        table, _, name = key.rpartition(".")
        first = re.split(r"[.[]", key)[0]
        return self._keys.get((table, name)) or self._tables.get(table or name) or self._last.get(first)


def _table_name(bracket: str, name: str, counts: Counter[str]) -> str:
    if bracket == "[":
        return name
    counts[name] += 1
    return f"{name}[{counts[name] - 1}]"


# -- what each key takes -----------------------------------------------------------------------------------


def string(value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a text")
    return value


def file_name(value: object) -> str:
    """A name that any store takes for a file."""
    if not isinstance(value, str) or not value or value != safe_name(value):
        raise ValueError('a safe file name: ASCII letters, digits, ".", "_" and "-"')
    return value


def boolean(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def count(value: object) -> int:
    """A whole number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number, 0 or more")
    return value


def digest(value: object) -> str:
    """A SHA-256 in hex, with or without ``sha256:`` and colons, as 64 lower-case digits. ValueError otherwise."""
    text = value.removeprefix("sha256:").replace(":", "").lower() if isinstance(value, str) else ""
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise ValueError("the 64 hex digits of a SHA-256")
    return text


def list_of(check: Callable[[object], str]) -> Callable[[object], tuple[str, ...]]:
    """A list, each of its values checked."""

    def checked(value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ValueError("a list")
        return tuple(check(each) for each in value)

    return checked


def one_of(*words: str) -> Check:
    """One of a few words."""

    def checked(value: object) -> str:
        if value not in words:
            raise ValueError(" or ".join(f'"{word}"' for word in words))
        return str(value)

    return checked
