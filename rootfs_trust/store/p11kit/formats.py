"""The output formats of ``trust extract``: functions from the selected certificates to bytes, or to a directory.

Source: trust/extract-pem.c, extract-openssl.c, extract-edk2.c, extract-jks.c, enumerate.c (p11_enumerate_comment); for
directories extract_pem_directory, p11_openssl_symlink, and make_unique_name in save.c. Where p11-kit computes another
hash than OpenSSL (NumericString, and Latin-1 in old string types), links get OpenSSL's, since OpenSSL looks them up.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rootfs_trust.errors import MalformedError
from rootfs_trust.store.p11kit.entries import KNOWN_PURPOSES, NO_PURPOSE, OPENSSL_REJECT, usages
from rootfs_trust.store.p11kit.output_selection import Chosen
from rootfs_trust.x509 import encode as pem_block
from rootfs_trust.x509.der import OCTET_STRING, SEQUENCE, UTF8_STRING, encode
from rootfs_trust.x509.oids import EXTENDED_KEY_USAGE, SUBJECT_KEY_ID, encode_usages

_REJECTED = 0xA0  # [0], constructed: the encoder sets that bit only for SEQUENCE and SET
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")
_X509_LIST = bytes.fromhex("a159c0a5e494a74a87b5ab155c2bf072")
"""EFI_CERT_X509_GUID in the byte order of UEFI: the type of a list of X.509 certificates."""
_P11_KIT = bytes.fromhex("503bdddc05f4fd4396bebd33b1734776")
"""The owner GUID that p11-kit's extractor uses."""


def pem_of(chosen: Chosen) -> bytes:
    """Return the certificate as plain PEM, without trust."""
    return pem_block(chosen.certificate.der)


def trusted_pem_of(chosen: Chosen) -> bytes:
    """Return OpenSSL's TRUSTED CERTIFICATE: the certificate and its trusted purposes (prepare_pem_contents)."""
    return pem_block(chosen.certificate.der + _settings(chosen), "TRUSTED CERTIFICATE")


def pem_bundle(chosen: Iterable[Chosen], *, comment: bool = False) -> bytes:
    """Return a ``pem-bundle``: plain certificates one after the other."""
    return _bundle(chosen, pem_of, comment)


def openssl_bundle(chosen: Iterable[Chosen], *, comment: bool = False) -> bytes:
    """Return an ``openssl-bundle``: certificates with their trust."""
    return _bundle(chosen, trusted_pem_of, comment)


def edk2_cacerts(chosen: Iterable[Chosen]) -> bytes:
    """Return ``edk2-cacerts``: an EFI_SIGNATURE_LIST for each certificate (UEFI 2.7, 31.4.1), for HTTPS boot."""
    return b"".join(map(_signature_list, chosen))


def java_cacerts(chosen: Sequence[Chosen]) -> Iterator[tuple[str, bytes]]:
    """Yield the entries of ``java-cacerts``: p11-kit's alias of each certificate, and its DER."""
    return zip(java_aliases(chosen), (each.certificate.der for each in chosen), strict=True)


def java_aliases(chosen: Iterable[Chosen]) -> Iterator[str]:
    """Yield the aliases: labels in lower case without blanks and non-ASCII bytes. A duplicate gets ``-1``, and
    so on.
    """
    taken: set[str] = set()
    for each in chosen:
        plain = b"".join((each.label or b"unlabeled").split()).lower()
        alias = base = bytes(byte for byte in plain if byte < 0x80).decode()
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
    """Return the label as one line. p11-kit writes it unchanged, so a line break in a label could begin a PEM block in
    the bundle.
    """
    return (chosen.label or b"certificate").translate(_LINE_ENDS)


def _signature_list(chosen: Chosen) -> bytes:
    size = len(_P11_KIT) + len(chosen.certificate.der)
    return _X509_LIST + struct.pack("<3I", size + 28, 0, size) + _P11_KIT + chosen.certificate.der


# -- OpenSSL's trust settings ------------------------------------------------------------------------------


def _settings(chosen: Chosen) -> bytes:
    """Encode CertAux (common/openssl.asn): purposes trusted and rejected, alias, key identifier."""
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
    """Return the trusted and the rejected purposes (write_trust_and_rejects), each None if the list is not written."""
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


_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_")
_LONGEST = 255 - 16 - len(".pem")
"""Maximum length of a file name in bytes: MAX_FILE_NAME, minus the bytes that make_unique_name reserves for a number.
"""


@dataclass(slots=True)
class ExtractedDirectory:
    """File contents by name, and link targets by link name, both in the order of writing."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def add(self, chosen: Chosen, content: bytes) -> None:
        """Add a certificate: its file, then the link by its new hash, then the one by its old hash."""
        name = _numbered(file_stem(chosen), ".pem", self.files)
        self.files[name] = content
        subject = chosen.certificate.subject
        for digits in (subject.hash, subject.hash_old):
            self.links[_hash_name(digits, self.links)] = name


def hash_directory(chosen: Iterable[Chosen], block: Callable[[Chosen], bytes]) -> ExtractedDirectory:
    """Return ``pem-directory-hash`` if ``block`` writes plain PEM, ``openssl-directory`` if it writes trusted PEM."""
    made = ExtractedDirectory()
    for each in chosen:
        made.add(each, block(each))
    return made


def file_stem(chosen: Chosen) -> str:
    """Return the label with all but letters, digits, ``.``, ``-`` and ``_`` replaced (p11_path_canon in
    common/path.c).
    """
    label = chosen.label.partition(b"\0")[0] or b"certificate"
    return bytes(byte if byte in _SAFE else ord("_") for byte in label).decode()[:_LONGEST]


def _numbered(stem: str, suffix: str, taken: Container[str]) -> str:
    name, number = stem + suffix, 0
    while name in taken:
        number += 1
        name = f"{stem}.{number}{suffix}"
    return name


def _hash_name(digits: str, taken: Container[str]) -> str:
    number = 0
    while f"{digits}.{number}" in taken:
        number += 1
    return f"{digits}.{number}"
