"""Java's PKCS #12 trust stores (RFC 7292): read by cryptography, once it is known what that will cost.

A key derivation takes as many rounds as the file says, up to 2**31 - 1: a store that asks for hours is refused unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from warnings import catch_warnings, simplefilter

from rootfs_trust.errors import InputError, MalformedError, Problem
from rootfs_trust.store.jks import PASSWORD, read_keystore
from rootfs_trust.x509 import Certificate, parse_certificate
from rootfs_trust.x509.der import INTEGER, OCTET_STRING, DerReader, header

MAX_ITERATIONS = 5_000_000
"""Of all derivations together; Java takes no more of a single one (JDK, PKCS12KeyStore.MAX_ITERATION_COUNT)."""

_MAX_DEPTH = 20
_ENCRYPTED_DATA = bytes.fromhex("06092a864886f70d010706")
_SHROUDED_KEY_BAG = bytes.fromhex("060b2a864886f70d010c0a0102")
_SAFE_CONTENTS_BAG = bytes.fromhex("060b2a864886f70d010c0a0106")


def keystore_certificates(data: bytes) -> tuple[Certificate, ...]:
    """The certificates of Java's keystore, PKCS #12 or JKS. Raises MalformedError; see also :func:`read_pkcs12`."""
    ders = read_pkcs12(data) if data.startswith(b"0") else [entry.der for entry in read_keystore(data)]
    return tuple(map(parse_certificate, ders))


def read_pkcs12(data: bytes) -> list[bytes]:
    """The certificates of a store, in DER. Raises MalformedError for one that cannot be read or costs too much.

    Raises InputError if the library that reads it is missing.
    """
    try:
        from cryptography.hazmat.primitives.serialization import Encoding
        from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
    except ModuleNotFoundError as error:
        message = "a Java keystore is PKCS #12, and reading that needs the Python package cryptography"
        raise InputError(Problem("missing-package", "", message, "install rootfs-trust[pkcs7]")) from error
    asked = iterations(data)
    if asked > MAX_ITERATIONS:
        raise MalformedError(f"asks for {asked} iterations to derive its keys, more than {MAX_ITERATIONS}")
    # Without a password of its own JSSE gives none, and Java then reads what is not encrypted.
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
    """Return the iteration count of all key derivations of the store that its unencrypted parts show."""
    try:
        _, safe, *mac = _parts(data)
        total = sum(_integers(each) for each in mac)
        for information in _parts(_octets(_parts(_parts(safe)[1])[0])):
            total += sum(_integers(each) for each in _algorithms(information))
    except (IndexError, ValueError) as error:
        raise MalformedError("is not a PKCS #12 file: parts are missing") from error
    return total


def _algorithms(information: bytes) -> Iterator[bytes]:
    """The AlgorithmIdentifiers with which the content of one ContentInfo is to be decrypted."""
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
    """The elements in the constructed element that ``element`` begins with."""
    whole = element + b"\0\0"  # see x509.der.reread
    _, _, indefinite, start, stop = header(whole, 0, len(whole))
    reader, found = DerReader(whole, start, stop, indefinite), []
    while reader.more():
        found.append(reader.any())
    return found


def _octets(element: bytes) -> bytes:
    return DerReader(element + b"\0\0").value(OCTET_STRING)


def _integers(element: bytes, depth: int = 0) -> int:
    """The sum of all INTEGERs in ``element``: iterations, and lengths of keys, which do not count beside them."""
    if depth > _MAX_DEPTH:
        raise MalformedError("is a PKCS #12 that is nested too deep")
    if element[0] == INTEGER:
        return max(int.from_bytes(DerReader(element + b"\0\0").value(INTEGER), signed=True), 0)
    return sum(_integers(each, depth + 1) for each in _parts(element)) if element[0] & 0x20 else 0
