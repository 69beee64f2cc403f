"""Who is trusted by a file, whatever its format, read apart from the product: PEM, TRUSTED, JKS, EFI lists."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from hashlib import sha256
from struct import unpack_from

from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import File, Symlink, join

_BLOCK = re.compile(rb"-----BEGIN ((?:TRUSTED )?CERTIFICATE)-----\s(.*?)-----END \1-----", re.DOTALL)
_JKS = b"\xfe\xed\xfe\xed"
_EFI_CERT_X509 = bytes.fromhex("a159c0a5e494a74a87b5ab155c2bf072")


@dataclass(frozen=True)
class Held:
    """SHA-256 of the certificates, one a time it stands there."""

    trusted: tuple[str, ...] = ()
    distrusted: tuple[str, ...] = ()


def held(data: bytes) -> Held:
    """What ``data`` holds; any file that is none of the formats holds nothing."""
    if data.startswith(_JKS):
        return Held(tuple(_of_keystore(data)))
    if data[:16] == _EFI_CERT_X509:
        return Held(tuple(_of_efi_lists(data)))
    found: tuple[list[str], list[str]] = [], []
    for _, body in _BLOCK.findall(data):
        der = base64.b64decode(body)
        end = _end(der)
        found[_rejects(der[end:])].append(sha256(der[:end]).hexdigest())
    return Held(tuple(found[0]), tuple(found[1]))


def _end(der: bytes) -> int:
    """Where the first element ends; those of certificates are of two octets."""
    assert der[:2] == b"\x30\x82", der[:2]
    return 4 + int.from_bytes(der[2:4])


def _rejects(settings: bytes) -> bool:
    """Whether X509_CERT_AUX has no trusted purpose, and rejected ones ([0])."""
    if not settings:
        return False
    header = 2 if settings[1] < 0x80 else 2 + settings[1] - 0x80
    return settings[header : header + 1] == b"\xa0"


def _of_keystore(data: bytes) -> list[str]:
    """The certificates of a JKS of trusted certificates, see JavaKeyStore.java."""
    version, count = unpack_from(">II", data, 4)
    assert version == 2
    found, place = [], 12
    for _ in range(count):
        tag, length = unpack_from(">IH", data, place)
        assert tag == 2, "a trusted certificate"
        place += 6 + length + 8
        place += 2 + unpack_from(">H", data, place)[0]
        (size,) = unpack_from(">I", data, place)
        found.append(sha256(data[place + 4 : place + 4 + size]).hexdigest())
        place += 4 + size
    assert place + 20 == len(data)
    return found


def _of_efi_lists(data: bytes) -> list[str]:
    """The certificates of EFI_SIGNATURE_LISTs of one certificate each (UEFI 2.10, 32.4.1)."""
    found, place = [], 0
    while place < len(data):
        assert data[place : place + 16] == _EFI_CERT_X509
        size, header, each = unpack_from("<III", data, place + 16)
        assert (header, size) == (0, 28 + each)
        found.append(sha256(data[place + 28 + 16 : place + size]).hexdigest())
        place += size
    return found


def held_by_file(tree: RootDirectory, path: str) -> Held:
    """What the file at ``path`` holds for the device, links followed inside the root."""
    node = tree.node(path, follow=True)
    assert isinstance(node, File), path
    return held(node.content)


def held_by_directory(tree: RootDirectory, path: str) -> Held:
    """What the files and links of the directory lead to, subfolders left out; no link may lead nowhere."""
    trusted: list[str] = []
    distrusted: list[str] = []
    for name in tree.names(path):
        if tree.kind(join(path, name)) is File:
            found = held_by_file(tree, join(path, name))
            trusted += found.trusted
            distrusted += found.distrusted
        else:
            assert tree.kind(join(path, name), follow=False) is not Symlink, f"{name} leads nowhere"
    return Held(tuple(trusted), tuple(distrusted))
