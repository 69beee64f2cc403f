"""Escape untrusted text for printing: names in a tree, subjects of certificates, messages of libraries.

Such text can contain sequences that move a terminal's cursor, hide preceding text, or show words in another order
(Unicode's bidirectional controls). All output goes through :func:`printable` or a function based on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_INVISIBLE = frozenset(
    chr(point)
    for points in (
        *((0x034F,), (0x115F, 0x1160), (0x17B4, 0x17B5), range(0x180B, 0x1810), (0x2800,), (0x3164,), (0xFFA0,)),
        *(range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)),
    )
    for point in points
)
"""Fillers, blanks and variation selectors: letters, symbols and marks for Unicode, but invisible."""


def did_you_mean(wrong: str, known: Iterable[str], most: int = 1) -> str:
    """Return a hint for an unknown name, such as ``did you mean "a" or "b"?``, or an empty string."""
    from difflib import get_close_matches  # slow to import, and needed only for errors

    near = " or ".join(f'"{each}"' for each in get_close_matches(wrong, list(known), most))
    return f"did you mean {near}?" if near else ""


def printable(text: str) -> str:
    """Return ``text`` on one line. Everything but visible characters and spaces is escaped (``\\x1b``, ``\\u202e``).

    This includes control and format characters (also bidirectional ones), line separators, invisible characters, and
    the lone surrogates of bytes that are not UTF-8. A backslash is not escaped, so the result cannot be parsed.
    """
    return text if text.isascii() and text.isprintable() else "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    return char if _is_visible(char) else ascii(char)[1:-1]


def _is_visible(char: str) -> bool:
    return char.isprintable() and char not in _INVISIBLE


def as_json(document: object, *, indent: int | None = None) -> str:
    """Return ``document`` as JSON in ASCII, with every control character escaped, including DEL."""
    import json

    return json.dumps(document, indent=indent).replace("\x7f", "\\u007f")


_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters of a spreadsheet formula: four characters, and their fullwidth forms."""


def as_cell(text: str) -> str:
    """Return ``text`` as a CSV cell: escaped, with a leading apostrophe if a spreadsheet would run it as a formula."""
    return f"'{printable(text)}" if text.startswith(_FORMULA) else printable(text)


def as_toml(text: str) -> str:
    """Return ``text`` as a basic string of TOML, with everything escaped that is not printable."""
    import json

    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if _is_visible(char) else f"\\U{ord(char):08x}" for char in quoted)


_ESCAPED = {ord(char): f"\\{char}" for char in "\\`*_{}[]()#+!|~"}
_MARKDOWN = _ESCAPED | {ord("<"): "&lt;", ord(">"): "&gt;", ord("&"): "&amp;"}

_LINK = re.compile(r"(?i)(?<=www)\.|:(?=//)")
"""Text that GitHub's Markdown turns into a link without any markup."""


def as_markdown(text: str) -> str:
    """Return ``text`` escaped for Markdown: on one line, without markup and links."""
    return _LINK.sub(r"\\\g<0>", printable(text).translate(_MARKDOWN))
