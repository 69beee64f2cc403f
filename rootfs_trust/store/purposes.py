"""The purposes of an anchor: the words in rootfs-trust.toml, and their OIDs in OpenSSL's trust settings.

A TRUSTED CERTIFICATE is a certificate followed by settings (X509_CERT_AUX in crypto/x509/x_x509a.c): a list of trusted
purposes, a list of rejected ones, and more. `openssl x509 -addtrust` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable

from rootfs_trust.x509 import pem
from rootfs_trust.x509.der import SEQUENCE, DerReader, encode
from rootfs_trust.x509.oids import ANY_PURPOSE, CLIENT_AUTH, CODE_SIGNING, EMAIL, SERVER_AUTH, encode_usages
from rootfs_trust.x509.pem_objects import take_trust_settings

Purposes = frozenset[str] | None
"""A set of words of ``WORDS``. None means all purposes, including those that have no word."""

SERVERS = "server-auth"
WORDS = {SERVERS: SERVER_AUTH, "client-auth": CLIENT_AUTH, "email": EMAIL, "code-signing": CODE_SIGNING}
"""The words for purposes, as in ``trust extract --purpose``, and their OIDs."""


def purposes(words: Iterable[str]) -> Purposes:
    """Return the set of purposes in ``words``. All four words together mean all purposes."""
    named = frozenset(words)
    return None if named == WORDS.keys() else named


def purposes_of_oids(oids: Iterable[str]) -> Purposes:
    """Return the purposes in a list of OIDs. Other OIDs are ignored."""
    listed = set(oids)
    return None if ANY_PURPOSE in listed else purposes(word for word, oid in WORDS.items() if oid in listed)


def purposes_of_settings(settings: bytes) -> Purposes:
    """Return the purposes that OpenSSL's settings after a certificate trust it for. Raises MalformedError.

    Rejected purposes are not trusted. If there is a list of trusted purposes, no others are trusted; without lists, all
    are (obj_trust in crypto/x509/x509_trs.c, for a self-signed certificate).
    """
    trusted, rejected, *_ = take_trust_settings(DerReader(settings))
    allowed = set(WORDS.values()) if trusted is None or ANY_PURPOSE in trusted else set(trusted)
    return frozenset() if ANY_PURPOSE in (rejected or ()) else purposes_of_oids(allowed.difference(rejected or ()))


def pem_for(der: bytes, wanted: Purposes) -> bytes:
    """Return the certificate as plain PEM if it is trusted for everything, else as TRUSTED CERTIFICATE."""
    if wanted is None:
        return pem.encode(der)
    settings = encode(SEQUENCE, encode_usages(oid for word, oid in WORDS.items() if word in wanted))
    return pem.encode(der + settings, "TRUSTED CERTIFICATE")


def shown(wanted: Purposes) -> str:
    """Return the purposes as text for messages."""
    return "everything" if wanted is None else " and ".join(word for word in WORDS if word in wanted) or "nothing"
