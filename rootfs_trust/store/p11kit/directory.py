"""The directory formats of ``trust extract``: a file a certificate, and links by both of OpenSSL's subject hashes.

Source: extract_pem_directory in trust/extract-pem.c, p11_openssl_symlink in extract-openssl.c, make_unique_name
in save.c. Where p11-kit works out another hash than OpenSSL, which looks the links up (NumericString, and Latin-1
in old string types), the link has OpenSSL's.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field

from rootfs_trust.store.p11kit.select import Chosen

_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_")
_LONGEST = 255 - 16 - len(".pem")
"""MAX_FILE_NAME less the room that make_unique_name keeps for a number."""


@dataclass(slots=True)
class HashDirectory:
    """Contents by file name, and file names by link name, each in the order of writing."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def add(self, chosen: Chosen, content: bytes) -> None:
        """One certificate: its file, then the link by its new hash, then the one by its old hash."""
        name = _numbered(file_stem(chosen), ".pem", self.files)
        self.files[name] = content
        subject = chosen.certificate.subject
        for digits in (subject.hash, subject.hash_old):
            self.links[_hash_name(digits, self.links)] = name


def hash_directory(chosen: Iterable[Chosen], block: Callable[[Chosen], bytes]) -> HashDirectory:
    """``pem-directory-hash`` if ``block`` writes plain PEM, ``openssl-directory`` if it writes trusted PEM."""
    made = HashDirectory()
    for each in chosen:
        made.add(each, block(each))
    return made


def file_stem(chosen: Chosen) -> str:
    """The label, all but letters, digits, ``.``, ``-`` and ``_`` replaced (p11_path_canon in common/path.c)."""
    label = chosen.label.partition(b"\0")[0] or b"certificate"
    return bytes(octet if octet in _SAFE else ord("_") for octet in label).decode()[:_LONGEST]


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
