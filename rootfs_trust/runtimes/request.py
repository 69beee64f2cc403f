"""The request of a run to the runtimes in a root filesystem, and the plan that each of them returns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

from rootfs_trust.rootfs.view import View
from rootfs_trust.runtimes.find import StoreSearch, find_stores
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.store_plan import StorePlan


class Assignment(NamedTuple):
    """A variable that the root filesystem, or the image's config, already sets. ``place`` is the file."""

    value: str
    place: str


class RuntimeRequest(NamedTuple):
    """The change that a run makes to the stores of runtimes."""

    anchors: tuple[Anchor, ...] = ()
    """Anchors to add to the runtimes' stores: every installed anchor for TLS servers."""
    removed: frozenset[str] = frozenset()
    """SHA-256 of certificates to remove from the runtimes' stores."""
    distrust: bool = False
    """``removed`` also applies to certificates that the runtime ships."""
    only: bool = False
    """Remove all other certificates, so that the stores trust only ``anchors``."""
    bundle: str = ""
    """The path of the system's bundle, for variables."""
    all_variables: bool = False
    """Also set variables for programs that the root filesystem does not have (yet)."""
    java_passwords: tuple[str, ...] = ()
    created: int | None = None
    """The date of new entries in keystores, in seconds since 1970; None: that of the newest entry."""


@dataclass(slots=True)
class RuntimePlan(StorePlan):
    """A plan with ``variables``, which go into an image's config or into files of a root filesystem.

    ``unset`` are variables of an earlier run that an image's configuration no longer needs, with their values.
    """

    variables: dict[str, str] = field(default_factory=dict)
    unset: dict[str, str] = field(default_factory=dict)


_SYSTEM = ("/etc/ssl/", "/etc/pki/", "/etc/ca-certificates/", "/var/lib/ca-certificates/")
"""Directories of the system's trust stores, to which distributions link those of their runtimes."""


class RuntimeTree:
    """The root filesystem ``view`` as it will be, and the stores of runtimes in it, found at the first use.

    ``taken``: real paths of the system's trust store. A runtime's link to one of them is not a separate store.
    """

    def __init__(self, view: View, taken: Iterable[str] = ()) -> None:
        self.view = view
        self._taken = frozenset(taken)

    @cached_property
    def search(self) -> StoreSearch:
        """The result of one walk over the root filesystem."""
        return find_stores(self.view)

    def files(self, kind: str) -> list[str]:
        """Return the real paths of the runtimes' separate stores of ``kind``, without duplicates, in byte order."""
        reals = {self.view.real_path(path) for path in self.search.paths(kind)}
        return sorted(path for path in reals if path and not path.startswith(_SYSTEM) and path not in self._taken)


class Runtime(Protocol):
    """A runtime, as a module with these functions."""

    @property
    def NAME(self) -> str:  # noqa: N802  # a constant of the module
        """The name in ``--runtimes``."""

    def present(self, tree: RuntimeTree) -> bool:
        """Return whether the root filesystem has this runtime."""

    def plan(self, tree: RuntimeTree, request: RuntimeRequest) -> RuntimePlan:
        """Return the files and variables for ``request``. An empty request removes the entries of earlier runs."""
