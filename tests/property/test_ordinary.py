"""The short way through a certificate gives what the exact reader gives, or leaves the certificate to it.

Chance has a fixed beginning here: each run tries the same.
"""

from __future__ import annotations

import random
from itertools import product

import pytest

from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.certificate import take_certificate, take_exactly
from rootfs_trust.x509.der import Reader
from rootfs_trust.x509.ordinary import ordinary_certificate
from tests.unit.x509.building import (
    BASIC_CONSTRAINTS,
    CA_TRUE,
    KEY_USAGE,
    SIGNATURE,
    attribute,
    certificate,
    element,
    extension,
    long_length,
    name,
    utf8,
)


def facts(found: Certificate, end: int) -> tuple[object, ...]:
    names = [(name.raw, name.canonical) for name in (found.issuer, found.subject)]
    return end, found.der, found.sha256, names


def agree(data: bytes) -> bool:
    """Whether the short way goes through; fails unless the exact reader then says the same."""
    if ordinary_certificate(data, 0, len(data)) is None:
        return False
    short, exact = Reader(data), Reader(data)
    found, wanted = take_certificate(short), take_exactly(exact)
    assert facts(found, short.pos) == facts(wanted, exact.pos)
    return True


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One or two octets other ones, or a piece cut out or put in."""
    for _ in range(chance.randint(1, 2)):
        begin = chance.randrange(len(data) or 1)
        kind = chance.randrange(4)
        piece = b"" if kind == 0 else chance.choice((data[begin : begin + 2], chance.randbytes(1), b"\0", b"\x80"))
        data = data[:begin] + piece + data[begin + (kind != 1) :]
    return data


KEY = element(0x30, element(0x30, element(6, bytes.fromhex("2a864886f70d010101")), b"\5\0"), element(3, b"\0" * 200))
COUNTRY = attribute(element(0x13, b"DE"), bytes.fromhex("0603550406"))
SUBJECT = element(0x30, element(0x31, COUNTRY), element(0x31, attribute(utf8(" A  b"))))
ISSUER = name(element(0x16, b"x@Y"), utf8("Ünï"), element(0x1E, b"\0x\0Y"))
CRITICAL = extension(BASIC_CONSTRAINTS, CA_TRUE, critical=True)
LONG = extension("2b06010505070101", b"\x30\x82" * 90)
ORDINARY = (
    certificate(SUBJECT, extensions=(CRITICAL, extension("551d0e", b"\x04\x01A"))),
    certificate(SUBJECT, ISSUER, key=KEY, extensions=(LONG, extension(KEY_USAGE, b"\3\2\1\6"))),
    certificate(ISSUER, name(), version=b"", signature=element(3, b"\0" * 150)),
)


@pytest.mark.parametrize("data", ORDINARY)
def test_each_octet_another_one(data: bytes) -> None:
    assert agree(data) and agree(data + b"\0")
    through = 0
    for place, octet in enumerate(data):
        values = {octet ^ bit for bit in (1, 2, 4, 8, 16, 32, 64, 128)} | {octet - 1, octet + 1, 0, 0x80, 0x81, 0xFF}
        for value in values & set(range(256)):
            through += agree(data[:place] + bytes((value,)) + data[place + 1 :])
    assert through > len(data)
    assert not any(agree(data[:end]) for end in range(len(data)))


@pytest.mark.parametrize("data", ORDINARY)
def test_octets_cut_out_and_put_in(data: bytes) -> None:
    chance = random.Random(0)
    assert sum(agree(mutated(data, chance)) for _ in range(5000)) > 100


def odd_lengths(whole: bytes) -> list[bytes]:
    """An element of short length, well made and in forms of BER."""
    contents = whole[2:]
    zeros = [whole[:1] + long_length(len(contents), count) + contents for count in (0, 1, 2)]
    return [whole, *zeros, bytes((whole[0] | 0x20, 0x80)) + contents + b"\0\0", bytes((whole[0] ^ 0x20,)) + whole[1:]]


def too_long(identifier: int) -> bytes:
    """An element that is 132 octets long if its length is taken for a short one; it says 20."""
    return bytes((identifier, 0x82, 0, 0x10)) + b"*" * 128


TIMES = (
    too_long(0x17),
    element(0x17, b"x"),
    element(0x18, b""),
    element(0x18, b"1" * 127),
    element(0x18, b"1" * 128),
    b"\x0c\1x",
    b"",
)
OIDS = b"", b"\x2a", b"\x80\1", b"\x55\x1d\x80", b"\x55\x1d\x8f", b"\x55\x1d\x0f", b"\x55\x04\x83"
VALUES = [
    value
    for tag, text in product((3, 4, 12, 13, 18, 19, 20, 22, 26, 28, 30), (b"", b" ", b"A\t\tb ", b"\0\xe4", b"x" * 116))
    for value in odd_lengths(element(tag, text))
]
RDNS = [
    b"",
    b"\x31\0",
    element(0x31, COUNTRY, attribute(utf8("B"))),
    element(0x31, COUNTRY, b"\0\0"),
    b"\x31\xb0" + attribute(utf8("x" * 79)) * 2,
    b"\x31\x0d" + COUNTRY,
    element(0x31, attribute(utf8("B"), b"\x06\x00")),
    element(0x31, attribute(utf8("B"), b"\x06\x03\x55\x04\x83")),
    element(0x31, attribute(utf8("B"), element(6, b"\x2a" * 9))),
    element(0x31, attribute(utf8("B") * 2)),
    *odd_lengths(element(0x31, COUNTRY)),
    *(element(0x31, each) for each in odd_lengths(COUNTRY)),
    *(element(0x31, attribute(value)) for value in VALUES),
]
ALGORITHMS = [
    *odd_lengths(SIGNATURE),
    b"\x30\0",
    b"\x30\x80" + SIGNATURE[2:] + b"\0\0",
    element(0x30, b"\x06\1\x2a"),
    *(element(0x30, b"\x06\1\x2a", value) for value in (b"\5\0", b"\5\1x", b"\x25\0", b"\x05\x81\0", b"\x1f\x05\0")),
    *(element(0x30, b"\x06\1\x2a", value) for value in (b"\x30\x80\0\0", b"\xa0\x80\0\0", b"\3\2\3\xff", b"\5\0\5\0")),
    element(0x30, b"\x06\1\x2a", element(0x30, b"x" * 130)),
]
BITS = [*odd_lengths(b"\3\2\0\1"), b"\3\0", b"\3\1\0", b"\3\2\3\xf8", b"\3\2\3\xff", element(3, b"\0" * 128)]
EXTENSIONS = [
    CRITICAL,
    LONG,
    b"\x30\x0a\6\1\x2a\4\5",
    element(0x30, too_long(6), b"\4\1x"),
    *(element(0x30, element(6, oid), b"\4\0") for oid in OIDS),
    *(element(0x30, element(6, b"\x2a" * size), b"\4\0") for size in (127, 128)),
    *(
        element(0x30, b"\x06\1\x2a", said, b"\4\1x")
        for said in (*odd_lengths(b"\1\1\xff"), b"\1\0", b"\1\2xx", b"\2\1x")
    ),
    *(element(0x30, b"\x06\1\x2a", value) for value in (*odd_lengths(b"\4\1x"), b"", b"\4\1x\5\0")),
    *odd_lengths(CRITICAL),
    b"\0\0",
]
PARTS: dict[str, list[bytes]] = {
    "version": [b"", *odd_lengths(b"\xa0\3\2\1\2"), b"\xa0\4\2\2\0\1", b"\xa0\3\1\1\2", b"\xa0\2\2\0"],
    "serial": [*odd_lengths(b"\2\1\1"), *(element(2, it) for it in (b"", b"\0\1", b"\xff\x80", b"\0\x80", b"a" * 130))],
    "algorithm": ALGORITHMS,
    "validity": [element(0x30, *each) for each in product(TIMES, TIMES)] + odd_lengths(element(0x30, TIMES[1] * 2)),
    "key": [element(0x30, *each) for each in product(ALGORITHMS, BITS)]
    + odd_lengths(element(0x30, SIGNATURE, BITS[0])),
    "tail": [
        b"",
        b"\x81\1\0",
        b"\xa1\3\3\1\0",
        b"\0\0",
        b"\xa3\0",
        b"\x83\2\x30\0",
        b"\xa3\3\x30\0\0",
        b"\xa3\2\x30\0",
    ],
    "outer": ALGORITHMS,
    "signature": BITS,
}
USUAL = {part: values[0] for part, values in PARTS.items()} | {
    "version": PARTS["version"][1],
    "validity": element(0x30, TIMES[1] * 2),
}


def put_together(parts: dict[str, bytes], names: list[bytes], extensions: list[bytes]) -> bytes:
    listed = element(0xA3, element(0x30, *extensions)) if extensions else b""
    head = parts["version"], parts["serial"], parts["algorithm"], names[0], parts["validity"], names[1], parts["key"]
    signed = element(0x30, *head, listed, parts["tail"])
    return element(0x30, signed, parts["outer"], parts["signature"])


def test_each_part_in_every_form() -> None:
    """Lengths around the odd part fit: what is odd is the part alone."""
    tried = [
        put_together(USUAL | {part: value}, [SUBJECT, SUBJECT], [CRITICAL])
        for part, values in PARTS.items()
        for value in values
    ]
    for names in ([element(0x30, element(0x31, COUNTRY), rdn), SUBJECT] for rdn in RDNS):
        tried += [put_together(USUAL, names, []), put_together(USUAL, names[::-1], []), certificate(names[0])]
    for extensions in ([[one] for one in EXTENSIONS], [[CRITICAL, one] for one in EXTENSIONS]):
        tried += [put_together(USUAL, [SUBJECT, SUBJECT], each) for each in extensions]
    for behind in (b"", b"\0", b"\x30" * 9):
        assert 50 < sum(agree(each + behind) for each in tried) < len(tried) - 50


def test_several_odd_parts_at_once() -> None:
    chance = random.Random(1)
    through = 0
    for _ in range(30_000):
        changed = chance.sample(sorted(PARTS), chance.randint(0, 2))
        parts = USUAL | {part: chance.choice(PARTS[part]) for part in changed}
        rdns = [[chance.choice(RDNS) for _ in range(chance.randint(0, 1))] for _ in range(2)]
        names = [element(0x30, element(0x31, COUNTRY), *each) for each in rdns]
        extensions = [chance.choice(EXTENSIONS) for _ in range(chance.randint(0, 2))]
        through += agree(put_together(parts, names, extensions))
    assert through > 2000
