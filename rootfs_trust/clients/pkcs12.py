"""Reads Java's PKCS #12 trust stores (RFC 7292) with the cryptography library, after checking how long that will take.

The file states how many iterations a key derivation takes, up to 2**31 - 1. A keystore that would take hours is
refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from warnings import catch_warnings, simplefilter

from rootfs_trust.errors import MISSING_PACKAGE, InputError, MalformedError
from rootfs_trust.store.jks import PASSWORD, read_keystore
from rootfs_trust.x509 import Certificate, parse_certificate
from rootfs_trust.x509.der import INTEGER, OCTET_STRING, DerReader, header

MAX_ITERATIONS = 5_000_000
"""Maximum number of iterations of all key derivations together. Java allows as many for each (JDK,
PKCS12KeyStore.MAX_ITERATION_COUNT).
"""

_MAX_DEPTH = 20
_ENCRYPTED_DATA = bytes.fromhex("06092a864886f70d010706")
_SHROUDED_KEY_BAG = bytes.fromhex("060b2a864886f70d010c0a0102")
_SAFE_CONTENTS_BAG = bytes.fromhex("060b2a864886f70d010c0a0106")


def keystore_certificates(data: bytes) -> tuple[Certificate, ...]:
    """Return the certificates of Java's keystore, PKCS #12 or JKS. Raises MalformedError like :func:`read_pkcs12`."""
    ders = read_pkcs12(data) if data.startswith(b"0") else [entry.der for entry in read_keystore(data)]
    return tuple(map(parse_certificate, ders))


def read_pkcs12(data: bytes) -> list[bytes]:
    """Return the certificates of a keystore in DER. Raises MalformedError if it cannot be read or takes too long.

    Raises InputError if the library that reads it is missing.
    """
    try:
        from cryptography.hazmat.primitives.serialization import Encoding
        from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
    except ModuleNotFoundError as error:
        message = "a Java keystore is PKCS #12, and reading that needs the Python package cryptography"
        raise InputError(MISSING_PACKAGE("", message, "install rootfs-trust[pkcs7]")) from error
    asked = iterations(data)
    if asked > MAX_ITERATIONS:
        raise MalformedError(f"asks for {asked} iterations to derive its keys, more than {MAX_ITERATIONS}")
    # Without a configured password JSSE passes none, and Java then reads only unencrypted parts.
    for password in (PASSWORD.encode(), None):
        try:
            # A JDK ships roots with a serial number that RFC 5280 does not allow, about which cryptography warns.
            with catch_warnings():
                simplefilter("ignore")
                loaded = load_pkcs12(data, password)
        except ValueError as error:
            fault = error
        else:
            return [each.certificate.public_bytes(Encoding.DER) for each in loaded.additional_certs]
    raise MalformedError(f"is not a PKCS #12 file that opens with the password {PASSWORD}: {fault}")


def iterations(data: bytes) -> int:
    """Return the sum of the iteration counts of all key derivations that the unencrypted parts of the store show."""
    try:
        _, safe, *mac = _parts(data)
        total = sum(_integers(each) for each in mac)
        for information in _parts(_octets(_parts(_parts(safe)[1])[0])):
            total += sum(_integers(each) for each in _algorithms(information))
    except (IndexError, ValueError) as error:
        raise MalformedError("is not a PKCS #12 file: parts are missing") from error
    return total


def _algorithms(information: bytes) -> Iterator[bytes]:
    """Yield the AlgorithmIdentifiers with which the content of one ContentInfo is decrypted."""
    kind, explicit, *_ = _parts(information)
    content = _parts(explicit)[0]
    if kind == _ENCRYPTED_DATA:
        yield _parts(_parts(content)[1])[1]
        return
    for bag in _parts(_octets(content)):
        name, value, *_ = _parts(bag)
        if name == _SAFE_CONTENTS_BAG:
            raise MalformedError("is a PKCS #12 with bags in bags")
        if name == _SHROUDED_KEY_BAG:
            yield _parts(_parts(value)[0])[0]


def _parts(element: bytes) -> list[bytes]:
    """Return the elements of the constructed element at the start of ``element``."""
    whole = element + b"\0\0"  # see reader_for_element of x509/der.py
    _, _, indefinite, start, stop = header(whole, 0, len(whole))
    reader, found = DerReader(whole, start, stop, indefinite), []
    while reader.more():
        found.append(reader.any())
    return found


def _octets(element: bytes) -> bytes:
    return DerReader(element + b"\0\0").value(OCTET_STRING)


def _integers(element: bytes, depth: int = 0) -> int:
    """Return the sum of all INTEGERs in ``element``: iteration counts, and key lengths, which are negligible."""
    if depth > _MAX_DEPTH:
        raise MalformedError("is a PKCS #12 that is nested too deeply")
    if element[0] == INTEGER:
        return max(int.from_bytes(DerReader(element + b"\0\0").value(INTEGER), signed=True), 0)
    return sum(_integers(each, depth + 1) for each in _parts(element)) if element[0] & 0x20 else 0
