"""The kinds of persistent state, each as a layer that is asked what it has at a path; see rootfs/state.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol, TypeAlias

from rootfs_trust.rootfs.nodes import Directory, File, Node, Special, View

ETC, USR_ETC = "/etc", "/usr/etc"
_OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")
_WHITEOUT = "user.overlay.whiteout"


class Found(NamedTuple):
    """Where a path's entry is: in ``view`` at ``path``. ``state`` says whether that is a device's state."""

    view: View
    path: str
    state: bool = True


class Says(Enum):
    """What a layer may say of a path that it does not hold."""

    HIDDEN = "the state has taken it away"
    BELOW = "ask what lies below"


Answer: TypeAlias = Found | Says


class Layer(Protocol):
    """A device's state over some folder of the tree."""

    @property
    def view(self) -> View:
        """The folder of the host that holds it."""

    def find(self, real: str) -> Answer:
        """The entry at ``real``, a path of the tree that is free of links."""

    def folder(self, real: str) -> str | None:
        """Where in ``view`` the entries of the folder ``real`` are; None if it is not under this state."""


def inside_of(path: str, folder: str) -> str | None:
    """``path`` as seen from ``folder``; None if it is not below."""
    if folder == "/":
        return path
    if path == folder:
        return "/"
    return path.removeprefix(folder) if path.startswith(f"{folder}/") else None


@dataclass(frozen=True)
class Upper:
    """The upper folder of an overlay, or a folder that is copied over (``whiteouts`` False)."""

    over: str
    view: View
    whiteouts: bool

    def folder(self, real: str) -> str | None:
        """See Layer."""
        return inside_of(real, self.over)

    def find(self, real: str) -> Answer:
        """See Layer."""
        inside = inside_of(real, self.over)
        if inside is None or inside == "/":
            return Says.BELOW
        hidden, here = False, ""
        for name in inside[1:].split("/"):
            here = f"{here}/{name}"
            kind = self.view.kind(here, follow=False)
            if kind is None:
                return Says.HIDDEN if hidden else Says.BELOW
            if self.whiteouts and self._is_whiteout(here, kind):
                return Says.HIDDEN
            if here != inside and kind is not Directory:
                return Says.HIDDEN
            hidden = hidden or self._is_opaque(here)
        return Found(self.view, here)

    def _is_whiteout(self, path: str, kind: type[Node]) -> bool:
        # No store has device nodes: one in an upper folder is a whiteout whatever its numbers.
        if kind is Special:
            return True
        return kind is File and _WHITEOUT in self.view.extended_attributes(path)

    def _is_opaque(self, path: str) -> bool:
        if not self.whiteouts:
            return False
        attributes = self.view.extended_attributes(path)
        return any(attributes.get(name) == b"y" for name in _OPAQUE)


@dataclass(frozen=True)
class Deployment:
    """A deployment whose ``etc`` is carried over to an image that has its own in ``/usr/etc``, or in ``/etc``."""

    view: View

    def folder(self, real: str) -> str | None:
        """See Layer."""
        inside = inside_of(real, ETC)
        return None if inside is None else ETC + inside.rstrip("/")

    def find(self, real: str) -> Answer:
        """See Layer."""
        inside = inside_of(real, ETC)
        if inside is None or inside == "/":
            return Says.BELOW
        hidden = False
        for end in [*_ends(inside), inside]:
            now, was = (self.view.node(folder + end) for folder in (ETC, USR_ETC))
            if now is None:
                return Says.HIDDEN if was is not None or hidden else Says.BELOW
            if isinstance(now, Directory):
                hidden = hidden or was is None
            elif end != inside:
                return Says.HIDDEN
            elif _differ(now, was):
                return Found(self.view, ETC + inside)
        return Found(self.view, ETC + inside) if hidden else Says.BELOW


def _ends(path: str) -> list[str]:
    """The folders on the way to ``path``, without the root."""
    return [path[:place] for place, char in enumerate(path) if char == "/" and place]


def _differ(now: Node, was: Node | None) -> bool:
    if isinstance(now, File) and isinstance(was, File):
        return (now.content, now.mode, now.owner) != (was.content, was.mode, was.owner)
    return now != was
