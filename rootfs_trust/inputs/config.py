"""rootfs-trust.toml: read, checked key by key, every mistake said with its key and line.

The tables of the file are the dataclasses below; a key that none of them has is a mistake, as is a wrong type.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.inputs.policy import DEFAULT_POLICY, Policy
from rootfs_trust.store.anchor import safe_name
from rootfs_trust.store.purposes import WORDS, Purposes, purposes

FILE_NAME = "rootfs-trust.toml"

_DESCRIBED = "docs/configuration.md describes every key"


@dataclass(frozen=True, slots=True)
class StoreTable:
    """``[store]``."""

    layout: str = "auto"
    base: str = "keep"
    distrust: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnchorTable:
    """One ``[[anchor]]``. ``file`` is the path on the host, made absolute from the place of the config."""

    file: str
    name: str | None = None
    sha256: str | None = None
    replace: bool = False
    allow: frozenset[str] = frozenset()
    purposes: Purposes = None
    key: str = ""
    where: str = ""
    """Its key and its place in the config; both empty for a file of the command line."""


@dataclass(frozen=True, slots=True)
class CloudTable:
    """One ``[[cloud]]``."""

    kind: str
    profile: str | None = None
    root_cert_path: str | None = None
    at_run_time: bool = False
    key: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file; the defaults are those of an empty one."""

    path: str = ""
    store: StoreTable = StoreTable()
    anchors: tuple[AnchorTable, ...] = ()
    policy: Policy = DEFAULT_POLICY
    clouds: tuple[CloudTable, ...] = ()


def load_config(path: str | None) -> Config:
    """The config at ``path``; None: the one in the current folder, or the defaults where there is none."""
    if path is None and not os.path.exists(FILE_NAME):
        return Config()
    path = path or FILE_NAME
    try:
        with open(path, "rb") as file:
            text = file.read().decode()
    except OSError as error:
        hint = "check the path and its permissions"
        raise InputError(Trouble("config", path, f"cannot be read: {error.strerror}", hint)) from error
    except UnicodeDecodeError as error:
        raise InputError(Trouble("config", path, "is not UTF-8 text", "TOML files are")) from error
    return parse_config(text, path)


def parse_config(text: str, path: str) -> Config:
    """The config that ``text`` holds. Raises InputError with every mistake in it."""
    import tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(Trouble("config", path, f"is not valid TOML: {error}", _DESCRIBED)) from error
    reader = _Reader(path, text)
    config = reader.config(document)
    if reader.troubles:
        raise InputError(*reader.troubles)
    return config


Check = Callable[[Any], object]
"""Turns a value of the file into one of a table, or raises ValueError with what was expected."""


@dataclass(slots=True)
class _Reader:
    path: str
    text: str
    troubles: list[Trouble] = field(default_factory=list)

    def config(self, document: dict[str, Any]) -> Config:
        self._unknown("", document, ("store", "anchor", "policy", "cloud"))
        store = self._table("store", document.get("store", {}), _STORE)
        policy = self._table("policy", document.get("policy", {}), _POLICY)
        anchors = [self._table(key, each, _ANCHOR, ("file",)) for key, each in self._array("anchor", document)]
        clouds = [self._table(key, each, _CLOUD, ("kind",)) for key, each in self._array("cloud", document)]
        if self.troubles:
            return Config()
        folder = os.path.dirname(os.path.abspath(self.path))
        for each in anchors:
            each["file"] = os.path.join(folder, each["file"])
        return Config(
            self.path,
            StoreTable(**store),
            tuple(AnchorTable(**each) for each in anchors),
            Policy(**policy),
            tuple(CloudTable(**each) for each in clouds),
        )

    def _array(self, key: str, document: dict[str, Any]) -> list[tuple[str, Any]]:
        value = document.get(key, [])
        if not isinstance(value, list):
            self._wrong(key, f"has to be written as [[{key}]]")
            return []
        return [(f"{key}[{index}]", each) for index, each in enumerate(value)]

    def _table(self, key: str, value: object, checks: dict[str, Check], needed: tuple[str, ...] = ()) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._wrong(key, "has to be a table")
            return {}
        self._unknown(f"{key}.", value, tuple(checks))
        for name in needed:
            if name not in value:
                self._wrong(f"{key}.{name}", "is missing")
        known = {name: each for name, each in value.items() if name in checks}
        checked = {name: self._checked(f"{key}.{name}", each, checks[name]) for name, each in known.items()}
        return {**checked, "key": key, "where": self._where(f"{key}.{needed[0]}")} if needed else checked

    def _checked(self, key: str, value: object, check: Check) -> object:
        try:
            return check(value)
        except ValueError as error:
            self._wrong(key, f"has to be {error}")
            return None

    def _unknown(self, prefix: str, table: dict[str, Any], known: tuple[str, ...]) -> None:
        from difflib import get_close_matches

        for name in table:
            if name not in known:
                near = get_close_matches(name, known, 1)
                self._wrong(
                    f"{prefix}{name}",
                    "is no key that is known here",
                    f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}",
                )

    def _wrong(self, key: str, message: str, hint: str = _DESCRIBED) -> None:
        self.troubles.append(Trouble("config", self._where(key), f"{key} {message}", hint))

    def _where(self, key: str) -> str:
        line = line_of_key(self.text, key)
        return f"{self.path}:{line}" if line else self.path


