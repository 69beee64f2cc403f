"""Reads, changes and writes Java's PKCS #12 trust stores (RFC 7292).

A store keeps its properties: with or without a password, its encryption, MAC, salts and iteration counts. So the same
entries give the same bytes, and removing an added entry restores the previous bytes. Salts and IVs are reused on
purpose: the content is public certificates, and the password of nearly every such store is public.

Java takes a certificate for a trust anchor only if its bag has the attribute ``trustedKeyUsage`` (JDK,
sun.security.pkcs12.PKCS12KeyStore). Foreign bags are kept byte for byte, whatever they contain.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rootfs_trust.errors import MalformedError, PasswordError
from rootfs_trust.store.jks import PASSWORD
from rootfs_trust.store.pkcs12_algorithms import (
    MAX_ITERATIONS,
    Mac,
    checked_iterations,
    decrypt,
    encrypt,
    iterations,
    mac_of,
)
from rootfs_trust.x509.der import (
    BMP_STRING,
    INTEGER,
    NOTHING,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    DerReader,
    reader_for_element,
)
from rootfs_trust.x509.der import encode as der
from rootfs_trust.x509.oids import ANY_PURPOSE, oid_contents

_DATA, _ENCRYPTED = bytes.fromhex("2a864886f70d010701"), bytes.fromhex("2a864886f70d010706")
_CERTIFICATE_BAG = bytes.fromhex("2a864886f70d010c0a0103")
_NESTED_BAG = bytes.fromhex("2a864886f70d010c0a0106")
_X509 = bytes.fromhex("2a864886f70d01091601")
_FRIENDLY_NAME = bytes.fromhex("2a864886f70d010914")
_TRUSTED_KEY_USAGE = bytes.fromhex("6086480186f966adca7b0101")
_ANY_USAGE = oid_contents(ANY_PURPOSE)
_TAG_0, _EXPLICIT = 0x80, 0xA0
"""Context tag 0, without the constructed bit (for reading with x509.der) and with that bit (for writing)."""
_VERSION = 3


@dataclass(frozen=True, slots=True)
class Bag:
    """An entry of a keystore (SafeBag). ``encoded`` is its DER. ``certificate`` is empty if it is not an X.509
    certificate.
    """

    encoded: bytes
    alias: str = ""
    """The friendlyName of the entry, which is its alias in Java."""
    certificate: bytes = b""
    """The certificate in DER."""
    trusted: bool = False
    """Whether Java treats the certificate as a trust anchor."""


@dataclass(frozen=True, slots=True)
class Safe:
    """Bags that are stored together. ``encryption`` is the AlgorithmIdentifier in DER, or None if not encrypted."""

    bags: tuple[Bag, ...]
    encryption: bytes | None = None


@dataclass(frozen=True, slots=True)
class Pkcs12:
    """A keystore. ``mac`` is None if its integrity is not protected, as in the ``cacerts`` of JDK 18 and later."""

    safes: tuple[Safe, ...]
    mac: Mac | None
    password: str = PASSWORD

    @property
    def bags(self) -> tuple[Bag, ...]:
        """The bags of all safes."""
        return tuple(bag for safe in self.safes for bag in safe.bags)

    def with_bags(self, bags: Iterable[Bag]) -> Pkcs12:
        """Return the keystore with these bags added after the last certificate, in the same safe."""
        place = max((i for i, safe in enumerate(self.safes) if any(b.certificate for b in safe.bags)), default=None)
        if place is None:
            place = next((i for i, safe in enumerate(self.safes) if not safe.bags), None)
        safes = [*self.safes] if place is not None else [*self.safes, Safe(())]
        at = len(safes) - 1 if place is None else place
        safes[at] = replace(safes[at], bags=(*safes[at].bags, *bags))
        return replace(self, safes=tuple(safes))

    def without(self, unwanted: Callable[[Bag], bool]) -> Pkcs12:
        """Return the keystore without the bags for which ``unwanted`` is true."""
        kept = (replace(safe, bags=tuple(bag for bag in safe.bags if not unwanted(bag))) for safe in self.safes)
        return replace(self, safes=tuple(kept))


def trusted_bag(alias: str, certificate: bytes) -> Bag:
    """Return the bag of a trust anchor as Java writes it: ``certificate`` (DER), the alias, and the attribute that
    marks it as trusted.
    """
    content = der(SEQUENCE, der(OID, _X509) + der(_EXPLICIT, der(OCTET_STRING, certificate)))
    name = _attribute(_FRIENDLY_NAME, der(BMP_STRING, alias.encode("utf-16-be", "surrogatepass")))
    attributes = der(SET, name + _attribute(_TRUSTED_KEY_USAGE, der(OID, _ANY_USAGE)))
    return Bag(
        der(SEQUENCE, der(OID, _CERTIFICATE_BAG) + der(_EXPLICIT, content) + attributes), alias, certificate, True
    )


def _attribute(name: bytes, value: bytes) -> bytes:
    return der(SEQUENCE, der(OID, name) + der(SET, value))


# -- reading -----------------------------------------------------------------------------------------------


def read_pkcs12(data: bytes, passwords: Sequence[str] = (PASSWORD, "")) -> Pkcs12:
    """Read a keystore with the first of ``passwords`` that opens it.

    Raises MalformedError if it is not a keystore, has another password, or needs more than MAX_ITERATIONS in all;
    InputError if it is encrypted and the package cryptography is missing.
    """
    content, mac = _outer(data)
    _refuse_cost(content, mac)
    password = _password(content, mac, passwords)
    safes = tuple(_safe(information, password) for information in _elements(content))
    return Pkcs12(safes, mac, password)


def _password(content: bytes, mac: Mac | None, passwords: Sequence[str]) -> str:
    """Return the first of ``passwords`` that matches the MAC, or the first of all if there is no MAC."""
    if mac is None:
        return passwords[0] if passwords else ""
    for password in passwords:
        if hmac.compare_digest(mac_of(mac, content, password), mac.digest):
            return password
    raise PasswordError("its MAC does not match: it has another password, or is damaged")


def _outer(data: bytes) -> tuple[bytes, Mac | None]:
    """Return the AuthenticatedSafe of a PFX, and its MAC."""
    whole = DerReader(data)
    outer = whole.enter()
    if int.from_bytes(outer.integer()) != _VERSION:
        raise MalformedError("is a PKCS #12 file of a version other than 3")
    name, content = _information(outer.any())
    if name != _DATA:
        raise MalformedError("is a PKCS #12 file that is signed or encrypted with a key, not with a password")
    mac = None if outer.next_tag() == NOTHING else _mac(outer.enter())
    whole.leave(outer)
    if whole.pos != len(data):
        raise MalformedError("bytes follow the end of the PKCS #12 file")
    return reader_for_element(content).value(OCTET_STRING), mac


def _mac(reader: DerReader) -> Mac:
    info = reader.enter()
    algorithm, digest = info.any(), info.value(OCTET_STRING)
    salt = reader.value(OCTET_STRING)
    count = int.from_bytes(reader.integer(), signed=True) if reader.next_tag() == INTEGER else 1
    return Mac(algorithm, digest, salt, checked_iterations(count))


def _information(element: bytes) -> tuple[bytes, bytes]:
    """Return the type of a ContentInfo, and its content."""
    inner = reader_for_element(element).enter()
    return inner.oid(), inner.enter(_TAG_0).any()


def _elements(data: bytes) -> Iterator[bytes]:
    """Yield the elements of the SEQUENCE OF in ``data``."""
    inner = reader_for_element(data).enter()
    while inner.more():
        yield inner.any()


def _safe(information: bytes, password: str) -> Safe:
    name, content = _information(information)
    if name == _DATA:
        return Safe(tuple(map(_bag, _elements(reader_for_element(content).value(OCTET_STRING)))))
    algorithm, encrypted = _encrypted(name, content)
    return Safe(tuple(map(_bag, _elements(decrypt(algorithm, encrypted, password)))), algorithm)


def _encrypted(name: bytes, content: bytes) -> tuple[bytes, bytes]:
    """Return the algorithm and the ciphertext of EncryptedData."""
    if name != _ENCRYPTED:
        raise MalformedError("is a PKCS #12 file with a part that is encrypted with a key, not with a password")
    data = reader_for_element(content).enter()
    data.integer()
    inner = data.enter()
    inner.oid()
    return inner.any(), inner.value(_TAG_0)


def _bag(element: bytes) -> Bag:
    inner = reader_for_element(element).enter()
    name, value = inner.oid(), inner.any()
    if name == _NESTED_BAG:
        raise MalformedError("is a PKCS #12 file with bags in bags")
    attributes = dict(_attributes(inner.enter_list(SET))) if inner.next_tag() == SET else {}
    certificate = _certificate(value) if name == _CERTIFICATE_BAG else b""
    return Bag(element, _text(attributes.get(_FRIENDLY_NAME)), certificate, _TRUSTED_KEY_USAGE in attributes)


def _certificate(value: bytes) -> bytes:
    """Return the DER in a CertBag, or nothing if its type is not X.509."""
    inner = reader_for_element(value).enter(_TAG_0).enter()
    return inner.enter(_TAG_0).value(OCTET_STRING) if inner.oid() == _X509 else b""


def _attributes(reader: DerReader) -> Iterator[tuple[bytes, DerReader]]:
    while reader.more():
        attribute = reader.enter()
        yield attribute.oid(), attribute.enter_list(SET)


def _text(values: DerReader | None) -> str:
    return values.value(BMP_STRING).decode("utf-16-be", "surrogatepass") if values else ""


def _refuse_cost(content: bytes, mac: Mac | None) -> None:
    """Raise MalformedError if opening the keystore takes more iterations than Java allows for one key derivation."""
    total = 0 if mac is None else max(mac.iterations, iterations(mac.algorithm))
    for name, inner in map(_information, _elements(content)):
        total += iterations(_encrypted(name, inner)[0]) if name != _DATA else 0
    if total > MAX_ITERATIONS:
        raise MalformedError(f"asks for {total} iterations to derive its keys, more than {MAX_ITERATIONS}")


# -- writing -----------------------------------------------------------------------------------------------


def write_pkcs12(store: Pkcs12) -> bytes:
    """Encode a keystore, with the encryption and MAC of ``store``. Raises InputError without cryptography."""
    content = der(SEQUENCE, b"".join(_safe_information(safe, store.password) for safe in store.safes))
    outer = der(INTEGER, bytes([_VERSION])) + _content_info(_DATA, der(OCTET_STRING, content))
    return der(SEQUENCE, outer + (_mac_data(store.mac, content, store.password) if store.mac else b""))


def _safe_information(safe: Safe, password: str) -> bytes:
    bags = der(SEQUENCE, b"".join(bag.encoded for bag in safe.bags))
    if safe.encryption is None:
        return _content_info(_DATA, der(OCTET_STRING, bags))
    encrypted = der(_TAG_0, encrypt(safe.encryption, bags, password))
    inner = der(SEQUENCE, der(OID, _DATA) + safe.encryption + encrypted)
    return _content_info(_ENCRYPTED, der(SEQUENCE, der(INTEGER, b"\0") + inner))


def _content_info(name: bytes, content: bytes) -> bytes:
    return der(SEQUENCE, der(OID, name) + der(_EXPLICIT, content))


def _mac_data(mac: Mac, content: bytes, password: str) -> bytes:
    info = der(SEQUENCE, mac.algorithm + der(OCTET_STRING, mac_of(mac, content, password)))
    count = der(INTEGER, mac.iterations.to_bytes(mac.iterations.bit_length() // 8 + 1)) if mac.iterations > 1 else b""
    return der(SEQUENCE, info + der(OCTET_STRING, mac.salt) + count)
