"""Java's own keystore format, JKS, as far as trust stores need it: certificates with an alias and a date.

The format as OpenJDK writes and reads it (src/java.base/share/classes/sun/security/provider/JavaKeyStore.java)::

magic 0xFEEDFEED   version 2   number of entries
    for each entry:    tag 2   alias   milliseconds since 1970   "X.509"   length   DER
    SHA-1 of the password in UTF-16BE, "Mighty Aphrodite", and all preceding bytes

Numbers are big endian. Strings are in the "modified UTF-8" of java.io.DataOutput after a length of two bytes. The
digest detects damage, not attacks: Debian's and Fedora's password is ``changeit``, and is public.

Entries are written in the order in which they are given. Readers look them up by alias, so the order does not matter to
them, but the same bytes must come out every time. p11-kit writes in the order of its extraction, the JDK in the order
of its hash table, which :mod:`rootfs_trust.store.java_keystore` computes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha1
from struct import Struct
from typing import NamedTuple

from rootfs_trust.errors import MalformedError, PasswordError
from rootfs_trust.x509 import looks_like_pkcs12

PASSWORD = "changeit"  # noqa: S105  # a public default
"""The password of every distribution's trust store."""

_JKS, _JCEKS = b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"
_VERSION_1, _VERSION_2 = 1, 2
_PRIVATE_KEY, _TRUSTED_CERTIFICATE = 1, 2
_TYPE = "X.509"
_WHITENER = b"Mighty Aphrodite"
_DIGEST_SIZE = 20
_SHORT, _INT, _LONG = Struct(">H"), Struct(">I"), Struct(">q")


class KeystoreEntry(NamedTuple):
    """A trusted certificate. The JDK finds only lower-case aliases; the caller converts them."""

    alias: str
    created_ms: int
    """Milliseconds since 1970, the date that keytool shows."""
    der: bytes


def keystore(entries: Iterable[tuple[str, bytes]], created: int, password: str = PASSWORD) -> bytes:
    """Create a keystore from pairs of alias and DER. ``created`` is the date of all entries, in seconds since 1970."""
    return write_keystore((KeystoreEntry(alias, created * 1000, der) for alias, der in entries), password)


def write_keystore(entries: Iterable[KeystoreEntry], password: str = PASSWORD) -> bytes:
    """Return a keystore of ``entries`` in their order."""
    written = [_entry(entry) for entry in entries]
    body = _JKS + _INT.pack(_VERSION_2) + _INT.pack(len(written)) + b"".join(written)
    return body + _digest(body, password)


def with_dates(
    pairs: Iterable[tuple[str, bytes]], old: Sequence[KeystoreEntry], created: int | None
) -> list[KeystoreEntry]:
    """Create entries from pairs of alias and DER. An entry that is also in ``old`` keeps its date. Other entries get
    ``created``, in seconds since 1970. If ``created`` is None, they get the latest date in ``old``, or 0. With the time
    of the run, each run would write other bytes.
    """
    dates = {(each.alias, each.der): each.created_ms for each in old}
    new = max((each.created_ms for each in old), default=0) if created is None else created * 1000
    return [KeystoreEntry(alias, dates.get((alias, der), new), der) for alias, der in pairs]


def looks_like_keystore(data: bytes) -> bool:
    """Return whether ``data`` begins like a keystore of type JKS or JCEKS."""
    return data.startswith((_JKS, _JCEKS))


def read_keystore(data: bytes, password: str | None = PASSWORD) -> list[KeystoreEntry]:
    """Return the certificates of a keystore, in its order.

    Raises MalformedError if ``data`` is not a keystore or has another password. If ``password`` is None, the digest is
    not checked, as with `keytool -list` without a password.
    """
    _refuse_other_formats(data)
    body, digest = data[:-_DIGEST_SIZE], data[-_DIGEST_SIZE:]
    reader = _Reader(body, len(_JKS))
    version, count = reader.number(_INT), reader.number(_INT)
    if version not in (_VERSION_1, _VERSION_2):
        raise MalformedError(f"is a JKS keystore of version {version}, and only 1 and 2 are supported")
    if password is not None and _digest(body, password) != digest:
        raise PasswordError("its digest does not match: it has another password, or is damaged")
    entries = [_take_entry(reader, version) for _ in range(count)]
    if reader.pos != len(body):
        raise MalformedError("bytes follow the last entry of the keystore")
    return entries


def _refuse_other_formats(data: bytes) -> None:
    if data.startswith(_JCEKS):
        raise MalformedError("is a keystore of type JCEKS, not JKS")
    if looks_like_pkcs12(data):
        raise MalformedError("is a keystore of type PKCS#12, not JKS")
    if not data.startswith(_JKS):
        raise MalformedError("is not a Java keystore")


def _digest(body: bytes, password: str) -> bytes:
    return sha1(password.encode("utf-16-be") + _WHITENER + body, usedforsecurity=False).digest()


# -- writing -----------------------------------------------------------------------------------------------


def _entry(entry: KeystoreEntry) -> bytes:
    return b"".join(
        (
            _INT.pack(_TRUSTED_CERTIFICATE),
            _text(entry.alias),
            _LONG.pack(entry.created_ms),
            _text(_TYPE),
            _INT.pack(len(entry.der)) + entry.der,
        )
    )


def _text(text: str) -> bytes:
    """Encode modified UTF-8: each UTF-16 unit separately, and no zero byte."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = (_SHORT.unpack_from(units, at)[0] for at in range(0, len(units), 2))
    encoded = b"".join(chr(code).encode("utf-8", "surrogatepass") if code else b"\xc0\x80" for code in codes)
    if len(encoded) > 0xFFFF:
        raise MalformedError("an alias is too long for a keystore")
    return _SHORT.pack(len(encoded)) + encoded


# -- reading -----------------------------------------------------------------------------------------------


class _Reader:
    """A position in the body of a keystore. Its methods return the next value, or raise MalformedError."""

    __slots__ = ("data", "pos")

    def __init__(self, data: bytes, pos: int) -> None:
        self.data = data
        self.pos = pos

    def take(self, count: int) -> bytes:
        begin, self.pos = self.pos, self.pos + count
        if self.pos > len(self.data):
            raise MalformedError("the keystore is truncated")
        return self.data[begin : self.pos]

    def number(self, form: Struct) -> int:
        return int(form.unpack(self.take(form.size))[0])

    def text(self) -> str:
        encoded = self.take(self.number(_SHORT)).replace(b"\xc0\x80", b"\0")
        try:
            units = encoded.decode("utf-8", "surrogatepass").encode("utf-16-be", "surrogatepass")
        except UnicodeDecodeError:
            raise MalformedError("a string of the keystore is not modified UTF-8") from None
        return units.decode("utf-16-be", "surrogatepass")


def _take_entry(reader: _Reader, version: int) -> KeystoreEntry:
    tag = reader.number(_INT)
    alias = reader.text()
    if tag == _PRIVATE_KEY:
        raise MalformedError(f"entry {alias} is a private key")
    if tag != _TRUSTED_CERTIFICATE:
        raise MalformedError(f"entry {alias} has the tag {tag}, which JKS does not define")
    created = reader.number(_LONG)
    kind = reader.text() if version == _VERSION_2 else _TYPE
    if kind != _TYPE:
        raise MalformedError(f"entry {alias} is a certificate of type {kind}")
    return KeystoreEntry(alias, created, reader.take(reader.number(_INT)))
