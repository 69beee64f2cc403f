"""Collect every anchor that a tree trusts, once, with its origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.files import CertificateFile, TreeFiles
from rootfs_trust.audit.store_files import BUNDLE, CODE, DIRECTORY, EMAIL, JAVA, HashDirectory, Output, outputs
from rootfs_trust.clients.readings import ClientReading, TrustedBy, TrustingClient, readings, trusted_by
from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import View
from rootfs_trust.store.anchor import name_of_file, name_of_subject
from rootfs_trust.x509 import Certificate, parse_certificate
from rootfs_trust.x509.constrained import digests_of

DISTRIBUTION, LOCAL, OWN, UNSOURCED = "distribution", "local", "rootfs-trust", "unsourced"
APPLICATION = "application"
"""The possible origins of an anchor; see :attr:`TrustedAnchor.origin`."""

_PURPOSES = {BUNDLE: "server-auth", DIRECTORY: "server-auth", JAVA: "server-auth", EMAIL: "email", CODE: "code-signing"}


@dataclass(frozen=True, slots=True)
class TrustedAnchor:
    """A certificate that a store file contains or a client trusts."""

    name: str
    certificate: Certificate
    origin: str
    """
    ``rootfs-trust``  named in the given rootfs-trust.toml
    ``local``         in the anchor source directory, or added to the hash directory by hand
    ``distribution``  shipped by a package, or in a tree without source files
    ``unsourced``     only in a store file, although the tree has source files; the distribution's tool would drop it
    ``application``   in no store of the system, but in the store of a runtime, or a file that a setting names
    """
    outputs: tuple[str, ...]
    """The kinds of the store files that contain it."""
    paths: tuple[str, ...]
    """The paths of these store files."""
    sources: tuple[str, ...]
    """The source files that contain it."""
    readers: tuple[TrustingClient, ...] = ()
    """The clients that trust it for TLS servers, and the path that each reads."""

    @property
    def clients(self) -> tuple[str, ...]:
        """The names of the clients that trust it, each once."""
        return tuple(dict.fromkeys(reader.client for reader in self.readers))

    @property
    def is_local(self) -> bool:
        """Whether the administrator has added it, rather than a package."""
        return self.origin in (LOCAL, OWN)

    @property
    def purposes(self) -> tuple[str, ...]:
        """The purposes for which it is trusted, from the store files and the clients."""
        told = [_PURPOSES[output] for output in self.outputs]
        return tuple(dict.fromkeys((*told, *(("server-auth",) if self.readers else ()))))


class Trust:
    """All anchors that the tree ``view`` trusts. ``own``: SHA-256 of the anchors in the configuration."""

    def __init__(self, view: View, own: Iterable[str] = ()) -> None:
        self.files = TreeFiles(view)
        self.view = view
        self.device = Device(view)
        self._own = frozenset(own)

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """Every store file of the tree."""
        return outputs(self.files)

    @cached_property
    def local(self) -> dict[str, list[str]]:
        """The administrator's source files, by the SHA-256 of their certificates."""
        return _by_digest(self._sources(well_known_paths.LOCAL_SOURCES, ()))

    @cached_property
    def shipped(self) -> dict[str, list[str]]:
        """The packages' source files, by the SHA-256 of their certificates."""
        return _by_digest(self._sources(well_known_paths.SHIPPED_SOURCES, well_known_paths.LOCAL_SOURCES))

    @cached_property
    def sources(self) -> tuple[tuple[Certificate, tuple[str, ...]], ...]:
        """Each certificate in source files, with the paths of the files; the administrator's files come first."""
        files = [
            *self._sources(well_known_paths.LOCAL_SOURCES, ()),
            *self._sources(well_known_paths.SHIPPED_SOURCES, well_known_paths.LOCAL_SOURCES),
        ]
        paths: dict[str, list[str]] = {}
        certificates: dict[str, Certificate] = {}
        for path, file in files:
            for each in certificates_of(file):
                certificates.setdefault(each.sha256, each)
                paths.setdefault(each.sha256, []).append(path)
        return tuple((certificate, tuple(paths[sha256])) for sha256, certificate in certificates.items())

    @cached_property
    def readings(self) -> tuple[ClientReading, ...]:
        """The files and certificates that each client reads."""
        return readings(self.device)

    @cached_property
    def trusted_by(self) -> dict[str, TrustedBy]:
        """The certificates that any client trusts, by SHA-256, with the clients."""
        return trusted_by(self.readings)

    @cached_property
    def trusted(self) -> tuple[TrustedAnchor, ...]:
        """All anchors: those in store files, then those that clients read from other files."""
        held = {anchor.certificate.sha256 for anchor in self.anchors}
        found = (each for sha256, each in self.trusted_by.items() if sha256 not in held)
        return (*self.anchors, *(self._anchor(each.certificate, []) for each in found))

    @cached_property
    def anchors(self) -> tuple[TrustedAnchor, ...]:
        """Every anchor in a store file, those in the bundle first."""
        holders: dict[str, list[Output]] = {}
        certificates: dict[str, Certificate] = {}
        for output in self.outputs:
            for each in output.certificates:
                certificates.setdefault(each.sha256, each)
                found = holders.setdefault(each.sha256, [])
                if output not in found[-1:]:
                    found.append(output)
        return tuple(self._anchor(certificates[sha256], found) for sha256, found in holders.items())

    def _anchor(self, certificate: Certificate, holders: list[Output]) -> TrustedAnchor:
        sources = (*self.local.get(certificate.sha256, ()), *self.shipped.get(certificate.sha256, ()))
        kinds = tuple(dict.fromkeys(output.kind for output in holders))
        paths = tuple(output.path for output in holders)
        origin = self._origin(certificate, holders)
        trusted = self.trusted_by.get(certificate.sha256)
        readers = trusted.readers if trusted else ()
        return TrustedAnchor(self._name(certificate, sources), certificate, origin, kinds, paths, sources, readers)

    def _origin(self, certificate: Certificate, holders: list[Output]) -> str:
        sha256 = certificate.sha256
        if not self._own.isdisjoint(digests_of(certificate)):
            return OWN
        if sha256 in self.local or sha256 in self.by_hand:
            return LOCAL
        if not (holders or sha256 in self.shipped):
            return APPLICATION
        if sha256 in self.shipped or not (self.local or self.shipped):
            return DISTRIBUTION
        return UNSOURCED

    @cached_property
    def by_hand(self) -> dict[str, str]:
        """The files that were added to a hash directory by hand, by the SHA-256 of their certificates.

        Empty if the tree has no source files.
        """
        if not (self.local or self.shipped):
            return {}
        made = {self.view.real_path(path) for path in well_known_paths.P11KIT_DIRECTORIES}
        folders = [output for output in self.outputs if isinstance(output, HashDirectory) and output.path not in made]
        bundles = {output.path for output in self.outputs if not isinstance(output, HashDirectory)}
        paths = (path for folder in folders for path in folder.others if path not in bundles)
        files = (self.files.at(path) for path in paths if self.view.real_path(path) == path)
        return {each.sha256: file.path for file in files if file for each in file.certificates}

    def _name(self, certificate: Certificate, sources: tuple[str, ...]) -> str:
        """Return the name that ``install`` would give to an anchor: the file name if the file contains one certificate,
        else a name from the subject.
        """
        for path in sources:
            file = self.files.at(path)
            if file and len(certificates_of(file)) == 1:
                return name_of_file(path)
        return name_of_subject(certificate.subject, certificate.sha256)

    def _sources(self, folders: Iterable[str], without: tuple[str, ...]) -> Iterator[tuple[str, CertificateFile]]:
        for folder in folders:
            for path in self.files.below(folder):
                inner = path[len(folder) + 1 :].partition("/")[0]
                if inner in well_known_paths.BLOCKLISTS or path.startswith(tuple(f"{each}/" for each in without)):
                    continue
                file = self.files.at(path)
                if file:
                    yield path, file


def certificates_of(file: CertificateFile) -> tuple[Certificate, ...]:
    """Return the certificates of a source file, in PEM or DER."""
    if file.certificates or not file.data.startswith(b"0"):
        return file.certificates
    try:
        return (parse_certificate(file.data),)
    except MalformedError:
        return ()


def _by_digest(files: Iterable[tuple[str, CertificateFile]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path, file in files:
        for each in certificates_of(file):
            found.setdefault(each.sha256, []).append(path)
    return found
