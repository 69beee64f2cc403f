"""What an anchor is trusted for: the words of rootfs-trust.toml, and their OIDs in OpenSSL's trust settings. Pure.

A TRUSTED CERTIFICATE is a certificate with settings behind it (X509_CERT_AUX in crypto/x509/x_x509a.c): a list of
purposes that it is trusted for, a list of those that it is rejected for, and more. `openssl x509 -addtrust` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable

from rootfs_trust.x509 import pem
from rootfs_trust.x509.der import SEQUENCE, DerReader, encode
from rootfs_trust.x509.oids import ANY_PURPOSE, CLIENT_AUTH, CODE_SIGNING, EMAIL, SERVER_AUTH, encode_usages
from rootfs_trust.x509.pem_objects import take_trust_settings

Purposes = frozenset[str] | None
"""Words of ``WORDS``; None: everything, also what has no word here."""

SERVERS = "server-auth"
WORDS = {SERVERS: SERVER_AUTH, "client-auth": CLIENT_AUTH, "email": EMAIL, "code-signing": CODE_SIGNING}
"""The words, which are those of ``trust extract --purpose``, and their OIDs."""


def purposes(words: Iterable[str]) -> Purposes:
    """The purposes ``words``; all of them are everything."""
    named = frozenset(words)
    return None if named == WORDS.keys() else named


def purposes_of_oids(oids: Iterable[str]) -> Purposes:
    """The purposes that a list of OIDs names; what has no word here is passed over."""
    listed = set(oids)
    return None if ANY_PURPOSE in listed else purposes(word for word, oid in WORDS.items() if oid in listed)


def purposes_of_settings(settings: bytes) -> Purposes:
    """What OpenSSL's settings behind a certificate trust it for. Raises MalformedError.

    Whatever is rejected is not trusted; where a list says what is trusted, nothing else is; without lists all is
    (obj_trust in crypto/x509/x509_trs.c, for a certificate that is signed by itself).
    """
    trusted, rejected, *_ = take_trust_settings(DerReader(settings))
    allowed = set(WORDS.values()) if trusted is None or ANY_PURPOSE in trusted else set(trusted)
    return frozenset() if ANY_PURPOSE in (rejected or ()) else purposes_of_oids(allowed.difference(rejected or ()))


def pem_for(der: bytes, wanted: Purposes) -> bytes:
    """The certificate as PEM: plain where it is trusted for everything, else a TRUSTED CERTIFICATE that names what."""
    if wanted is None:
        return pem.encode(der)
    settings = encode(SEQUENCE, encode_usages(oid for word, oid in WORDS.items() if word in wanted))
    return pem.encode(der + settings, "TRUSTED CERTIFICATE")


def shown(wanted: Purposes) -> str:
    """The purposes for people."""
    return "everything" if wanted is None else " and ".join(word for word in WORDS if word in wanted) or "nothing"
