"""Read the objects of a JSON document key by key. Each mistake is a ValueError with the key."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeVar

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509 import Certificate, parse_certificate

_LONGEST_TEXT = 1000
_DIGEST = re.compile("[0-9a-f]{64}")

_Value = TypeVar("_Value")


class Table:
    """An object of the document. ``where`` is its key. Unknown keys in it are ignored."""

    def __init__(self, where: str, content: object) -> None:
        if not isinstance(content, dict):
            raise ValueError(f"{where or 'the document'} is not an object")
        self.where = where
        self.content: dict[str, Any] = content

    def key(self, name: str) -> str:
        """Return the full key of ``name``."""
        return ".".join(filter(None, (self.where, name)))

    def take(self, name: str, check: Callable[[object], _Value]) -> _Value:
        """Return the value of a required key."""
        if name not in self.content:
            raise ValueError(f"{self.key(name)} is missing")
        try:
            return check(self.content[name])
        except ValueError as error:
            raise ValueError(f"{self.key(name)} is not {error}") from None

    def find(self, name: str, check: Callable[[object], _Value]) -> _Value | None:
        """Return the value of an optional key. It may be missing or null."""
        return None if self.content.get(name) is None else self.take(name, check)

    def table(self, name: str) -> Table:
        """Return the object at a key."""
        return Table(self.key(name), self.take(name, anything))

    def tables(self, name: str) -> Iterable[Table]:
        """Return the objects of the list at a key."""
        return (Table(f"{self.key(name)}[{number}]", each) for number, each in enumerate(self.take(name, list_value)))


def anything(value: object) -> object:
    """Accept any value."""
    return value


def text(value: object) -> str:
    """Check a string that is neither empty nor too long."""
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
        raise ValueError(f"a text of at most {_LONGEST_TEXT} characters")
    return value


def digest(value: object) -> str:
    """Check a SHA-256 in lower-case hexadecimal."""
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise ValueError("64 lower-case hexadecimal digits")
    return value


def day(value: object) -> date:
    """Parse a date."""
    try:
        return date.fromisoformat(text(value))
    except ValueError:
        raise ValueError("a date such as 2026-10-18") from None


def list_value(value: object) -> list[Any]:
    """Check a list."""
    if not isinstance(value, list):
        raise ValueError("a list")
    return value


def one_of(words: tuple[str, ...]) -> Callable[[object], str]:
    """Return a check for one of ``words``."""

    def check(value: object) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return str(value)

    return check


def certificate(value: object) -> Certificate:
    """Parse a certificate from its DER in Base64."""
    try:
        if not isinstance(value, str):
            raise ValueError("text")
        return parse_certificate(base64.b64decode(value, validate=True))
    except (ValueError, MalformedError):
        raise ValueError("a certificate, its DER in Base64") from None
