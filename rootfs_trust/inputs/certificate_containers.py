"""Reads certificates from files of other formats: keystores, zip archives, Kubernetes objects, and text in other
encodings.
"""

from __future__ import annotations

from datetime import datetime

from rootfs_trust.errors import NO_CERTIFICATE, Problem
from rootfs_trust.inputs.archives import is_zip, zip_files
from rootfs_trust.inputs.certificates import CertificatesRead, FoundCertificate, certificates
from rootfs_trust.inputs.encodings import decoded
from rootfs_trust.inputs.files import NAMES_THAT_COUNT, NO_CERTIFICATE_NAME, skipped
from rootfs_trust.inputs.keystores import is_keystore, keystore_entries
from rootfs_trust.inputs.kubernetes import kubernetes_kind, kubernetes_values

_GIVE_CA = "give the CA certificate as PEM or DER"
_DEEPEST = 3
"""Maximum nesting of containers, such as base64 of PEM in a ConfigMap in a zip archive."""


def read_container(path: str, data: bytes, at: datetime, depth: int) -> CertificatesRead | None:
    """Return the certificates in a container, or its problems; None if ``data`` is not a container.

    ``depth`` is the number of containers around ``data``. At a depth of :data:`_DEEPEST`, only keystores are opened.
    """
    if is_keystore(data):
        return _from_keystore(path, data)
    if depth >= _DEEPEST:
        return None
    if (inner := decoded(data)) is not data:
        return certificates(path, inner, at, depth + 1)
    if is_zip(data):
        return _from_zip(path, data, at, depth)
    if kind := kubernetes_kind(data):
        return _from_kubernetes(path, data, kind, at, depth)
    return None


def _from_keystore(path: str, data: bytes) -> CertificatesRead:
    entries = keystore_entries(path, data)
    if isinstance(entries, Problem):
        return CertificatesRead(problems=[entries])
    if not entries:
        return CertificatesRead(problems=[NO_CERTIFICATE(path, "the keystore is empty", _GIVE_CA)])
    alone = len(entries) == 1
    return CertificatesRead([FoundCertificate(cert, path, None, alone, label=alias) for cert, alias in entries])


def _from_zip(path: str, data: bytes, at: datetime, depth: int) -> CertificatesRead:
    """Read the archive like a directory: skip files with other names, unless they contain a private key."""
    files = zip_files(path, data)
    if isinstance(files, Problem):
        return CertificatesRead(problems=[files])
    whole = CertificatesRead()
    for file in files:
        inner = certificates(file.path, file.data, at, depth + 1)
        if file.wanted:
            whole.add(inner)
        else:
            whole.problems += [problem for problem in inner.problems if problem.id == "private-key"]
            whole.notes.append(skipped(file.path, NO_CERTIFICATE_NAME))
    if not whole.found and not whole.problems:
        whole.problems.append(NO_CERTIFICATE(path, "the zip archive contains no certificate file", NAMES_THAT_COUNT))
    return whole.complete()


def _from_kubernetes(path: str, data: bytes, kind: str, at: datetime, depth: int) -> CertificatesRead:
    """Read every value that contains a certificate. Ignore other values, such as a namespace."""
    whole = CertificatesRead()
    for key, content in kubernetes_values(data):
        inner = certificates(f"{path}/{key}", content, at, depth + 1)
        if all(problem.id != "no-certificate" for problem in inner.problems):
            whole.add(inner)
    if not whole.found and not whole.problems:
        message = f"the file is a Kubernetes object ({kind}) without a certificate in its data"
        whole.problems.append(NO_CERTIFICATE(path, message, "give a ConfigMap or Secret, or the PEM file"))
    return whole.complete()
