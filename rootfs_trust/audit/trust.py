"""What a tree trusts: every anchor of every output, once, with its origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from rootfs_trust.audit import places
from rootfs_trust.audit.files import CertificateFile, Files
from rootfs_trust.audit.outputs import BUNDLE, CODE, DIRECTORY, EMAIL, JAVA, HashDirectory, Output, outputs
from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.nodes import View
from rootfs_trust.store.anchor import name_of_file, name_of_subject
from rootfs_trust.x509 import Certificate, parse_certificate

DISTRIBUTION, LOCAL, OWN, UNSOURCED = "distribution", "local", "rootfs-trust", "unsourced"
"""Where an anchor comes from; see :attr:`TrustedAnchor.origin`."""

_PURPOSES = {BUNDLE: "server-auth", DIRECTORY: "server-auth", JAVA: "server-auth", EMAIL: "email", CODE: "code-signing"}


@dataclass(frozen=True, slots=True)
class TrustedAnchor:
    """A certificate that some output holds."""

    name: str
    certificate: Certificate
    origin: str
    """
    ``rootfs-trust``  named in the rootfs-trust.toml at hand
    ``local``         in a folder, or a file of the hash directory, that is the device owner's
    ``distribution``  shipped by a package, or of a tree that has nothing but outputs
    ``unsourced``     in an output alone, though the tree has sources: the distribution's tool would drop it
    """
    outputs: tuple[str, ...]
    """The kinds of the outputs that hold it."""
    paths: tuple[str, ...]
    """The paths of these outputs."""
    sources: tuple[str, ...]
    """The files from which the distribution's tool takes it."""

    @property
    def is_local(self) -> bool:
        """Whether the device's owner has added it, rather than a package."""
        return self.origin in (LOCAL, OWN)

    @property
    def purposes(self) -> tuple[str, ...]:
        """What it is trusted for, as the outputs tell it."""
        return tuple(dict.fromkeys(_PURPOSES[output] for output in self.outputs))


class Trust:
    """The trust of the tree ``view``. ``own``: SHA-256 of the anchors that the caller's configuration names."""

    def __init__(self, view: View, own: Iterable[str] = ()) -> None:
        self.files = Files(view)
        self.view = view
        self._own = frozenset(own)

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """Every output of the tree."""
        return outputs(self.files)

    @cached_property
    def local(self) -> dict[str, list[str]]:
        """The owner's source files, by the SHA-256 of what they hold."""
        return _by_digest(self._sources(places.LOCAL_SOURCES, ()))

    @cached_property
    def shipped(self) -> dict[str, list[str]]:
        """The packages' source files, by the SHA-256 of what they hold."""
        return _by_digest(self._sources(places.SHIPPED_SOURCES, places.LOCAL_SOURCES))

    @cached_property
    def anchors(self) -> tuple[TrustedAnchor, ...]:
        """Every anchor, in the order of the outputs; the bundle's come first."""
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
        origin = self._origin(certificate.sha256, holders)
        return TrustedAnchor(self._name(certificate, sources), certificate, origin, kinds, paths, sources)

    def _origin(self, sha256: str, holders: list[Output]) -> str:
        if sha256 in self._own:
            return OWN
        if sha256 in self.local or sha256 in self._by_hand:
            return LOCAL
        if sha256 in self.shipped or not (self.local or self.shipped):
            return DISTRIBUTION
        return UNSOURCED

    @cached_property
    def _by_hand(self) -> frozenset[str]:
        """What somebody has put into a hash directory as a file of its own, where the tree has sources elsewhere."""
        if not (self.local or self.shipped):
            return frozenset()
        folders = [output for output in self.outputs if isinstance(output, HashDirectory)]
        bundles = {output.path for output in self.outputs if not isinstance(output, HashDirectory)}
        paths = (path for folder in folders for path in folder.others if path not in bundles)
        files = (self.files.at(path) for path in paths if self.view.real_path(path) == path)
        return frozenset(each.sha256 for file in files if file for each in file.certificates)

    def _name(self, certificate: Certificate, sources: tuple[str, ...]) -> str:
        """That of its source file where it is alone there, else one made of its subject: as ``install`` names it."""
        for path in sources:
            file = self.files.at(path)
            if file and len(certificates_of(file)) == 1:
                return name_of_file(path)
        return name_of_subject(certificate.subject, certificate.sha256)

    def _sources(self, folders: Iterable[str], without: tuple[str, ...]) -> Iterator[tuple[str, CertificateFile]]:
        for folder in folders:
            for path in self.files.below(folder):
                inner = path[len(folder) + 1 :].partition("/")[0]
                if inner in places.BLOCKLISTS or path.startswith(tuple(f"{each}/" for each in without)):
                    continue
                file = self.files.at(path)
                if file:
                    yield path, file


def certificates_of(file: CertificateFile) -> tuple[Certificate, ...]:
    """The certificates of a source file, which p11-kit and we take as DER, too."""
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
