"""Read build information from compiled programs: that of Go, and that of cargo-auditable. Does no I/O.

Sources: debug/buildinfo of Go (the inline form, since 1.18); PARSING.md of cargo-auditable (section .dep-v0, JSON
compressed by zlib); elf(5).
"""

from __future__ import annotations

import json
import re
import struct
import zlib

_GO_MAGIC = b"\xff Go buildinf:"
_GO_HEADER = 32
_INLINE = 2
_LARGEST_RECORD = 8 << 20
_AUDITABLE = b".dep-v0"
_DIGITS = re.compile(r"\d{1,9}")


def go_version(program: bytes) -> str:
    """Return the version of Go that built ``program``, such as ``1.26.8``, or an empty string."""
    start = program.find(_GO_MAGIC)
    if start < 0 or len(program) <= start + _GO_HEADER or not program[start + 15] & _INLINE:
        return ""
    size = program[start + _GO_HEADER]  # a varint, which has one byte in every existing version
    text = program[start + _GO_HEADER + 1 : start + _GO_HEADER + 1 + size]
    return text.removeprefix(b"go").decode("ascii", "replace") if size < 0x80 and text.startswith(b"go") else ""


def cargo_packages(program: bytes) -> dict[str, str]:
    """Return the crates in ``program`` with their lowest version, or an empty dictionary."""
    try:
        unpacker = zlib.decompressobj()
        record = json.loads(unpacker.decompress(_section(program, _AUDITABLE), _LARGEST_RECORD))
        listed = [(str(each["name"]), str(each["version"])) for each in record["packages"]]
    except (zlib.error, ValueError, TypeError, KeyError, RecursionError, struct.error):
        return {}
    return dict(sorted(listed, key=lambda each: [int(digits) for digits in _DIGITS.findall(each[1])], reverse=True))


def _section(program: bytes, name: bytes) -> bytes:
    """Return the content of a section of an ELF file. Raises struct.error if the file is truncated."""
    wide, order = program[4:5] == b"\2", "<" if program[5:6] == b"\1" else ">"
    (table,) = struct.unpack_from(order + ("Q" if wide else "I"), program, 0x28 if wide else 0x20)
    size, count, names = struct.unpack_from(order + "HHH", program, 0x3A if wide else 0x2E)
    sections = []
    for number in range(count):
        place = table + number * size
        (label,) = struct.unpack_from(order + "I", program, place)
        offset, length = struct.unpack_from(order + ("QQ" if wide else "II"), program, place + (0x18 if wide else 0x10))
        sections.append((label, offset, length))
    _, text, _ = sections[names] if names < len(sections) else (0, 0, 0)
    for label, offset, length in sections:
        if program[text + label : text + label + len(name) + 1] == name + b"\0":
            return program[offset : offset + length]
    return b""
