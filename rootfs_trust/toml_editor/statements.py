"""Splits a TOML file into statements: headers, pairs, comments and empty lines. Joined, they are the file again.

The text must be valid TOML (tomllib has parsed it), so brackets and quotes match. Source: TOML
1.0.0, https://toml.io/en/v1.0.0.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]

TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|'
    r"'''.*?'{3,5}|"
    r'"(?:[^"\\]|\\.)*"|'
    r"'[^']*'|"
    r"\#[^\n]*|"
    r"[\[\]{}\n]|"
    r"[^\"'#\[\]{}\n]+",
    re.DOTALL,
)
KEY = re.compile(r"""[ \t]*(\[{0,2})((?:[A-Za-z0-9_\-. \t]|"(?:[^"\\]|\\.)*"|'[^']*')+)""")
DEPTH = {"[": 1, "{": 1, "]": -1, "}": -1}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with its line ending.

    ``kind`` is "header", "array" (a header in double brackets), "pair", "comment" or "empty". ``path`` is the path of
    the table or key, and ``table`` the path of the table whose section contains the statement. ``comment`` is the
    comment at its end, without surrounding white space.
    """

    text: str
    kind: str
    table: Path = ()
    path: Path = ()
    comment: str = ""

    @property
    def is_header(self) -> bool:
        """Whether the statement is a header, which opens a table."""
        return self.kind in ("header", "array")

    @property
    def indent(self) -> str:
        """The leading white space."""
        return self.text[: len(self.text) - len(self.text.lstrip(" \t"))]

    @property
    def value(self) -> str:
        """The value of a pair, as it is written."""
        begin, end = self._span
        return self.text[begin:end]

    def with_value(self, value: str) -> str:
        """Return the text of the pair with another value."""
        begin, end = self._span
        return f"{self.text[:begin]}{value}{self.text[end:]}"

    @property
    def _span(self) -> tuple[int, int]:
        """The start and end of a pair's value."""
        key = KEY.match(self.text)
        begin = key.end() + 1 if key else len(self.text)
        end = len(self.text.rstrip().removesuffix(self.comment).rstrip())
        return begin + len(self.text[begin:]) - len(self.text[begin:].lstrip(" \t")), end


def cut(text: str) -> list[Statement]:
    """Return the statements of ``text``. The last line must end with a newline."""
    table: Path = ()
    found = []
    for tokens in _lines(text):
        statement = _statement(tokens, table)
        found.append(statement)
        if statement.is_header:
            table = statement.path
    return found


def comments(text: str) -> list[str]:
    """Return every comment of ``text`` in order."""
    return [token.rstrip() for token in TOKEN.findall(text) if token.startswith("#")]


def end_of(text: str) -> str:
    """Return the line ending for new lines: CRLF if all lines have it."""
    return "\r\n" if "\r\n" in text and "\n" not in text.replace("\r\n", "") else "\n"


def _lines(text: str) -> Iterator[list[str]]:
    """Yield the tokens of each statement: one line, or as many as its brackets and multi-line strings span."""
    tokens: list[str] = []
    depth = 0
    for each in TOKEN.findall(text):
        tokens.append(each)
        depth += DEPTH.get(each, 0)
        if each == "\n" and depth == 0:
            yield tokens
            tokens = []


def _statement(tokens: Iterable[str], table: Path) -> Statement:
    text = "".join(tokens)
    begin = text.lstrip(" \t\r\n")[:1]
    if begin in ("", "#"):
        return Statement(text, "comment" if begin else "empty", table, comment=text.strip())
    # Only the last token before the line end can be a comment of the whole statement.
    last = [*tokens][-2].strip()
    comment = last if last.startswith("#") else ""
    key = KEY.match(text)
    path = key_path(key[2]) if key else ()
    if key and key[1]:
        return Statement(text, "array" if key[1] == "[[" else "header", path, path, comment)
    return Statement(text, "pair", table, (*table, *path), comment)


def key_path(key: str) -> Path:
    """Return the parts of a key as it is written, including quotes."""
    table: Any = tomllib.loads(f"{key}=0")
    path = []
    while isinstance(table, dict):
        ((name, table),) = table.items()
        path.append(name)
    return tuple(path)
