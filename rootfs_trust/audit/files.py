"""Read and parse the certificate files of a tree, each file only once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.listing import entries_below
from rootfs_trust.rootfs.view import File, Owner, View
from rootfs_trust.x509 import Certificate, Objects, read_objects


class CertificateFile(NamedTuple):
    """A regular file with its real path, and the PEM objects in it."""

    path: str
    data: bytes
    owner: Owner | None
    mode: int
    objects: Objects

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates that OpenSSL would read from it, in order."""
        return tuple(certificate for _, certificate in self.objects.certificates)


class TreeFiles:
    """Reads the files of ``view``, and parses each only once."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._read: dict[str, CertificateFile | None] = {}
        self._at: dict[str, CertificateFile | None] = {}

    def at(self, path: str) -> CertificateFile | None:
        """Return the file at ``path``, following links, or None.

        Returns None also for a file that is too large to be a trust store.
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
            if error.problems[0].id != "too-large":
                raise
            return None
        if not isinstance(node, File):
            return None
        return CertificateFile(real, node.content, node.owner, node.mode, read_objects(node.content))

    def below(self, folder: str) -> Iterator[str]:
        """Yield the paths of all files below ``folder``, following links, in byte order."""
        return (path for path, _ in entries_below(self.view, folder, follow=True))
