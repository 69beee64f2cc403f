"""ca-certificates.conf: the list of shipped certificates; a ``!`` before a line distrusts the certificate.

It is parsed the way ``update-ca-certificates`` parses it (sed and the shell's ``read``). New files are written as the
package's postinst writes them. Source: ca-certificates 20230311+deb12u1, the tool's loops and debian/postinst.

If debconf's ``ca-certificates/trust_new_crts`` is preset to ``no`` (the default is yes), certificates of a newer
package are not trusted until somebody lists them (tested with 20230311 to 20250419). Source:
debian/ca-certificates.config; file format of debconf: debconf-devel(7), config.dat.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable
from typing import NamedTuple


class Conf(NamedTuple):
    """The parsed list. Names are relative to the directory of shipped certificates, in the order of the file."""

    trusted: tuple[str, ...]
    distrusted: tuple[str, ...]
    unterminated: bool = False
    """Whether the last line has no newline. The device's tool ignores such a line."""


@functools.lru_cache(maxsize=8)  # most roots of a fleet have the same list
def parse_conf(data: bytes) -> Conf:
    """Parse the list."""
    lines = _text(data).split("\n")
    # The shell's read fails on a last line without newline, so its loop skips it.
    last = lines.pop()
    trusted = [_parse_line(line) for line in lines if line and line[0] not in "#!"]
    distrusted = [_parse_line(line[1:]) for line in lines if line.startswith("!")]
    return Conf(tuple(trusted), tuple(dict.fromkeys(distrusted)), bool(last))


def new_conf(header: str, names: Iterable[str]) -> bytes:
    """Return the list that the package writes when it is first configured: every name trusted. ``names`` are sorted."""
    return _bytes(header + "".join(f"{name}\n" for name in names))


def with_distrusted(data: bytes, names: Collection[str]) -> bytes:
    """Return the list with ``!`` before each of ``names``. Names that are not listed are appended in order.

    All other lines are kept. A last line without newline gets one, as it would be lost otherwise.
    """
    lines = _text(data).removesuffix("\n").split("\n") if data else []
    listed = {_parse_line(line.removeprefix("!")) for line in lines}
    lines = [f"!{line}" if line[:1] not in ("", "#", "!") and _parse_line(line) in names else line for line in lines]
    lines += [f"!{name}" for name in names if name not in listed]
    return _bytes("".join(f"{line}\n" for line in lines))


def _parse_line(line: str) -> str:
    """Parse a line as the shell's ``read`` does: outer blanks removed, backslash escapes resolved."""
    return re.sub(r"\\(.)", r"\1", line.strip(" \t"))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


_QUESTION = "ca-certificates/trust_new_crts"
_STANZA = f"""\
Name: {_QUESTION}
Template: {_QUESTION}
Value: no
Owners: ca-certificates
Flags: seen
"""


def without_new_roots(data: bytes) -> bytes:
    """Return debconf's database with the answer ``no`` to the question about new certificates. The other answers stay
    unchanged.
    """
    stanzas = [stanza for stanza in data.decode("utf-8", "surrogateescape").split("\n\n") if stanza.strip()]
    stanzas = [stanza.strip("\n") + "\n" for stanza in stanzas]
    others = [stanza for stanza in stanzas if f"Name: {_QUESTION}\n" not in stanza]
    if len(others) + 1 == len(stanzas) and _STANZA in stanzas:
        return data
    place = next((n for n, stanza in enumerate(stanzas) if f"Name: {_QUESTION}\n" in stanza), len(others))
    return "\n".join([*others[:place], _STANZA, *others[place:]]).encode("utf-8", "surrogateescape") + b"\n"
