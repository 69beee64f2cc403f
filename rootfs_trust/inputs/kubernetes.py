"""Reads the values of a Kubernetes ConfigMap or Secret, as `kubectl get -o yaml` and `-o json` print it.

This module reads only the YAML that such objects use: scalars under ``data``, ``binaryData`` and ``stringData``, in the
plain, quoted and literal styles (YAML 1.2.2, 7.3 and 8.1.2). A YAML library would be a dependency of every run, and
would need limits for aliases and merge keys. A value in another style is ignored.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator
from typing import Any, NamedTuple

_YAML_KIND = re.compile(rb"^(?:- |  )?kind: *[\"']?(\w+)", re.M)
_KINDS = ("ConfigMap", "Secret")
_SECTION = re.compile(r"(|  |- )(data|binaryData|stringData):\s*")
_ENTRY = re.compile(r"( *)(?:\"([^\"]+)\"|'([^']+)'|([^\s\"'#][^:]*)):(?: +(.*))?")
_DEEPEST = 4  # a List has items, which have data


class Value(NamedTuple):
    """A value of the object, and its key, such as ``ca.crt``."""

    key: str
    content: bytes


def kubernetes_kind(data: bytes) -> str:
    """Return the kind of the Kubernetes object in ``data``, such as ``ConfigMap``, or "" if ``data`` is not such an
    object.
    """
    if b"apiVersion" not in data or b"kind" not in data:
        return ""
    if data.lstrip().startswith(b"{"):
        kinds = [str(each.get("kind", "")) for each in _json_objects(_json(data))]
    else:
        kinds = [each.decode() for each in _YAML_KIND.findall(data)]
    return next((each for each in kinds if each in _KINDS), kinds[0] if kinds else "")


def kubernetes_values(data: bytes) -> list[Value]:
    """Return the values of every ConfigMap and Secret in ``data``. Base64 values are decoded."""
    if data.lstrip().startswith(b"{"):
        return [each for item in _json_objects(_json(data)) for each in _json_values(item)]
    return list(_yaml_values(data.decode(errors="replace").splitlines()))


# -- JSON --------------------------------------------------------------------------------------------------


def _json(data: bytes) -> Any:
    try:
        import json

        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _json_objects(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the JSON object. If it is a List, also yield its items."""
    if isinstance(value, dict) and depth < _DEEPEST:
        yield value
        items = value.get("items")
        for item in items if isinstance(items, list) else ():
            yield from _json_objects(item, depth + 1)


def _json_values(item: dict[str, Any]) -> Iterator[Value]:
    for section in ("data", "binaryData", "stringData"):
        entries = item.get(section)
        for key, text in entries.items() if isinstance(entries, dict) else ():
            if isinstance(text, str):
                yield _value(key, text)


# -- YAML --------------------------------------------------------------------------------------------------


def _yaml_values(lines: list[str]) -> Iterator[Value]:
    """Yield the values of each section. A section ends with the first line that is not indented more than its key."""
    for at, line in enumerate(lines):
        if section := _SECTION.fullmatch(line):
            yield from _section(_deeper(lines, at + 1, len(section[1])))


def _deeper(lines: list[str], start: int, indent: int) -> list[str]:
    """Return the lines from ``start`` on that are blank or indented by more than ``indent``."""
    for at in range(start, len(lines)):
        if lines[at].strip() and _indent(lines[at]) <= indent:
            return lines[start:at]
    return lines[start:]


def _section(lines: list[str]) -> Iterator[Value]:
    at = 0
    while at < len(lines):
        entry = _ENTRY.fullmatch(lines[at])
        at += 1
        if entry:
            below = _deeper(lines, at, len(entry[1]))
            at += len(below)
            yield _value(entry[2] or entry[3] or entry[4], _scalar(entry[5] or "", below))


def _scalar(first: str, below: list[str]) -> str:
    """Return the text of a scalar, which begins after its key and may continue on the lines below."""
    if first.startswith(("|", ">")):
        indent = min((_indent(line) for line in below if line.strip()), default=0)
        return "\n".join(line[indent:] for line in below) + "\n"
    whole = "\n".join([first, *below]).strip()
    if whole.startswith('"'):
        return _double_quoted(whole)
    if whole.startswith("'"):
        return _folded(whole).strip("'").replace("''", "'")
    return _folded(whole)


def _double_quoted(text: str) -> str:
    """Parse a double-quoted scalar. Its escapes are those of JSON, and an escaped space (YAML 1.2.2, 5.7)."""
    joined = _folded(re.sub(r"\\\n[ \t]*", "", text)).replace("\\ ", " ")
    try:
        import json

        return str(json.loads(joined))
    except ValueError:
        return ""


def _folded(text: str) -> str:
    """Fold lines: a line break is a space, and each blank line is a line break (YAML 1.2.2, 6.5)."""
    first, *lines = text.split("\n")
    parts, blank = [first.rstrip()], 0
    for line in map(str.strip, lines):
        if line:
            parts += ["\n" * blank or " ", line]
            blank = 0
        else:
            blank += 1
    return "".join(parts)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _value(key: str, text: str) -> Value:
    """Return a value. Base64, as in a Secret, is decoded."""
    content = text.encode(errors="replace")
    try:
        return Value(key, a2b_base64(content.strip(), strict_mode=True) or content)
    except Base64Error:
        return Value(key, content)
