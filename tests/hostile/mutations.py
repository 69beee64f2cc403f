"""Changes one thing of something valid: a value of a JSON document, an element of DER, bytes of a file."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

BIDI = "\u202e\u2066rtl\u2069"
ESC = "\x1b[31mESC\x1b]0;title\x07\x9b1m"
ODD_TEXTS = (
    *("", "a", "/", "..", ".", "../../../../etc/passwd", "/etc/passwd", "a\nb", "\0", ESC, BIDI, "\u2028", "\x7f"),
    *("x" * 5000, "\ud800", "sha256:", "sha256:" + "0" * 64, "sha512:" + "0" * 128, "sha256:../../etc/passwd"),
    *("<script>alert(1)</script>", "{{7*7}}", "%n%s", "-", "--root", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"),
    *("2023-11-14T22:13:20+23:59", "1e999", "\u0660\u0661", "\uff11"),
)
ODD_NUMBERS = (
    -1,
    0,
    1,
    2**31,
    2**53 + 1,
    2**63,
    2**64,
    -(2**63),
    10**400,
    1.5,
    -0.0,
    1e308,
    float("inf"),
    float("nan"),
)
ODD = (None, True, False, *ODD_NUMBERS, *ODD_TEXTS, [], {}, [[]], [{}], [None], {"": None}, {"a": []})


def changed(random: Random, document: Any, most: int = 2) -> Any:
    """A copy of a JSON-like document with up to ``most`` values replaced, removed, repeated or renamed."""
    document = copy.deepcopy(document)
    for _ in range(random.randint(1, most)):
        places = list(_places(document))
        if not places:
            break
        _change(random, *random.choice(places))
    return document


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in list(document.items() if isinstance(document, dict) else enumerate(document)):
        yield document, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _change(random: Random, container: Any, key: Any) -> None:
    way = random.random()
    if way < 0.15:
        del container[key]
    elif way < 0.8:
        container[key] = copy.deepcopy(random.choice(ODD))
    elif way < 0.9:
        container[key] = [copy.deepcopy(container[key])] * random.choice((0, 2, 3, 50))
    elif isinstance(container, dict):
        container[random.choice(ODD_TEXTS)] = container.pop(key)
    else:
        container[key] = {"a": container[key]}


# -- DER ---------------------------------------------------------------------------------------------------

_ODD_ELEMENTS = (
    *(b"", b"\x05\x00", b"\x30\x80\x00\x00", b"\x30\x00", b"\x02\x00", b"\x02\x01\xff", b"\x02\x21" + b"\xff" * 33),
    *(b"\x0c\x03\x1b[m", b"\x0c\x02\xff\xfe", b"\x1e\x03\x00A\x00", b"\x1e\x02\xd8\x00", b"\x1c\x04\xff\xff\xff\xff"),
    *(
        b"\x06\x00",
        b"\x06\x01\x80",
        b"\x06\x0b" + b"\xff" * 10 + b"\x7f",
        b"\x01\x01\x05",
        b"\x03\x01\x08",
        b"\x03\x00",
    ),
    *(b"\x17\x0d000000000000Z", b"\x17\x0d991231235959Z", b"\x18\x0f00000101000000Z", b"\x18\x0f99991231235959Z"),
    *(b"\x18\x0f99991231240000Z", b"\x18\x1320200101000000.5Z", b"\x17\x11500101000000+1200", b"\x1f\x81\x00\x00"),
    *(
        b"\x30\x84\xff\xff\xff\xff",
        b"\x04\x82\x00\x01a",
        b"\xbf\xff\xff\xff\x7f\x00",
        b"\x0c\x0b\xe2\x80\xae\x0a\x00bidi",
    ),
)


def changed_der(random: Random, der: bytes) -> bytes:
    """``der`` with one element replaced, removed, doubled, or of another tag; lengths around it fit again."""
    count = _count(der)
    return _rebuilt(random, der, random.randrange(count), [0])


def _split(der: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(identifier, contents) of each element in a row; what is none ends it."""
    pos = 0
    while pos < len(der):
        tag, first = der[pos], der[pos + 1] if pos + 1 < len(der) else 0x80
        size, head = (
            (first, 2) if first < 0x80 else (int.from_bytes(der[pos + 2 : pos + 2 + first - 0x80]), first - 126)
        )
        yield bytes((tag,)), der[pos + head : pos + head + size]
        pos += head + size


def _count(der: bytes) -> int:
    return sum(1 + (_count(contents) if tag[0] & 0x20 else 0) for tag, contents in _split(der))


def _rebuilt(random: Random, der: bytes, number: int, seen: list[int]) -> bytes:
    pieces = []
    for tag, contents in _split(der):
        mine = seen[0] == number
        seen[0] += 1
        if mine:
            pieces.append(_odd(random, tag, contents))
            seen[0] += 10**6  # nothing else changes
        elif tag[0] & 0x20:
            pieces.append(element(tag, _rebuilt(random, contents, number, seen)))
        else:
            pieces.append(element(tag, contents))
    return b"".join(pieces)


def _odd(random: Random, tag: bytes, contents: bytes) -> bytes:  # noqa: PLR0911 - one line a way
    way = random.randrange(8)
    if way == 0:
        return element(tag, contents) * 2
    if way == 1:
        return element(bytes((random.randrange(256),)), contents)
    if way == 2:
        return element(tag, b"")
    if way == 3:
        return element(tag, damaged(random, contents))
    if way == 4:
        return element(tag, element(tag, contents))
    if way == 5:
        return element(tag, contents * random.choice((50, 3000)))
    return random.choice(_ODD_ELEMENTS)


def element(tag: bytes, contents: bytes) -> bytes:
    size = len(contents)
    if size < 0x80:
        return tag + bytes((size,)) + contents
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return tag + bytes((0x80 | len(octets),)) + octets + contents


# -- bytes -------------------------------------------------------------------------------------------------


def damaged(random: Random, data: bytes, most: int = 4) -> bytes:
    """``data`` cut off, with bits flipped, or pieces removed, repeated or put in."""
    found = bytearray(data)
    for _ in range(random.randint(1, most)):
        at = random.randrange(len(found) + 1)
        way = random.randrange(6)
        if way == 0:
            del found[at:]
        elif way == 1 and at < len(found):
            found[at] ^= 1 << random.randrange(8)
        elif way == 2:
            del found[at : at + random.randint(1, 40)]
        elif way == 3:
            found[at:at] = random.randbytes(random.randint(1, 20))
        elif way == 4:
            found[at:at] = found[at : at + random.randint(1, 200)]
        else:
            found[at : at + 4] = random.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0"))
    return bytes(found)
