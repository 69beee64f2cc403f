"""Parse Mozilla's certdata.txt, from which every distribution generates its list of roots.

The file is a list of PKCS#11 objects (NSS, lib/ckfw/builtins/certdata.txt and its README). Each line contains one
attribute. Binary attributes are lines of octal escapes until END. An object begins at CKA_CLASS. A CKO_CERTIFICATE
object contains a certificate. A CKO_NSS_TRUST object says what the certificate with that issuer, serial number and
SHA-1 is trusted for. A certificate may be listed as distrusted. A certificate without a trust object is trusted for
nothing.

CKA_NSS_SERVER_DISTRUST_AFTER, and the same for email, concern the certificates that the root issued. Certificates whose
validity begins after that date are not trusted, and earlier ones still are (NSS 3.53 release notes,
CA/Additional_Trust_Changes in Mozilla's wiki). Dropping the root on that date is wrong; curl and other tools did so and
reverted it (curl #15547, make-ca #32). No file of anchors can express the rule. So the root is kept, with a warning,
until no certificate from before the date can be valid any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha1
from typing import TYPE_CHECKING

from rootfs_trust import x509
from rootfs_trust.errors import DISTRUST_AFTER, MalformedError, Problem
from rootfs_trust.inputs.root_data import LONGEST_VALIDITY
from rootfs_trust.x509.der import GENERALIZED_TIME, UTC_TIME
from rootfs_trust.x509.times import parse_time

if TYPE_CHECKING:
    from datetime import datetime

SERVER_AUTH, EMAIL, CODE_SIGNING = "server-auth", "email", "code-signing"

_PURPOSES = {
    "CKA_TRUST_SERVER_AUTH": SERVER_AUTH,
    "CKA_TRUST_EMAIL_PROTECTION": EMAIL,
    "CKA_TRUST_CODE_SIGNING": CODE_SIGNING,
}
# True: trusted as a CA; False: distrusted. The older names are those of NSS before 3.13.
_LEVELS = {
    "CKT_NSS_TRUSTED_DELEGATOR": True,
    "CKT_NETSCAPE_TRUSTED_DELEGATOR": True,
    "CKT_NSS_NOT_TRUSTED": False,
    "CKT_NETSCAPE_UNTRUSTED": False,
    "CKT_NSS_MUST_VERIFY_TRUST": None,
    "CKT_NSS_TRUST_UNKNOWN": None,
    "CKT_NSS_VALID_DELEGATOR": None,
    "CKT_NSS_TRUSTED": None,  # trusted only by itself, not as a CA
    "CKT_NETSCAPE_MUST_VERIFY": None,
    "CKT_NETSCAPE_TRUST_UNKNOWN": None,
    "CKT_NETSCAPE_VALID_DELEGATOR": None,
    "CKT_NETSCAPE_TRUSTED": None,
}
_CERTIFICATE, _TRUST = "CKO_CERTIFICATE", ("CKO_NSS_TRUST", "CKO_NETSCAPE_TRUST")
_SERVER_UNTIL, _EMAIL_UNTIL = "CKA_NSS_SERVER_DISTRUST_AFTER", "CKA_NSS_EMAIL_DISTRUST_AFTER"
_START = re.compile(rb"^BEGINDATA[ \t]*\r?$", re.MULTILINE)
_CLASS = re.compile(rb"^CKA_CLASS[ \t]+CK_OBJECT_CLASS[ \t]", re.MULTILINE)
_OCTETS = re.compile(rb"(?:\\[0-3][0-7]{2})+")
_ESCAPE = re.compile(rb'\\(?:x([0-9A-Fa-f]{2})|(["\\]))')


@dataclass(frozen=True, slots=True)
class Listed:
    """A certificate of the list, and what it is trusted for. ``line`` is the first line of its object."""

    certificate: x509.Certificate
    label: str
    line: int
    trusted: frozenset[str]
    """The purposes for which it is trusted as a CA."""
    distrusted: frozenset[str]
    """The purposes for which it is distrusted."""
    server_distrust_after: datetime | None
    """Server certificates that become valid after this time are not trusted."""
    email_distrust_after: datetime | None

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.der


def looks_like_certdata(data: bytes) -> bool:
    """Return whether ``data`` is a certdata.txt: it has a line BEGINDATA, and objects after it."""
    start = _START.search(data)
    return start is not None and _CLASS.search(data, start.end()) is not None


def certificates_of_certdata(data: bytes) -> list[Listed]:
    """Return every certificate of the list, in order. Raises MalformedError with the line."""
    objects = list(_objects(data))
    statements: dict[tuple[bytes, bytes], list[_Object]] = {}
    for each in objects:
        if each.kind in _TRUST:
            statements.setdefault(each.key(), []).append(each)
    certificates = [each for each in objects if each.kind == _CERTIFICATE]
    return [_listed(each, statements.get(each.key(), [])) for each in certificates]


def anchors(path: str, listed: Iterable[Listed], at: datetime) -> tuple[list[Listed], list[Problem]]:
    """Return the certificates that a trust store for TLS should contain at the time ``at``, and warnings."""
    kept = [each for each in listed if SERVER_AUTH in each.trusted - each.distrusted]
    return [each for each in kept if not _retired(each, at)], [
        _distrust_after_warning(path, each, at) for each in kept if each.server_distrust_after is not None
    ]


def _retired(listed: Listed, at: datetime) -> bool:
    """Return whether every certificate that the root issued before its distrust date has expired."""
    until = listed.server_distrust_after
    return until is not None and (at - until).days > LONGEST_VALIDITY


def _distrust_after_warning(path: str, listed: Listed, at: datetime) -> Problem:
    what = f"{listed.label}: Mozilla distrusts what it issued after {listed.server_distrust_after:%Y-%m-%d}"
    where = f"{path}:{listed.line}"
    if _retired(listed, at):
        return DISTRUST_AFTER(where, f"{what}, and all others have expired; it is not installed")
    message = f"{what}, but no trust store can express that, so the device trusts them, too"
    return DISTRUST_AFTER(where, message, "distrust the root if none of your servers needs it")


# -- one certificate ---------------------------------------------------------------------------------------


def _listed(found: _Object, statements: list[_Object]) -> Listed:
    der = found.octets("CKA_VALUE")
    try:
        certificate = x509.parse_certificate(der)
    except MalformedError as error:
        raise _at(found.line, f"is not a valid X.509 certificate: {error.message}") from None
    digest = sha1(der, usedforsecurity=False).digest()
    about = [each for each in statements if each.octets("CKA_CERT_SHA1_HASH", digest) == digest]
    return Listed(
        certificate,
        found.label(),
        found.line,
        _purposes(about, level=True),
        _purposes(about, level=False),
        _earliest(each.date(_SERVER_UNTIL) for each in (found, *about)),
        _earliest(each.date(_EMAIL_UNTIL) for each in (found, *about)),
    )


def _purposes(statements: list[_Object], *, level: bool) -> frozenset[str]:
    return frozenset(purpose for each in statements for name, purpose in _PURPOSES.items() if each.level(name) is level)


def _earliest(dates: Iterator[datetime | None]) -> datetime | None:
    return min((date for date in dates if date is not None), default=None)


# -- objects -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Object:
    """One object: its class, the line where it begins, and its attributes with their lines."""

    kind: str
    line: int
    attributes: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    """Line, type and value by name. The value of an octal attribute is decoded."""

    def octets(self, name: str, default: bytes | None = None) -> bytes:
        """Return a binary attribute. Raises MalformedError if it is missing and there is no default."""
        line, kind, value = self.attributes.get(name, (self.line, "", b""))
        if kind == "MULTILINE_OCTAL":
            return value
        if kind or default is None:
            raise _at(line, f"{name} is {'not MULTILINE_OCTAL' if kind else 'missing'}")
        return default

    def key(self) -> tuple[bytes, bytes]:
        """Return the key by which certificates and trust objects are matched."""
        return self.octets("CKA_ISSUER"), self.octets("CKA_SERIAL_NUMBER")

    def label(self) -> str:
        """Return the label, a quoted C string."""
        line, _, value = self.attributes.get("CKA_LABEL", (self.line, "", b'""'))
        if len(value) < 2 or not (value.startswith(b'"') and value.endswith(b'"')):
            raise _at(line, "CKA_LABEL is not a quoted string")
        return _ESCAPE.sub(_unescaped, value[1:-1]).decode("utf-8", "replace")

    def level(self, name: str) -> bool | None:
        """Return True if the object says trusted, False if it says distrusted, None if it says neither."""
        line, _, value = self.attributes.get(name, (self.line, "", b"CKT_NSS_TRUST_UNKNOWN"))
        text = value.decode("ascii", "replace")
        if text not in _LEVELS:
            raise _at(line, f"{name} has an unknown value: {text}")
        return _LEVELS[text]

    def date(self, name: str) -> datetime | None:
        """Return a date, written as an ASN.1 time, or None if the attribute is false or missing."""
        line, kind, value = self.attributes.get(name, (self.line, "CK_BBOOL", b"CK_FALSE"))
        if (kind, value) == ("CK_BBOOL", b"CK_FALSE"):
            return None
        date = parse_time((UTC_TIME if len(value) < 15 else GENERALIZED_TIME, value))  # 15: with a year of four digits
        if kind != "MULTILINE_OCTAL" or date is None:
            raise _at(line, f"{name} is neither a date nor CK_FALSE")
        return date


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escape[1].decode()) if escape[1] else escape[2]


def _objects(data: bytes) -> Iterator[_Object]:
    """Yield the objects in order. Everything before BEGINDATA is a comment."""
    current = None
    for line, name, kind, value in _attributes(data):
        if name == "CKA_CLASS":
            if current is not None:
                yield current
            current = _Object(value.decode("ascii", "replace"), line)
        elif current is None:
            raise _at(line, f"{name} is before the first CKA_CLASS")
        elif name in current.attributes:
            raise _at(line, f"{name} is twice in one object")
        else:
            current.attributes[name] = (line, kind, value)
    if current is not None:
        yield current


def _attributes(data: bytes) -> Iterator[tuple[int, str, str, bytes]]:
    """Yield line, name, type and value of every attribute."""
    lines = _lines(data)
    for line, text in lines:
        words = text.split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"CKA_"):
            raise _at(line, "is neither an attribute nor a comment")
        name, kind = (word.decode("ascii", "replace") for word in words[:2])
        if kind == "MULTILINE_OCTAL":
            yield line, name, kind, _octal(lines, line, name)
        else:
            yield line, name, kind, words[2] if len(words) > 2 else b""


def _octal(lines: Iterator[tuple[int, bytes]], begin: int, name: str) -> bytes:
    octets = bytearray()
    for line, text in lines:
        if text == b"END":
            return bytes(octets)
        if not _OCTETS.fullmatch(text):
            raise _at(line, f"is not a line of octal escapes, and {name} has no END before it")
        octets += bytes(int(each, 8) for each in text[1:].split(b"\\"))
    raise _at(begin, f"{name} has no END")


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines after BEGINDATA, without comments and empty lines."""
    start = _START.search(data)
    if start is None:
        raise MalformedError("is not a certdata.txt: the line BEGINDATA is missing")
    first = data.count(b"\n", 0, start.end()) + 1
    for line, text in enumerate(data[start.end() :].split(b"\n"), first):
        stripped = text.strip()
        if stripped and not stripped.startswith(b"#"):
            yield line, stripped


def _at(line: int, message: str) -> MalformedError:
    return MalformedError(f"line {line}: {message}")
