"""Mono: its machine store, in the two formats that ``cert-sync`` writes.

Facts, found with cert-sync of Mono 6.8: ``certs/Trust`` has a DER file for each certificate, named after its subject
key identifier and its serial number with the bytes reversed, or else after the digest of its signed part.
``new-certs/Trust`` has a PEM file named after OpenSSL's subject hash. cert-sync also writes the text form behind the
PEM; readers ignore it. Mono reads HASH.0, HASH.1, ... up to the first number that is missing, and no other file.
Neither file can record who added it. So ``remove`` deletes a certificate even if somebody else has added it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from itertools import count, takewhile

from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.view import Absent, File, View, join, read
from rootfs_trust.runtimes.programs import MONO, MONO_STORE
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest, RuntimeTree
from rootfs_trust.x509 import Certificate, encode, parse_certificate, read_objects
from rootfs_trust.x509.der import DerReader

NAME = "mono"

LEGACY, BTLS = f"{MONO_STORE}/certs/Trust", f"{MONO_STORE}/new-certs/Trust"


def present(tree: RuntimeTree) -> bool:
    """Return whether the root filesystem has Mono."""
    return is_installed(tree.view)


def is_installed(view: View) -> bool:
    """Return whether ``view`` has the program or its machine store."""
    return any(map(view.kind, MONO))


def plan(tree: RuntimeTree, request: RuntimeRequest) -> RuntimePlan:
    """Plan a file for each anchor in both directories."""
    result = RuntimePlan()
    legacy, btls = dict(_files_with_digests(tree.view, LEGACY)), dict(_files_with_digests(tree.view, BTLS))
    for held in (legacy, btls):
        result.desired |= {path: Absent() for path, digest in held.items() if digest in request.removed}
    for anchor in request.anchors:
        certificate = anchor.certificate
        if certificate.sha256 in request.removed:
            continue
        if certificate.sha256 not in legacy.values():
            result.desired[join(LEGACY, legacy_name(certificate))] = File(certificate.der)
        if certificate.sha256 not in (btls[path] for path in _numbered(certificate.subject.hash, btls)):
            written = {path for path, node in result.desired.items() if isinstance(node, File)}
            path = _free_path(certificate, {path for path in btls if path not in result.desired} | written)
            result.desired[path] = File(encode(certificate.der))
    _close_gaps(tree.view, btls, result)
    return result


def legacy_name(certificate: Certificate) -> str:
    """Return the name of a certificate's file in ``certs/Trust``."""
    identifier = certificate.subject_key_id
    if identifier is None:
        signed = DerReader(certificate.der).enter().any()
        return f"tbp-{hashlib.sha256(signed, usedforsecurity=False).hexdigest().upper()}.cer"
    serial = certificate.serial.to_bytes(certificate.serial.bit_length() // 8 + 1, signed=True)
    return f"ski-{(identifier + serial[::-1]).hex().upper()}.cer"


def _free_path(certificate: Certificate, taken: set[str]) -> str:
    """Return the first path in ``new-certs/Trust`` that no other certificate with this subject has."""
    return next(path for path in _paths(certificate.subject.hash) if path not in taken)


def _paths(digits: str) -> Iterator[str]:
    """Yield the paths in ``new-certs/Trust`` where Mono looks for certificates with this subject hash."""
    return (join(BTLS, f"{digits}.{number}") for number in count())


def _numbered(digits: str, held: Collection[str]) -> list[str]:
    """Return those of the ``held`` paths that Mono reads for a subject hash: the numbers up to the first gap."""
    return list(takewhile(held.__contains__, _paths(digits)))


def _close_gaps(view: View, held: Collection[str], result: RuntimePlan) -> None:
    """Move the last files of a subject to the numbers of removed ones, so that Mono still finds them."""
    removed = [path for path, node in result.desired.items() if isinstance(node, Absent)]
    for digits in dict.fromkeys(path.rpartition("/")[2].partition(".")[0] for path in removed):
        paths = _numbered(digits, held)
        gaps = [number for number, path in enumerate(paths) if path in removed]
        kept = [number for number, path in enumerate(paths) if path not in removed]
        while gaps and kept and gaps[0] < kept[-1]:
            last, gap = paths[kept.pop()], paths[gaps.pop(0)]
            result.desired |= {gap: File(read(view, last) or b""), last: Absent()}


def _files_with_digests(view: View, directory: str) -> Iterator[tuple[str, str]]:
    """Yield the files of a directory, each with the SHA-256 of its certificate (empty if it is unreadable)."""
    for name in view.names(directory):
        path = join(directory, name)
        yield path, _digest(read(view, path) or b"")


def _digest(data: bytes) -> str:
    if not data.startswith(b"0"):
        return next((certificate.sha256 for _, certificate in read_objects(data).certificates), "")
    try:
        return parse_certificate(data).sha256
    except MalformedError:
        return ""
