"""The input of the checks: a tree, the time, the policy, and data that several checks need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.files import CertificateFile
from rootfs_trust.audit.store_files import Bundle, HashDirectory, JavaStore
from rootfs_trust.audit.trusted_anchors import LOCAL, OWN, Trust, TrustedAnchor, certificates_of
from rootfs_trust.errors import InputError
from rootfs_trust.inputs.config import AnchorTable
from rootfs_trust.inputs.policy import Policy
from rootfs_trust.inputs.root_data import RootData
from rootfs_trust.layouts.detect import find_layout
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.layouts.tools import UpdateCaCertificates
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.error_collecting_view import ErrorCollectingView
from rootfs_trust.rootfs.view import File, View, join, read
from rootfs_trust.store.debian.ca_certificates_conf import parse_conf
from rootfs_trust.store.selection import Selection
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.constrained import digests_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rootfs_trust.audit.servers import Server


@dataclass(frozen=True)
class Inspection:
    """The input of the checks: the tree of ``trust``, the time ``at``, and the ``policy``."""

    trust: Trust
    policy: Policy
    at: datetime
    own: Mapping[str, AnchorTable]
    """The ``[[anchor]]`` tables of the configuration, by SHA-256."""
    distrust: tuple[Selection, ...]
    """The certificates that the configuration distrusts."""
    root_data: RootData
    """The table of public roots."""
    servers: tuple[Server, ...] = ()
    """The ``[[server]]`` tables of the configuration."""
    clouds: tuple[str, ...] = ()
    """The clouds of the configuration and the command line: ``aws``, ``az``, ``c8y``."""
    image: View | None = None
    """The tree without the device's state, if there is one."""

    @property
    def view(self) -> View:
        """The tree."""
        return self.trust.view

    @property
    def device(self) -> Device:
        """The system of the tree: os-release and packages."""
        return self.trust.device

    def table_of(self, certificate: Certificate) -> AnchorTable | None:
        """Return the configured anchor that ``certificate`` is, also as a copy that a renewal has constrained."""
        return next((self.own[sha256] for sha256 in digests_of(certificate) if sha256 in self.own), None)

    def from_state(self, path: str) -> bool:
        """Return whether the entry at ``path`` comes from the device's state."""
        return isinstance(self.view, ErrorCollectingView) and self.view.from_state(path)

    @cached_property
    def bundles(self) -> tuple[Bundle, ...]:
        """All bundles, including those for mail and code signing."""
        return tuple(output for output in self.trust.outputs if isinstance(output, Bundle))

    @cached_property
    def directories(self) -> tuple[HashDirectory, ...]:
        """The hash directories."""
        return tuple(output for output in self.trust.outputs if isinstance(output, HashDirectory))

    @cached_property
    def java_stores(self) -> tuple[JavaStore, ...]:
        """The Java keystores that are store files."""
        return tuple(output for output in self.trust.outputs if isinstance(output, JavaStore))

    @cached_property
    def local_anchors(self) -> tuple[TrustedAnchor, ...]:
        """The anchors that the administrator installed, except server certificates."""
        local = (anchor for anchor in self.trust.anchors if anchor.origin in (LOCAL, OWN))
        return tuple(anchor for anchor in local if anchor.sources or anchor.certificate.is_ca)

    def where(self, anchor: TrustedAnchor) -> str:
        """Return the path for findings about an anchor: its source file, a single file, or a store file."""
        source = next(iter(anchor.sources), None)
        places = (*anchor.paths, *(reader.path for reader in anchor.readers))
        return source or self._single_certificate_files.get(anchor.certificate.sha256, places[0])

    @cached_property
    def _single_certificate_files(self) -> dict[str, str]:
        """The files that clients read and that contain a single certificate, by its SHA-256."""
        files = (file for file in self.read_by_clients if len(file.certificates) == 1)
        return {file.certificates[0].sha256: file.path for file in files}

    @cached_property
    def uses_p11kit(self) -> bool:
        """Whether p11-kit generates the store. It reads source files in any format."""
        return any(self.view.kind(folder) is not None for folder in well_known_paths.P11KIT_SOURCES)

    @cached_property
    def layout_outputs(self) -> tuple[str, ...]:
        """The paths that the distribution's tool writes; empty if the layout is not known."""
        return self._layout.outputs if self._layout else ()

    @property
    def bundle_is_a_package(self) -> bool:
        """Whether the bundle comes from an optional package and not from a tool."""
        return self._layout is not None and self._layout.optional_bundle

    @property
    def layout_links(self) -> tuple[str, ...]:
        """The links to the store files that the distribution's packages contain."""
        return tuple(path for path, _ in self._layout.links) if self._layout else ()

    @cached_property
    def _layout(self) -> Layout | None:
        try:
            return find_layout(self.device)
        except InputError:
            return None

    def is_read(self, path: str) -> bool:
        """Return whether the distribution's tool can use a local source file. If not, there is another finding.

        update-ca-certificates reads ``*.crt`` (on Alpine any name), and uses one PEM certificate per file.
        """
        file = self.trust.files.at(path)
        if self.uses_p11kit or not path.startswith(f"{well_known_paths.DEBIAN_LOCAL}/") or file is None:
            return True
        return len(file.certificates) == 1 and (self.is_flat or path.endswith(".crt"))

    @cached_property
    def is_flat(self) -> bool:
        """Whether the tool is Alpine's, which reads files of any name, but no subdirectories."""
        tool = self._layout.tool if self._layout else None
        return self.is_alpine or (isinstance(tool, UpdateCaCertificates) and tool.flat)

    @cached_property
    def is_alpine(self) -> bool:
        """Whether the distribution is Alpine, which may have only the bundle and get its tool later."""
        return self.view.kind("/etc/alpine-release") is File

    def is_distrusted(self, path: str, sha256: str) -> bool:
        """Return whether the distribution's tool ignores a source file that is not listed or is on a blocklist."""
        if self.uses_p11kit:
            return sha256 in self.blocked
        listed = self.listed
        return listed is not None and path.startswith(f"{well_known_paths.LISTED}/") and path not in listed

    @cached_property
    def listed(self) -> frozenset[str] | None:
        """The paths that ca-certificates.conf trusts, or None without such a file."""
        data = read(self.view, well_known_paths.CONF)
        if data is None:
            return None
        return frozenset(
            join(well_known_paths.LISTED, name) for name in parse_conf(data.replace(b"\r\n", b"\n")).trusted
        )

    @cached_property
    def blocked(self) -> dict[str, str]:
        """The files on p11-kit's blocklists, by the SHA-256 of their certificates."""
        folders = [
            join(folder, name) for folder in well_known_paths.P11KIT_SOURCES for name in well_known_paths.BLOCKLISTS
        ]
        files = [self.trust.files.at(path) for folder in folders for path in self.trust.files.below(folder)]
        return {each.sha256: file.path for file in files if file for each in certificates_of(file)}

    @cached_property
    def read_by_clients(self) -> tuple[CertificateFile, ...]:
        """The files that clients read: bundles and all files in hash directories, each once."""
        return tuple(_once(self._client_files()))

    @cached_property
    def sources(self) -> tuple[CertificateFile, ...]:
        """The certificate source files, each once."""
        folders = (*well_known_paths.LOCAL_SOURCES, *well_known_paths.SHIPPED_SOURCES)
        paths = (path for folder in folders for path in self.trust.files.below(folder))
        return tuple(_once(file for path in paths if (file := self.trust.files.at(path))))

    def _client_files(self) -> Iterator[CertificateFile]:
        java = {store.path for store in self.java_stores}
        yield from (bundle.file for bundle in self.bundles)
        for directory in self.directories:
            paths = (*directory.others, *(link.path for link in directory.links))
            yield from (file for path in paths if (file := self.trust.files.at(path)) and file.path not in java)


def _once(files: Iterable[CertificateFile]) -> list[CertificateFile]:
    return list({file.path: file for file in files}.values())
