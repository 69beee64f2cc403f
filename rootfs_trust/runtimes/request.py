"""What a run asks of the runtimes in a root filesystem, and what each of them answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

from rootfs_trust.errors import Problem
from rootfs_trust.rootfs.view import View
from rootfs_trust.runtimes.find import StoreSearch, find_stores
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.layout import StorePlan


class Assignment(NamedTuple):
    """A variable that the root filesystem, or the image's configuration, sets already; ``place`` says where."""

    value: str
    place: str


class RuntimeRequest(NamedTuple):
    """The change that a run makes to the stores of runtimes."""

    anchors: tuple[Anchor, ...] = ()
    """What the runtimes shall trust besides what they bring: every installed anchor for TLS servers."""
    removed: frozenset[str] = frozenset()
    """SHA-256 of certificates that the runtimes shall no longer trust."""
    distrust: bool = False
    """Whether ``removed`` also removes certificates that a runtime brought itself."""
    only: bool = False
    """Whether a store trusts nothing but ``anchors`` afterwards."""
    bundle: str = ""
    """The path of the system's bundle, for variables."""
    all_variables: bool = False
    """Whether variables are set for programs that the root filesystem does not have (yet)."""
    java_passwords: tuple[str, ...] = ()
    created: int | None = None
    """The date of new entries in keystores, in seconds since 1970; None: that of the newest entry."""
    assigned: Mapping[str, tuple[Assignment, ...]] = {}
    """Variables that are set already, by their names."""


@dataclass(slots=True)
class RuntimePlan(StorePlan):
    """``variables`` go into an image's configuration, or into files of a root filesystem.

    ``unset`` are variables of an earlier run that an image's configuration no longer needs, with their values.
    """

    variables: dict[str, str] = field(default_factory=dict)
    unset: dict[str, str] = field(default_factory=dict)


_SYSTEM = ("/etc/ssl/", "/etc/pki/", "/etc/ca-certificates/", "/var/lib/ca-certificates/")
"""Directories of the system's trust stores, to which distributions link those of their runtimes."""


class RuntimeTree:
    """The root filesystem ``view`` as it will be, and the stores of runtimes in it, found at the first use.

    ``taken``: real paths of the system's trust store, which are not a runtime's own.
    """

    def __init__(self, view: View, taken: Iterable[str] = ()) -> None:
        self.view = view
        self._taken = frozenset(taken)

    @cached_property
    def search(self) -> StoreSearch:
        """What one walk over the root filesystem finds."""
        return find_stores(self.view)

    def files(self, kind: str) -> list[str]:
        """The real paths of the runtimes' own stores of ``kind``, each once, in byte order."""
        reals = {self.view.real_path(path) for path in self.search.paths(kind)}
        return sorted(path for path in reals if path and not path.startswith(_SYSTEM) and path not in self._taken)


class Runtime(Protocol):
    """A runtime, as a module with these functions."""

    @property
    def NAME(self) -> str:  # noqa: N802  # a constant of the module
        """What ``--runtimes`` calls it."""

    @property
    def TITLE(self) -> str:  # noqa: N802
        """What it changes, for people."""

    def present(self, tree: RuntimeTree) -> bool:
        """Whether the root filesystem has it."""

    def plan(self, tree: RuntimeTree, request: RuntimeRequest) -> RuntimePlan:
        """The files and variables that ``request`` makes of it. An empty one removes what is ours."""


def conflict(path: str, message: str, hint: str) -> Problem:
    """Something in the root filesystem that a run must not overwrite."""
    return Problem("conflict", path, message, hint)
