"""What the checks are given: a tree as it is read, the time, the policy, and what several checks ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from rootfs_trust.audit import places
from rootfs_trust.audit.files import CertificateFile
from rootfs_trust.audit.outputs import Bundle, HashDirectory, JavaStore
from rootfs_trust.audit.tolerant import Tolerant
from rootfs_trust.audit.trust import LOCAL, OWN, Trust, TrustedAnchor
from rootfs_trust.inputs.config import AnchorTable
from rootfs_trust.inputs.policy import Policy
from rootfs_trust.rootfs.nodes import View


@dataclass(frozen=True)
class Inspection:
    """The tree that ``trust`` reads, judged by ``policy`` at the time ``at``."""

    trust: Trust
    policy: Policy
    at: datetime
    own: Mapping[str, AnchorTable]
    """What the caller's configuration says of the anchors that it names, by SHA-256."""
    distrust: frozenset[str]
    """SHA-256 of what it distrusts."""
    image: View | None = None
    """The tree without the device's state, where one lies over it."""

    @property
    def view(self) -> View:
        """The tree itself."""
        return self.trust.view

    def from_state(self, path: str) -> bool:
        """Whether what stands at ``path`` comes from the device's state."""
        return isinstance(self.view, Tolerant) and self.view.from_state(path)

    @cached_property
    def bundles(self) -> tuple[Bundle, ...]:
        """The bundles, those for mail and code too."""
        return tuple(output for output in self.trust.outputs if isinstance(output, Bundle))

    @cached_property
    def directories(self) -> tuple[HashDirectory, ...]:
        """The hash directories."""
        return tuple(output for output in self.trust.outputs if isinstance(output, HashDirectory))

    @cached_property
    def java_stores(self) -> tuple[JavaStore, ...]:
        """The keystores of Java that are outputs of the store."""
        return tuple(output for output in self.trust.outputs if isinstance(output, JavaStore))

    @cached_property
    def local_anchors(self) -> tuple[TrustedAnchor, ...]:
        """The anchors that were installed, rather than shipped; no server's certificate that lies with them."""
        local = (anchor for anchor in self.trust.anchors if anchor.origin in (LOCAL, OWN))
        return tuple(anchor for anchor in local if anchor.sources or anchor.certificate.is_ca)

    def where(self, anchor: TrustedAnchor) -> str:
        """The path that a finding about an anchor names: its source, a file of its own, or an output that holds it."""
        source = next(iter(anchor.sources), None)
        return source or self._alone.get(anchor.certificate.sha256, anchor.paths[0])

    @cached_property
    def _alone(self) -> dict[str, str]:
        """The files of one certificate each that clients read, by its SHA-256."""
        files = (file for file in self.read_by_clients if len(file.certificates) == 1)
        return {file.certificates[0].sha256: file.path for file in files}

    @cached_property
    def by_p11kit(self) -> bool:
        """Whether the store is made by p11-kit, which reads sources in any form and writes outputs of its own."""
        return any(self.view.kind(folder) is not None for folder in places.P11KIT_SOURCES)

    @cached_property
    def read_by_clients(self) -> tuple[CertificateFile, ...]:
        """The files that clients read: bundles and all that stands in hash directories, each once."""
        return tuple(_once(self._client_files()))

    @cached_property
    def sources(self) -> tuple[CertificateFile, ...]:
        """The files from which the distribution's tool makes the store, each once."""
        files = (self.trust.files.at(path) for path in self._source_paths())
        return tuple(_once(file for file in files if file))

    def _source_paths(self) -> Iterator[str]:
        for folder in (*places.LOCAL_SOURCES, *places.SHIPPED_SOURCES):
            yield from self.trust.files.below(folder)

    def _client_files(self) -> Iterator[CertificateFile]:
        java = {store.path for store in self.java_stores}
        yield from (bundle.file for bundle in self.bundles)
        for directory in self.directories:
            paths = (*directory.others, *(link.path for link in directory.links))
            yield from (file for path in paths if (file := self.trust.files.at(path)) and file.path not in java)


def _once(files: Iterable[CertificateFile]) -> list[CertificateFile]:
    return list({file.path: file for file in files}.values())
