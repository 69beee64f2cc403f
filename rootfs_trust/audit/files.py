"""The certificate files of a tree, each read and taken apart once, by whatever link it is reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.nodes import Directory, File, Owner, View, as_bytes, join
from rootfs_trust.x509 import Certificate, Objects, read_objects

DEEPEST = 100
"""Folders below one another; no package nests them so, and a hostile tree must not exhaust the stack."""


class CertificateFile(NamedTuple):
    """A regular file, by its path free of links, and the PEM objects in it."""

    path: str
    data: bytes
    owner: Owner | None
    mode: int
    objects: Objects

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates in it that OpenSSL would read, in order."""
        return tuple(certificate for _, certificate in self.objects.certificates)


class Files:
    """The files of ``view``."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._read: dict[str, CertificateFile | None] = {}
        self._at: dict[str, CertificateFile | None] = {}

    def at(self, path: str) -> CertificateFile | None:
        """The file at which ``path`` ends, links followed; None where there is none.

        One that is larger than any store is none either: nobody can have made it from certificates.
        """
        if path not in self._at:
            real = self.view.real_path(path)
            self._at[path] = None if real is None else self._real(real)
        return self._at[path]

    def _real(self, real: str) -> CertificateFile | None:
        if real not in self._read:
            self._read[real] = self._file(real)
        return self._read[real]

    def _file(self, real: str) -> CertificateFile | None:
        try:
            node = self.view.node(real)
        except InputError as error:
            if error.troubles[0].id != "too-large":
                raise
            return None
        if not isinstance(node, File):
            return None
        return CertificateFile(real, node.content, node.owner, node.mode, read_objects(node.content))

    def below(self, folder: str) -> Iterator[str]:
        """The paths of everything below ``folder`` but folders, links followed, in byte order."""
        yield from self._below(folder, frozenset())

    def _below(self, folder: str, above: frozenset[str | None]) -> Iterator[str]:
        real = self.view.real_path(folder)
        if real in above or len(above) > DEEPEST:
            return
        for name in sorted(self.view.names(folder), key=as_bytes):
            path = join(folder, name)
            if self.view.kind(path) is Directory:
                yield from self._below(path, above | {real})
            else:
                yield path
