"""Merge a device's persistent state into the tree of its image.

Kinds of state:

``overlay``  the upper directory of an overlayfs on a directory of the image (Linux, filesystems/overlayfs.rst). Its
             entries have priority, a device node 0/0 is a whiteout, and a directory may be opaque.
``copy``     a directory that an update copies from the old system over the new image's, as meta-tedge's scripts do.
``ostree``   a deployment of OSTree. The differences between its ``etc`` and its ``usr/etc`` are applied to the new
             image's ``/usr/etc`` (ostree admin deploy: "merging /etc").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rootfs_trust.errors import STATE, InputError
from rootfs_trust.rootfs.ostree import ETC, USR_ETC, has_etc_in_usr
from rootfs_trust.rootfs.resolve import resolve
from rootfs_trust.rootfs.state_layers import (
    Deployment,
    FoundEntry,
    LayerAnswer,
    OverlayUpperLayer,
    StateLayer,
    inside_of,
)
from rootfs_trust.rootfs.view import Node, Symlink, View, as_bytes, join, parent

_FORMS = "overlay:/etc=DIR, copy:/etc/tedge=DIR, or ostree:DIR"


class StateSpec(NamedTuple):
    """One ``--state``: its kind, the directory of the device that it changes, and the host directory with the state."""

    kind: str
    over: str
    directory: str


def parse_state(text: str) -> StateSpec:
    """Parse ``overlay:/etc=DIR``, ``copy:/etc/tedge=DIR`` or ``ostree:DIR``. Raises InputError."""
    kind, colon, rest = text.partition(":")
    if kind == "ostree" and colon and rest:
        return StateSpec(kind, ETC, rest)
    over, equals, folder = rest.partition("=")
    if kind in ("overlay", "copy") and equals and folder and over.startswith("/"):
        return StateSpec(kind, over.rstrip("/") or "/", folder)
    raise InputError(STATE("", f"--state {text}: unknown form", f"use {_FORMS}"))


class TreeWithDeviceState:
    """The tree ``base`` with states merged into it; the last one has priority. Implements View."""

    def __init__(self, base: View, states: Sequence[tuple[StateSpec, View]]) -> None:
        self._base = base
        self._layers = [_layer(spec, view) for spec, view in reversed(states)]
        self._etc_in_usr = has_etc_in_usr(base)

    @property
    def base(self) -> View:
        """The tree without the states."""
        return self._base

    def from_state(self, path: str, *, follow: bool = True) -> bool:
        """Return whether ``path``, or with ``follow`` the target of a link there, comes from the device's state."""
        found = self._place(path, follow)
        return found is not None and found.state

    @property
    def environment(self) -> Mapping[str, str]:
        """Implements :meth:`View.environment`."""
        return self._base.environment

    def real_path(self, path: str) -> str | None:
        """Implements :meth:`View.real_path`."""
        return resolve(path, self._entry_at)

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`."""
        found = self._place(path, follow)
        return None if found is None else found.view.node(found.path)

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Implements :meth:`View.kind`."""
        found = self._place(path, follow)
        return None if found is None else found.view.kind(found.path, follow=False)

    def names(self, path: str) -> list[str]:
        """Implements :meth:`View.names`."""
        real = self.real_path(path)
        if real is None:
            return []
        folders = [(self._base, self._in_base(real)), *self._uppers(real)]
        names = {name for view, folder in folders for name in view.names(folder)}
        return sorted((name for name in names if self._find(join(real, name)) is not None), key=as_bytes)

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """Implements :meth:`View.extended_attributes`."""
        found = self._place(path, follow=False)
        return {} if found is None else found.view.extended_attributes(found.path)

    def mounted(self, path: str) -> bool:
        """Implements :meth:`View.mounted`."""
        found = self._place(path, follow=False)
        return found is not None and found.view.mounted(found.path)

    def modified(self, path: str) -> int | None:
        """Implements :meth:`View.modified`."""
        found = self._place(path, follow=True)
        return None if found is None else found.view.modified(found.path)

    def _place(self, path: str, follow: bool) -> FoundEntry | None:
        folder, name = self.real_path(parent(path)), path.rpartition("/")[2]
        if folder is None:
            return None
        place = self.real_path(path) if follow or not name else join(folder, name)
        return None if place is None else self._find(place)

    def _entry_at(self, real: str) -> Symlink | type[Node] | None:
        found = self._find(real)
        if found is None:
            return None
        kind = found.view.kind(found.path, follow=False)
        if kind is not Symlink:
            return kind
        node = found.view.node(found.path)
        return node if isinstance(node, Symlink) else None

    def _find(self, real: str) -> FoundEntry | None:
        for layer in self._layers:
            found = layer.find(real)
            if found is LayerAnswer.HIDDEN:
                return None
            if isinstance(found, FoundEntry):
                return found
        path = self._in_base(real)
        return None if self._base.kind(path, follow=False) is None else FoundEntry(self._base, path, state=False)

    def _in_base(self, real: str) -> str:
        """Return the path of ``real`` in the image itself: in OSTree, /etc is in /usr/etc."""
        inside = inside_of(real, ETC) if self._etc_in_usr else None
        return real if inside is None else USR_ETC + inside.rstrip("/")

    def _uppers(self, real: str) -> list[tuple[View, str]]:
        folders = ((layer.view, layer.directory(real)) for layer in self._layers)
        return [(view, folder) for view, folder in folders if folder is not None]


def _layer(spec: StateSpec, view: View) -> StateLayer:
    return Deployment(view) if spec.kind == "ostree" else OverlayUpperLayer(spec.over, view, spec.kind == "overlay")
