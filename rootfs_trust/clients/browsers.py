"""Chromium and Firefox: roots that are compiled in, and those that managed policies add.

Certificates that a user adds in a profile are not part of an image. Sources: those of
:mod:`rootfs_trust.runtimes.chromium` and :mod:`rootfs_trust.runtimes.firefox`; Policies.sys.mjs of Firefox 153 (a name
in Certificates.Install without a directory is looked for in ``distribution/certificates`` below the program, then below
/usr/lib/mozilla/certificates and /usr/lib64/mozilla/certificates).
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from rootfs_trust.clients.client import Client, ClientAnchor, ClientType, FoundAnchors, fixed, together
from rootfs_trust.clients.compiled_roots import NOTE, compiled_in
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.view import join, read
from rootfs_trust.runtimes import chromium, firefox
from rootfs_trust.runtimes.policy_file import object_at, read_policies, texts_at
from rootfs_trust.x509 import Certificate, parse_certificate, read_objects

_CERTIFICATES = ("/usr/lib/mozilla/certificates", "/usr/lib64/mozilla/certificates")
_AS_GO = f"evaluated by the rules of Go, which are the closest; {NOTE}"
_AS_RUSTLS = f"evaluated by the rules of webpki, which follow Firefox's mozilla::pkix; {NOTE}"

CHROMIUM = ClientType(
    "chromium",
    "go",
    "Chromium, Chrome, Edge, Brave",
    "roots compiled into the program, and the managed policy `CACertificates`",
    "Chrome Enterprise policy list",
)
FIREFOX = ClientType(
    "firefox",
    "rustls",
    "Firefox",
    "roots compiled into the program, and the files that the policy `Certificates.Install` names",
    "policy-templates of Firefox",
)
TYPES = (CHROMIUM, FIREFOX)


def clients(reading: FileReader) -> Iterator[Client]:
    """Yield ``chromium`` and ``firefox``, if the rootfs has them."""
    for directory, program in chromium.browsers(reading.view):
        parts = [compiled_in(reading, program), _managed(reading, directory)]
        yield CHROMIUM.client(fixed(together(parts)), _AS_GO)
    for path, program in firefox.installations(reading.view):
        parts = [compiled_in(reading, program), _installed(reading, path, program)]
        yield FIREFOX.client(fixed(together(parts)), _AS_RUSTLS)


def _managed(reading: FileReader, directory: str) -> FoundAnchors:
    """Return the certificates of the policy CACertificates. If several files in a directory set it, the last one
    applies.
    """
    anchors: tuple[ClientAnchor, ...] = ()
    faults = []
    for path in reading.files_in(directory):
        try:
            texts = texts_at(_document(reading, path), chromium.POLICY)
        except MalformedError as error:
            faults.append(f"{path} {error.message}")
            continue
        anchors = tuple(_decoded(texts, path)) or anchors
    return FoundAnchors(anchors, directory, tuple(faults))


def _decoded(texts: list[str], path: str) -> Iterator[ClientAnchor]:
    for text in texts:
        try:
            yield ClientAnchor(parse_certificate(b64decode(text)), path)
        except (ValueError, MalformedError):
            continue


def _installed(reading: FileReader, path: str, program: str) -> FoundAnchors:
    """Return the certificates in the files that the policy Certificates.Install names."""
    try:
        certificates = object_at(object_at(_document(reading, path), "policies"), "Certificates")
        names = texts_at(certificates, "Install")
    except MalformedError as error:
        return FoundAnchors((), path, (f"{path} {error.message}",))
    files = [file for name in names if (file := _file(reading, program, name)) is not None]
    found = [ClientAnchor(each, file) for file in files for each in _first(read(reading.view, file) or b"")]
    return FoundAnchors(tuple(found), path)


def _file(reading: FileReader, program: str, name: str) -> str | None:
    if name.startswith("/"):
        return reading.first_file(name)
    directories = (join(program, "distribution/certificates"), *_CERTIFICATES)
    return reading.first_file(*(join(directory, name) for directory in directories))


def _first(data: bytes) -> list[Certificate]:
    """Return the first certificate of a PEM file, or the one in DER."""
    try:
        return (
            [parse_certificate(data)]
            if data.startswith(b"0")
            else [each for _, each in read_objects(data).certificates][:1]
        )
    except MalformedError:
        return []


def _document(reading: FileReader, path: str) -> dict[str, Any]:
    data = read(reading.view, path)
    return {} if data is None else read_policies(data)
