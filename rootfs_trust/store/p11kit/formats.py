"""The single-file formats of ``trust extract``, each a function from the chosen certificates to bytes.

Source: trust/extract-pem.c, extract-openssl.c, extract-edk2.c, extract-jks.c, enumerate.c (p11_enumerate_comment).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator

from rootfs_trust.errors import MalformedError
from rootfs_trust.store.p11kit.entries import (
    EXTENDED_KEY_USAGE,
    KNOWN_PURPOSES,
    NO_PURPOSE,
    OPENSSL_REJECT,
    SUBJECT_KEY_ID,
)
from rootfs_trust.store.p11kit.parts import encode_usages, usages
from rootfs_trust.store.p11kit.select import Chosen
from rootfs_trust.x509 import encode as pem_block
from rootfs_trust.x509.der import encode
from rootfs_trust.x509.primitive import OCTET_STRING, SEQUENCE, UTF8_STRING

_REJECTED = 0xA0  # [0], constructed: the encoder marks SEQUENCE and SET alone
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")
_X509_LIST = bytes.fromhex("a159c0a5e494a74a87b5ab155c2bf072")
"""EFI_CERT_X509_GUID, as UEFI writes GUIDs."""
_P11_KIT = bytes.fromhex("503bdddc05f4fd4396bebd33b1734776")
"""The owner under which p11-kit's extractor signs."""

Keystore = Callable[[Iterable[tuple[str, bytes]], int], bytes]
"""What makes a Java keystore of aliases and certificates; what is new in it was created at a time in seconds."""


def pem_of(chosen: Chosen) -> bytes:
    """The certificate alone, trust left out."""
    return pem_block(chosen.certificate.der)


def trusted_pem_of(chosen: Chosen) -> bytes:
    """OpenSSL's TRUSTED CERTIFICATE: the certificate and for what it is trusted (prepare_pem_contents)."""
    return pem_block(chosen.certificate.der + _settings(chosen), "TRUSTED CERTIFICATE")


def pem_bundle(chosen: Iterable[Chosen], *, comment: bool = False) -> bytes:
    """``pem-bundle``: plain certificates one after the other."""
    return _bundle(chosen, pem_of, comment)


def openssl_bundle(chosen: Iterable[Chosen], *, comment: bool = False) -> bytes:
    """``openssl-bundle``: the same with their trust."""
    return _bundle(chosen, trusted_pem_of, comment)


def edk2_cacerts(chosen: Iterable[Chosen]) -> bytes:
    """``edk2-cacerts``: one EFI_SIGNATURE_LIST a certificate (UEFI 2.7, 31.4.1), for a firmware's HTTPS boot."""
    return b"".join(map(_signature_list, chosen))


def java_cacerts(chosen: Iterable[Chosen], created: int, keystore: Keystore) -> bytes:
    """``java-cacerts``: what ``keystore`` makes of the certificates under p11-kit's aliases."""
    chosen = list(chosen)
    return keystore(zip(java_aliases(chosen), (each.certificate.der for each in chosen), strict=True), created)


def java_aliases(chosen: Iterable[Chosen]) -> Iterator[str]:
    """Labels in small letters without blanks and all that is not ASCII; the second of a kind gets ``-1``."""
    taken: set[str] = set()
    for each in chosen:
        plain = b"".join((each.label or b"unlabeled").split()).lower()
        alias = base = bytes(octet for octet in plain if octet < 0x80).decode()
        number = 0
        while alias in taken:
            number += 1
            alias = f"{base}-{number}"
        taken.add(alias)
        yield alias


def _bundle(chosen: Iterable[Chosen], block: Callable[[Chosen], bytes], comment: bool) -> bytes:
    blocks = (b"# " + shown_label(each) + b"\n" + block(each) if comment else block(each) for each in chosen)
    return (b"\n" if comment else b"").join(blocks)


def shown_label(chosen: Chosen) -> bytes:
    """The label as one line: p11-kit would let a line end in it begin a block of its own in the bundle."""
    return (chosen.label or b"certificate").translate(_LINE_ENDS)


def _signature_list(chosen: Chosen) -> bytes:
    size = len(_P11_KIT) + len(chosen.certificate.der)
    return _X509_LIST + struct.pack("<3I", size + 28, 0, size) + _P11_KIT + chosen.certificate.der


# -- OpenSSL's trust settings ------------------------------------------------------------------------------


def _settings(chosen: Chosen) -> bytes:
    """CertAux (common/openssl.asn): purposes trusted and rejected, alias, key identifier."""
    trusted, rejected = _purposes(chosen)
    contents = b"" if trusted is None else encode_usages(trusted)
    if rejected is not None:
        contents += _implicit(_REJECTED, encode_usages(rejected))
    if chosen.label:
        contents += encode(UTF8_STRING, chosen.label)
    key_id = chosen.stapled.get(SUBJECT_KEY_ID)
    if key_id is not None:
        contents += encode(OCTET_STRING, key_id)
    return encode(SEQUENCE, contents)


def _purposes(chosen: Chosen) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """What is trusted and what rejected (write_trust_and_rejects); None is a list that is not written."""
    rejected = _stapled_usages(chosen, OPENSSL_REJECT)
    if chosen.distrusted:
        return None, (*(rejected or ()), *KNOWN_PURPOSES)
    if chosen.trusted:
        return _stapled_usages(chosen, EXTENDED_KEY_USAGE), rejected
    return (), rejected


def _stapled_usages(chosen: Chosen, oid: str) -> tuple[str, ...] | None:
    value = chosen.stapled.get(oid)
    if value is None:
        return None
    try:
        return tuple(each for each in usages(value) if each != NO_PURPOSE)
    except MalformedError:
        return None


def _implicit(tag: int, element: bytes) -> bytes:
    return bytes((tag,)) + element[1:]
