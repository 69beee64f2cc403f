"""Certificates of Java keystores (JKS) and of PKCS #12 files that contain no private key.

The caller has already searched the file for private keys. A key that only decryption reveals is refused here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rootfs_trust import x509
from rootfs_trust.errors import KEYSTORE, PRIVATE_KEY, InputError, MalformedError, Problem
from rootfs_trust.store.jks import looks_like_keystore, read_keystore

_EXPORT_PKCS12 = "export its certificates: openssl pkcs12 -in FILE -nokeys -out ca.pem"


class StoreEntry(NamedTuple):
    """A certificate, and its alias in the keystore, which may be empty."""

    certificate: x509.Certificate
    alias: str


def is_keystore(data: bytes) -> bool:
    """Return whether ``data`` is a Java keystore (JKS or JCEKS) or a PKCS #12 file."""
    return looks_like_keystore(data) or x509.looks_like_pkcs12(data)


def keystore_entries(path: str, data: bytes) -> list[StoreEntry] | Problem:
    """Read the certificates of a keystore, or return the reason why it is refused."""
    try:
        return list(_jks(data) if looks_like_keystore(data) else _pkcs12(path, data))
    except MalformedError as error:
        return KEYSTORE(path, f"the keystore cannot be read: {error.message}")
    except InputError as error:
        return error.problems[0]


def _jks(data: bytes) -> Iterator[StoreEntry]:
    """Yield the entries of a JKS keystore. No password is needed: it protects only against accidental changes."""
    for entry in read_keystore(data, password=None):
        yield StoreEntry(x509.parse_certificate(entry.der), entry.alias)


def _pkcs12(path: str, data: bytes) -> Iterator[StoreEntry]:
    """Yield the entries of a PKCS #12 file. Raises InputError if it has a private key or may have one."""
    from rootfs_trust.store.pkcs12 import read_pkcs12

    try:
        bags = read_pkcs12(data).bags
    except MalformedError as error:
        message = f"the file is PKCS#12, which may contain a private key, and cannot be read: {error.message}"
        raise InputError(PRIVATE_KEY(path, message, _EXPORT_PKCS12)) from error
    except InputError as error:
        raise InputError(error.problems[0]._replace(path=path)) from error
    for bag in bags:
        if not bag.certificate:
            message = "the file is PKCS#12 with an entry that is not a certificate, such as a private key"
            raise InputError(PRIVATE_KEY(path, message, _EXPORT_PKCS12))
        yield StoreEntry(x509.parse_certificate(bag.certificate), bag.alias)
