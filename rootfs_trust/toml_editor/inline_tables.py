"""Edits the source text of TOML values inside inline tables. Everything else keeps its spelling. The text must be valid
TOML. Source: TOML 1.0.0, https://toml.io/en/v1.0.0#inline-table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rootfs_trust.toml_editor.statements import DEPTH, KEY, TOKEN, Path, key_path


class NoInlineTableError(Exception):
    """A path leads to a value that is not an inline table, or to a missing key."""


def assigned(value: str, path: Path, new: str) -> str:
    """Return the inline table ``value`` with ``new`` at ``path`` below it. The existing pair is changed, or a pair is
    added after the last one.
    """
    if not path:
        return new
    pairs = _pairs(value)
    for index, pair in enumerate(pairs):
        if path[: len(pair.path)] == pair.path:
            pairs[index] = pair.with_value(assigned(pair.value, path[len(pair.path) :], new))
            return _table(pairs)
    after = _SPACE if not pairs else pairs[-1].after
    before = [pair._replace(after="") if pair is pairs[-1] else pair for pair in pairs]
    return _table([*before, _Pair(_SPACE, f"{'.'.join(path)} = ", new, after, path)])


def removed(value: str, path: Path) -> tuple[str, str]:
    """Remove the key at ``path`` from the inline table ``value``. Returns the new text and the removed value."""
    pairs = _pairs(value)
    for index, pair in enumerate(pairs):
        if path == pair.path:
            rest = [*pairs[:index], *pairs[index + 1 :]]
            if rest and index == len(rest):
                rest[-1] = rest[-1]._replace(after=pair.after)
            return _table(rest), pair.value
        if path[: len(pair.path)] == pair.path:
            text, removed_value = removed(pair.value, path[len(pair.path) :])
            return _table([*pairs[:index], pair.with_value(text), *pairs[index + 1 :]]), removed_value
    raise NoInlineTableError


_SPACE = " "


class _Pair(NamedTuple):
    """A pair of an inline table. ``key`` includes the text up to the value; ``before`` and ``after`` are white
    space.
    """

    before: str
    key: str
    value: str
    after: str
    path: Path

    def with_value(self, value: str) -> _Pair:
        return self._replace(value=value)

    def __str__(self) -> str:
        return f"{self.before}{self.key}{self.value}{self.after}"


def _table(pairs: list[_Pair]) -> str:
    return f"{{{','.join(map(str, pairs))}}}"


def _pairs(value: str) -> list[_Pair]:
    """Return the pairs of an inline table. Raises NoInlineTableError for any other value."""
    if not value.startswith("{"):
        raise NoInlineTableError
    inside = value[1:-1]
    return [_pair(text) for text in _parts(inside)] if inside.strip() else []


def _pair(text: str) -> _Pair:
    key = KEY.match(text)
    if key is None:
        raise NoInlineTableError
    written, value = key[0].lstrip(), text[key.end() + 1 :]
    spaces = value[: len(value) - len(value.lstrip())]
    before, after = text[: len(text) - len(text.lstrip())], value[len(value.rstrip()) :]
    return _Pair(before, f"{written}={spaces}", value.strip(), after, key_path(key[2]))


def _parts(text: str) -> Iterator[str]:
    """Split ``text`` at the commas outside brackets and strings."""
    part, depth = "", 0
    for token in TOKEN.findall(text):
        depth += DEPTH.get(token, 0)
        if depth or token[0] in "\"'#[]{}":
            part += token
            continue
        first, *others = token.split(",")
        part += first
        for other in others:
            yield part
            part = other
    yield part
