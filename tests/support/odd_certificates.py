"""Certificates that no library makes: dates at the ends of what can be written, and keys that cannot be decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rootfs_trust.x509 import encode
from tests.support.authority import Authority
from tests.unit.x509.building import element, long_length

_VALIDITY = re.compile(rb"\x30.(?:\x17\x0d\d{12}Z|\x18\x0f\d{14}Z){2}", re.DOTALL)

DATES = {
    "far": (b"99850101000000Z", b"99991231235959Z"),
    "year-0": (b"00000101000000Z", b"99991231235959Z"),
    "year-1": (b"00010101000000Z", b"00010101000001Z"),
    "over-the-ends": (b"00010101000000+2359", b"99991231235959-2359"),
    "leap-day": (b"20240229000000Z", b"99991231235959Z"),
    "last-second": (b"99991231235959Z", b"99991231235959Z"),
    "fraction": (b"19700101000000.5Z", b"20500101000000Z"),
    "no-date": (b"99999999999999Z", b"x" * 13),
}


def with_dates(authority: Authority, not_before: bytes, not_after: bytes) -> bytes:
    """PEM of the certificate with these texts of GeneralizedTime; its signature is void."""
    der = authority.der
    found = _VALIDITY.search(der)
    if found is None:
        raise ValueError("the certificate has no validity where one is expected")
    times = b"".join(b"\x18%c%b" % (len(text), text) for text in (not_before, not_after))
    validity = b"\x30%c%b" % (len(times), times)
    more = len(validity) - len(found[0])
    result = bytearray(der[: found.start()] + validity + der[found.end() :])
    for start in (0, 4):  # the lengths of Certificate and TBSCertificate, two bytes each
        length = int.from_bytes(result[start + 2 : start + 4], "big") + more
        result[start + 2 : start + 4] = length.to_bytes(2, "big")
    return encode(bytes(result))


KEYS = ("point", "form", "curve", "key-algorithm", "signature-algorithm")


def with_odd_key(authority: Authority, kind: str) -> bytes:
    """PEM of the certificate (P-256) with one thing of its key made so that no library can use it."""
    point = authority.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    der = bytearray(authority.der)
    start = authority.der.index(point)
    if kind == "point":
        der[start + 10] ^= 0xFF
    elif kind == "form":
        der[start] = 9
    else:
        oid = {
            "curve": bytes.fromhex("06082a8648ce3d030107"),
            "key-algorithm": bytes.fromhex("06072a8648ce3d0201"),
            "signature-algorithm": bytes.fromhex("06082a8648ce3d040302"),
        }[kind]
        der = bytearray(bytes(der).replace(oid, oid[:-1] + b"\x63"))
    return encode(bytes(der))


def with_one_change(der: bytes) -> Iterator[bytes]:
    """The certificate again and again, each time with one element of it, extension values included, made another."""
    ((tag, contents),) = _elements(der)
    return _changed(tag, contents)


def _changed(tag: int, contents: bytes) -> Iterator[bytes]:
    whole = element(tag, contents)
    yield from (b"", whole * 2, element(tag), element(tag ^ 1, contents), element(tag, contents, b"\0"))
    yield bytes((tag,)) + long_length(len(contents), 1) + contents
    if contents:
        yield element(tag, bytes((contents[0] ^ 0xFF,)), contents[1:])
    inner = list(_elements(contents)) if tag & 0x20 or tag == 0x04 else []
    for number, each in enumerate(inner):
        before, after = (b"".join(element(*other) for other in part) for part in (inner[:number], inner[number + 1 :]))
        yield from (element(tag, before, change, after) for change in _changed(*each))


def _elements(contents: bytes) -> Iterator[tuple[int, bytes]]:
    """Identifier and contents of elements in a row; nothing of what is no such row."""
    found, at = [], 0
    while at + 2 <= len(contents):
        size, start = contents[at + 1], at + 2
        if size > 0x80:
            start += size & 0x7F
            size = int.from_bytes(contents[at + 2 : start])
        found.append((contents[at], contents[start : start + size]))
        at = start + size
    return iter(found if at == len(contents) else ())
