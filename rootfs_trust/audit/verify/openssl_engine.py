"""OpenSSL itself, through pyOpenSSL: certificates come from memory, nothing of this machine's stores is looked at.

X509_verify_cert with the settings of a TLS client: purpose sslserver (and the trust that goes with it), trusted
certificates first, no partial chains unless asked for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from rootfs_trust.audit.clients.client import Anchor
from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.x509 import Certificate, encode, parse_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from OpenSSL.crypto import X509, X509Store


_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of x509_vfy.h
_UNSIGNED = (2, 4, 6, 7, 18, 19, 20, 21)  # X509_V_ERR_...: no issuer, signature or key that cannot be read, or bad


@dataclass(frozen=True, slots=True)
class Flags:
    """X509_V_FLAG_PARTIAL_CHAIN and X509_V_FLAG_X509_STRICT."""

    partial: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The verified path, anchor last; or OpenSSL's error number, its words, and the certificate it stumbled over."""

    path: tuple[Certificate, ...] = ()
    error: int = 0
    words: str = ""
    at: Certificate | None = None


def require() -> None:
    """Raises InputError where pyOpenSSL is not installed."""
    try:
        import OpenSSL.crypto  # noqa: F401
    except ImportError as error:
        hint = "pip install 'rootfs-trust[verify]'"
        raise InputError(Trouble("verify", "", "verify needs pyOpenSSL, which is not installed", hint)) from error


def version() -> str:
    """Of the library that judges, such as ``OpenSSL 4.0.3 29 Sep 2026``."""
    from cryptography.hazmat.backends.openssl import backend

    return str(backend.openssl_version_text())


def verify(
    sent: Sequence[Certificate], anchors: Sequence[Anchor], at: datetime, flags: Flags, host: str | None = None
) -> Answer:
    """Judge the chain ``sent`` against ``anchors`` at a time; with ``host`` the name is checked, too."""
    from OpenSSL.crypto import X509StoreContext, X509StoreContextError

    store = _store(anchors, at, flags, host)
    server, *others = (_loaded(each) for each in sent)
    context = X509StoreContext(store, server, others)
    try:
        path = context.get_verified_chain()
    except X509StoreContextError as error:
        return Answer((), error.errors[0], error.errors[2], _back(error.certificate))
    return Answer(tuple(_back(each) for each in path))


def has_signed(issuer: Certificate, certificate: Certificate) -> bool:
    """Whether the key of ``issuer`` made the signature: for algorithms that the cryptography library gave up."""
    from OpenSSL.crypto import X509Store, X509StoreContext, X509StoreContextError, X509StoreFlags

    store = X509Store()
    store.add_cert(_loaded(issuer))
    store.set_flags(X509StoreFlags.PARTIAL_CHAIN | _NO_CHECK_TIME)
    try:
        X509StoreContext(store, _loaded(certificate)).verify_certificate()
    except X509StoreContextError as error:
        # What else is wrong with the two is judged elsewhere.
        return error.errors[0] not in _UNSIGNED
    return True


def _store(anchors: Sequence[Anchor], at: datetime, flags: Flags, host: str | None) -> X509Store:
    from OpenSSL.crypto import X509Store, X509StoreFlags

    store = X509Store()
    seen = set()
    for anchor in anchors:
        # Of copies of one certificate OpenSSL keeps the first, with the trust settings of that one.
        if anchor.certificate.sha256 not in seen:
            seen.add(anchor.certificate.sha256)
            _add(store, anchor)
    store.set_time(at.astimezone(UTC))
    store.set_flags(X509StoreFlags.PARTIAL_CHAIN * flags.partial | X509StoreFlags.X509_STRICT * flags.strict)
    _as_tls_client(store, host)
    return store


def _add(store: X509Store, anchor: Anchor) -> None:
    if not anchor.settings:
        store.add_cert(_loaded(anchor.certificate))
        return
    # pyOpenSSL reads trust settings from files alone: this one has no name, and is gone once it is read.
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
    """What SSL_connect sets and pyOpenSSL has no method for: the purpose, and the name to be checked."""
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


def _loaded(certificate: Certificate) -> X509:
    from OpenSSL.crypto import FILETYPE_ASN1, load_certificate

    return load_certificate(FILETYPE_ASN1, certificate.der)


def _back(certificate: X509) -> Certificate:
    from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate

    return parse_certificate(dump_certificate(FILETYPE_ASN1, certificate))