def line_of_key(text: str, key: str) -> int | None:
    """The line (from 1) on which ``key`` (``anchor[2].file``) stands, else that of its table, else None.

    Of a table that is written inline the line is found on which it begins. tomllib keeps no positions, and this
    serves messages alone.
    """
    table, _, name = key.rpartition(".")
    wanted, first = table or name, re.split(r"[.[]", key)[0]
    counts: dict[str, int] = {}
    current, found = "", None
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]", line)
        if header:
            current = _table_name(header[1], header[2], counts)
            if current == wanted:
                found = number
        elif current == table and _assigns(line, name):
            return number
        elif not current and _assigns(line, first):
            found = number
    return found


def _assigns(line: str, name: str) -> bool:
    return re.match(rf"""\s*["']?{re.escape(name)}["']?\s*[=.]""", line) is not None


def _table_name(bracket: str, name: str, counts: dict[str, int]) -> str:
    if bracket == "[":
        return name
    counts[name] = counts.get(name, -1) + 1
    return f"{name}[{counts[name]}]"


# -- what each key takes -----------------------------------------------------------------------------------


def _string(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a text")
    return value


def _file_name(value: object) -> str:
    if not isinstance(value, str) or not value or value != safe_name(value):
        raise ValueError('a safe file name: ASCII letters, digits, ".", "_" and "-"')
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number, 0 or more")
    return value


def digest(value: object) -> str:
    """A SHA-256 in hex, with or without ``sha256:`` and colons, as 64 lower-case digits. ValueError otherwise."""
    text = value.removeprefix("sha256:").replace(":", "").lower() if isinstance(value, str) else ""
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise ValueError("the 64 hex digits of a SHA-256")
    return text


def _list_of(check: Callable[[object], str]) -> Callable[[object], tuple[str, ...]]:
    def checked(value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ValueError("a list")
        return tuple(check(each) for each in value)

    return checked


def _one_of(*words: str) -> Check:
    def checked(value: object) -> str:
        if value not in words:
            raise ValueError(" or ".join(f'"{word}"' for word in words))
        return str(value)

    return checked


def _purposes(value: object) -> Purposes:
    words = _list_of(lambda each: str(_one_of(*WORDS)(each)))(value)
    if not words:
        raise ValueError("a list of at least one purpose")
    return purposes(words)


_STORE: dict[str, Check] = {"layout": _string, "base": _one_of("keep", "none"), "distrust": _list_of(digest)}
_ANCHOR: dict[str, Check] = {
    "file": _string,
    "name": _file_name,
    "sha256": digest,
    "replace": _boolean,
    "allow": lambda value: frozenset(_list_of(lambda each: str(_one_of("expired")(each)))(value)),
    "purposes": _purposes,
}
_POLICY: dict[str, Check] = {
    "min_rsa_bits": _count,
    "min_days_left": _count,
    "require_ca": _boolean,
    "strict": _boolean,
    "forbid": lambda value: frozenset(_list_of(digest)(value)),
}
_CLOUD: dict[str, Check] = {
    "kind": _one_of("c8y", "aws", "az"),
    "profile": _string,
    "root_cert_path": _string,
    "at_run_time": _boolean,
}
