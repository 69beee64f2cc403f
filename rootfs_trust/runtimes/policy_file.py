"""JSON files of browser policies: parsed with limits, changed, and written in the same format."""

from __future__ import annotations

import json
from typing import Any

from rootfs_trust.errors import MalformedError

_INDENTS = (2, 4, "\t", 3, 8, None)


def read_policies(data: bytes) -> dict[str, Any]:
    """Return the object in a policy file. Raises MalformedError for anything else."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise MalformedError("is not a JSON file of policies") from error
    if not isinstance(document, dict):
        raise MalformedError("is not a JSON object of policies")
    return document


def write_policies(document: dict[str, Any], before: bytes = b"") -> bytes:
    """Return the policies as JSON, with the indentation and the final newline of the file ``before``."""
    form = _form(before)
    return _encode(document, *form)


def _form(before: bytes) -> tuple[int | str | None, bool, bool]:
    """Return the indentation of a file, whether it escapes non-ASCII characters, and whether it ends with a newline. If
    these do not reproduce the file, return the usual format.
    """
    if before:
        document = read_policies(before)
        for indent in _INDENTS:
            for escaped in (True, False):
                for newline in (True, False):
                    if _encode(document, indent, escaped, newline) == before:
                        return indent, escaped, newline
    return 2, True, True


def _encode(document: dict[str, Any], indent: int | str | None, escaped: bool, newline: bool) -> bytes:
    text = json.dumps(document, indent=indent, ensure_ascii=escaped)
    return (text + ("\n" if newline else "")).encode("utf-8", "surrogatepass")


def object_at(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the object under ``name``, creating it if missing. Raises MalformedError for another type."""
    value = document.setdefault(name, {})
    if not isinstance(value, dict):
        raise MalformedError(f'has "{name}" that is not an object')
    return value


def texts_at(document: dict[str, Any], name: str) -> list[str]:
    """Return the list of strings under ``name``, or an empty one. Raises MalformedError for another type."""
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MalformedError(f'has "{name}" that is not a list of strings')
    return value
