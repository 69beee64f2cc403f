"""What every layout has: its name, its paths, and the store that it makes of a request and a root filesystem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from rootfs_trust.errors import Problem
from rootfs_trust.rootfs.view import Absent, Directory, File, Symlink, View
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.selection import RootProgram, Selection
from rootfs_trust.x509 import Certificate


@dataclass(frozen=True, slots=True)
class Request:
    """The change that a run asks for; an empty one rebuilds the store from what the rootfs holds."""

    anchors: tuple[Anchor, ...] = ()
    adopt: bool = False
    """Rewrite untidy source files of the local folder as clean ones."""
    drop_unsourced: bool = False
    """Let certificates go that only the bundle holds."""
    remove: tuple[str, ...] = ()
    """Names of anchors to take out or, where the distribution ships them, to distrust."""
    distrust: frozenset[str] = frozenset()
    """SHA-256 of certificates whose every copy is to be taken out or distrusted."""
    selections: tuple[Selection, ...] = ()
    """What is to be taken out or distrusted, too; see :func:`~rootfs_trust.store.selection.with_selections`."""
    named: Mapping[str, Selection] = field(default_factory=dict)
    """What names of ``remove`` that no anchor has select in the root data."""
    known: tuple[str, ...] = ()
    """Every name of the root data, for suggestions."""
    block: tuple[Certificate, ...] = ()
    """Certificates that the store does not hold, to be put on its blocklist."""
    program: RootProgram | None = None
    """Of what the distribution ships, trust only what this root program trusts."""
    only: bool = False
    """Trust nothing but ``anchors``: ``[store] base = "none"``."""
    presets: tuple[str, ...] = ()
    """With ``only``: the clouds whose documented public roots are trusted too."""
    roots: tuple[Anchor, ...] = ()
    """Certificates from which those roots may be taken, beside the ones that the rootfs holds."""
    at: datetime | None = None
    """The time of the run, for what has expired by then; None where nobody asks."""
    created: int | None = None
    """The date of new entries in stores that carry dates, in seconds since 1970; None: that of the newest entry."""


@dataclass(slots=True)
class StorePlan:
    """``desired`` is in the order of writing; any trouble or conflict forbids all of it."""

    desired: dict[str, File | Symlink | Directory | Absent] = field(default_factory=dict)
    installed: list[Anchor] = field(default_factory=list)
    """The anchors asked for, under the names that they have in the store."""
    removed: list[Anchor] = field(default_factory=list)
    """The anchors that are taken out or distrusted."""
    selected: set[str] = field(default_factory=set)
    """SHA-256 of what the selections of the request come to: no client may trust it any more."""
    expired: set[str] = field(default_factory=set)
    """SHA-256 of what only the bundle holds and the distribution's tool drops, since it has expired."""
    outside: set[str] = field(default_factory=set)
    """SHA-256 of what the distribution ships and the root program of the request does not trust."""
    problems: list[Problem] = field(default_factory=list)
    """Wrong in the request itself: a name that nothing has."""
    conflicts: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def merge(self, other: StorePlan) -> StorePlan:
        """Add what ``other`` wants to be written, and what it reports; its anchors are left out."""
        self.desired |= other.desired
        self.problems += other.problems
        self.conflicts += other.conflicts
        self.warnings += other.warnings
        return self


class Layout(Protocol):
    """Where one family of distributions keeps its trust store, as a frozen constant. Paths are the device's."""

    @property
    def name(self) -> str:
        """What ``--layout`` calls it."""

    @property
    def title(self) -> str:
        """The distributions, for people."""

    @property
    def releases(self) -> str:
        """The releases for which this was found to hold."""

    @property
    def facts(self) -> tuple[str, ...]:
        """Where the facts come from."""

    @property
    def local(self) -> str:
        """The folder of the anchors that the device's owner adds, or the bundle where there is none."""

    @property
    def bundle(self) -> str:
        """The file of all anchors that most clients read."""

    @property
    def hash_directory(self) -> str:
        """The folder with hash links, or empty where the layout has none."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Files and directories of certificates that every run writes: ``check`` looks whether they are there."""

    @property
    def keystores(self) -> tuple[str, ...]:
        """Java's stores that the layout's own tool keeps."""

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, in order, a line each, for docs/layouts.md."""

    @property
    def writes(self) -> tuple[str, ...]:
        """What is written, in order, with links and modes, a line each, for docs/layouts.md."""

    def answer(self, view: View, request: Request) -> StorePlan:
        """The store that ``request`` makes of the rootfs ``view``."""


TOKENS = {
    "fedora": ("/etc/pki/ca-trust/source", "/usr/share/pki/ca-trust-source"),
    "suse": ("/etc/pki/trust", "/usr/share/pki/trust"),
    "arch": ("/etc/ca-certificates/trust-source", "/usr/share/ca-certificates/trust-source"),
}
"""Where p11-kit finds its sources, by layout: the owner's directory, then that of packages."""

P11KIT_IDS = {
    "fedora": ("fedora", "rhel", "centos", "amzn", "azurelinux", "mariner"),
    "suse": ("suse", "opensuse", "sles"),
    "arch": ("arch",),
}
"""IDs of os-release, by layout. They are here, since the layouts of p11-kit are many modules."""
