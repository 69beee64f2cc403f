"""Verify a chain with OpenSSL itself, through pyOpenSSL. The trust stores of the host are not used.

Calls X509_verify_cert with the settings of a TLS client: purpose sslserver (and the matching trust), trusted
certificates first, and no partial chains by default.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from rootfs_trust.clients.client import ClientAnchor
from rootfs_trust.errors import VERIFY, InputError
from rootfs_trust.x509 import Certificate, encode, parse_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from OpenSSL.crypto import X509, X509Store


_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of x509_vfy.h
UNREADABLE = -1
"""An error number that OpenSSL does not use: the library cannot parse a certificate of the chain."""

_UNSIGNED = (2, 4, 6, 7, 18, 19, 20, 21)  # X509_V_ERR_...: no issuer, signature or key that cannot be read, or bad


@dataclass(frozen=True, slots=True)
class Flags:
    """X509_V_FLAG_PARTIAL_CHAIN and X509_V_FLAG_X509_STRICT."""

    partial: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class OpensslResult:
    """The verified path, anchor last, or OpenSSL's error number, its message, and the certificate that caused it."""

    path: tuple[Certificate, ...] = ()
    error: int = 0
    words: str = ""
    at: Certificate | None = None


def require() -> None:
    """Raise InputError if pyOpenSSL is not installed."""
    try:
        import OpenSSL.crypto  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(VERIFY("", "verify needs pyOpenSSL, which is not installed")) from error


def version() -> str:
    """Return the version of the library, such as ``OpenSSL 4.0.3 29 Sep 2026``."""
    from cryptography.hazmat.backends.openssl import backend

    return str(backend.openssl_version_text())


def verify(
    sent: Sequence[Certificate], anchors: Sequence[ClientAnchor], at: datetime, flags: Flags, host: str | None = None
) -> OpensslResult:
    """Verify the chain ``sent`` against ``anchors`` at a time. With ``host``, also check the name."""
    from OpenSSL.crypto import Error, X509StoreContext, X509StoreContextError

    store = _store(anchors, at, flags, host)
    loaded = [_loaded(each) for each in sent]
    for certificate, copy in zip(sent, loaded, strict=True):
        if copy is None:
            return OpensslResult((), UNREADABLE, "it cannot be read", certificate)
    server, *others = (each for each in loaded if each is not None)
    try:
        path = X509StoreContext(store, server, others).get_verified_chain()
    except X509StoreContextError as error:
        return OpensslResult((), error.errors[0], error.errors[2], _back(error.certificate))
    except Error:
        return OpensslResult((), UNREADABLE, "a key on the path cannot be read", sent[0])
    return OpensslResult(tuple(filter(None, map(_back, path))))


def has_signed(issuer: Certificate, certificate: Certificate) -> bool:
    """Verify a signature with OpenSSL, for algorithms that the cryptography library no longer supports."""
    from OpenSSL.crypto import Error, X509Store, X509StoreContext, X509StoreContextError, X509StoreFlags

    signer, signed = _loaded(issuer), _loaded(certificate)
    if signer is None or signed is None:
        return False
    store = X509Store()
    store.add_cert(signer)
    store.set_flags(X509StoreFlags.PARTIAL_CHAIN | _NO_CHECK_TIME)
    try:
        X509StoreContext(store, signed).verify_certificate()
    except X509StoreContextError as error:
        # Other problems of the two certificates are checked elsewhere.
        return error.errors[0] not in _UNSIGNED
    except Error:
        return False
    return True


def _store(anchors: Sequence[ClientAnchor], at: datetime, flags: Flags, host: str | None) -> X509Store:
    from OpenSSL.crypto import X509Store, X509StoreFlags

    store = X509Store()
    seen = set()
    for anchor in anchors:
        # OpenSSL keeps the first copy of a certificate, with its trust settings.
        if anchor.certificate.sha256 not in seen:
            seen.add(anchor.certificate.sha256)
            _add(store, anchor)
    store.set_time(at.astimezone(UTC))
    store.set_flags(X509StoreFlags.PARTIAL_CHAIN * flags.partial | X509StoreFlags.X509_STRICT * flags.strict)
    _as_tls_client(store, host)
    return store


def _add(store: X509Store, anchor: ClientAnchor) -> None:
    loaded = _loaded(anchor.certificate)
    if loaded is None:
        return
    if not anchor.settings:
        store.add_cert(loaded)
        return
    # pyOpenSSL reads trust settings only from files. This file is in memory and has no name.
    with _file_in_memory(encode(anchor.certificate.der + anchor.settings, "TRUSTED CERTIFICATE")) as path:
        store.load_locations(path)


@contextmanager
def _file_in_memory(content: bytes) -> Iterator[str]:
    fd = os.memfd_create("trusted-certificate")
    try:
        os.write(fd, content)
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)


def _as_tls_client(store: X509Store, host: str | None) -> None:
    """Set the purpose and the name to check, as SSL_connect does. pyOpenSSL has no method for it."""
    from OpenSSL._util import ffi, lib

    handle: Any = store._store
    lib.X509_STORE_set_purpose(handle, lib.X509_PURPOSE_SSL_SERVER)
    if host is None:
        return
    parameters = ffi.gc(lib.X509_VERIFY_PARAM_new(), lib.X509_VERIFY_PARAM_free)
    address = _address(host)
    if address is None:
        text = host.rstrip(".").encode("idna")
        lib.X509_VERIFY_PARAM_set_hostflags(parameters, lib.X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
        lib.X509_VERIFY_PARAM_set1_host(parameters, text, len(text))
    else:
        lib.X509_VERIFY_PARAM_set1_ip(parameters, address, len(address))
    lib.X509_STORE_set1_param(handle, parameters)


def _address(host: str) -> bytes | None:
    try:
        return ip_address(host).packed
    except ValueError:
        return None


def _loaded(certificate: Certificate) -> X509 | None:
    """Convert a certificate to an object of the library, or return None if the library cannot parse it."""
    from OpenSSL.crypto import FILETYPE_ASN1, Error, load_certificate

    try:
        return load_certificate(FILETYPE_ASN1, certificate.der)
    except (Error, ValueError):
        return None


def _back(certificate: X509) -> Certificate | None:
    """Convert a certificate of the library to :class:`Certificate`. Return None if the library cannot encode it, for
    example because its key is invalid.
    """
    from OpenSSL.crypto import FILETYPE_ASN1, Error, dump_certificate

    try:
        return parse_certificate(dump_certificate(FILETYPE_ASN1, certificate))
    except Error:
        return None
