"""The interface of layouts, and what they work with: the request, and the plan of a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from rootfs_trust.errors import Problem
from rootfs_trust.rootfs.view import Absent, Directory, File, Symlink, View
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.selection import RootProgram, Selection
from rootfs_trust.x509 import Certificate

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/pki/tls/certs/ca-certificates.crt",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/cert.pem",
    "/usr/lib/ssl/cert.pem",
    "/usr/lib/ssl-3/cert.pem",
)
"""Paths of CA bundles for TLS on the known distributions. The first one is the most common."""


class Request(NamedTuple):
    """The change that a run makes. An empty request rebuilds the store from the sources in the rootfs."""

    anchors: tuple[Anchor, ...] = ()
    adopt: bool = False
    """Rewrite malformed files of the anchor source directory as clean ones."""
    drop_unsourced: bool = False
    """Drop certificates that only the bundle contains."""
    remove: tuple[str, ...] = ()
    """Names of anchors to delete or, if the distribution ships them, to distrust."""
    distrust: frozenset[str] = frozenset()
    """SHA-256 of the certificates of which every copy must be deleted or distrusted."""
    selections: tuple[Selection, ...] = ()
    """Further certificates to delete or distrust; see :func:`~rootfs_trust.store.selection.with_selections`."""
    named: Mapping[str, Selection] = {}
    """The certificates that names in ``remove`` select in the root data, if no anchor has the name."""
    known: tuple[str, ...] = ()
    """Every name in the root data, for suggestions."""
    block: tuple[Certificate, ...] = ()
    """Certificates to put on the blocklist of the store, although the store does not contain them."""
    program: RootProgram | None = None
    """Of the anchors that the distribution ships, trust only those of this root program."""
    only: bool = False
    """Trust nothing except ``anchors``: ``[store] base = "none"``."""
    presets: tuple[str, ...] = ()
    """With ``only``: clouds whose documented public roots are trusted too."""
    roots: tuple[Anchor, ...] = ()
    """Certificates in which the roots of ``presets`` are looked up, in addition to those in the rootfs."""
    at: datetime | None = None
    """The time of the run, which decides what has expired; None if expiry does not matter."""
    created: int | None = None
    """The date of new entries in stores that record dates, in seconds since 1970; None: that of the newest entry."""


@dataclass(slots=True)
class StorePlan:
    """The files of a store. ``desired`` is in the order of writing. Any problem or conflict prevents all of it."""

    desired: dict[str, File | Symlink | Directory | Absent] = field(default_factory=dict)
    installed: list[Anchor] = field(default_factory=list)
    """The requested anchors, under their names in the store."""
    removed: list[Anchor] = field(default_factory=list)
    """The anchors that are deleted or distrusted."""
    selected: set[str] = field(default_factory=set)
    """SHA-256 of the certificates that the request's selections match. No client may trust them after the run."""
    expired: set[str] = field(default_factory=set)
    """SHA-256 of expired certificates that only the bundle contains, and that the distribution's tool will drop."""
    outside: set[str] = field(default_factory=set)
    """SHA-256 of shipped certificates that the request's root program does not trust."""
    problems: list[Problem] = field(default_factory=list)
    """Errors in the request itself, such as a name that does not exist."""
    conflicts: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def merge(self, other: StorePlan) -> StorePlan:
        """Add the files, problems and warnings of ``other``, but not its anchors."""
        self.desired |= other.desired
        self.problems += other.problems
        self.conflicts += other.conflicts
        self.warnings += other.warnings
        return self


class Layout(Protocol):
    """A layout: the paths of the trust store of one family of distributions. Paths are those of the device."""

    @property
    def name(self) -> str:
        """The argument of ``--layout``."""

    @property
    def title(self) -> str:
        """The names of the distributions, for messages and documentation."""

    @property
    def releases(self) -> str:
        """The releases for which this layout was verified."""

    @property
    def facts(self) -> tuple[str, ...]:
        """The sources of the facts about this layout: repositories, commits and files."""

    @property
    def local(self) -> str:
        """The anchor source directory of the administrator, or the bundle if there is none."""

    @property
    def suffix(self) -> str:
        """The suffix of the files that ``install`` writes to the anchor source directory."""

    @property
    def bundle(self) -> str:
        """The bundle: the file of all anchors that most clients read."""

    @property
    def hash_directory(self) -> str:
        """The directory with hash links, or empty if the layout has none."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Files and directories of certificates that every run writes. ``check`` reports missing ones."""

    @property
    def keystores(self) -> tuple[str, ...]:
        """Java keystores that the layout's own tool maintains."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The files that the tool reads, in order, one line each, for docs/layouts.md."""

    @property
    def writes(self) -> tuple[str, ...]:
        """The files that the tool writes, in order, with links and modes, one line each, for docs/layouts.md."""

    def plan(self, view: View, request: Request) -> StorePlan:
        """Plan the store that ``request`` makes of the rootfs ``view``."""


JAVA_STORE = "/etc/ssl/certs/java/cacerts"
"""The system's Java keystore on Debian and its derivatives, and in most container images with a JDK."""

JAVA_HOOK = "/etc/ca-certificates/update.d/jks-keystore"
"""The hook of ca-certificates-java that writes it."""

TOKENS = {
    "fedora": ("/etc/pki/ca-trust/source", "/usr/share/pki/ca-trust-source"),
    "suse": ("/etc/pki/trust", "/usr/share/pki/trust"),
    "arch": ("/etc/ca-certificates/trust-source", "/usr/share/ca-certificates/trust-source"),
}
"""Source directories of p11-kit by layout: the administrator's, then that of packages."""

P11KIT_IDS = {
    "fedora": ("fedora", "rhel", "centos", "amzn", "azurelinux", "mariner"),
    "suse": ("suse", "opensuse", "sles"),
    "arch": ("arch",),
}
"""IDs of os-release by layout. They are here because importing the layouts of p11-kit takes long."""
