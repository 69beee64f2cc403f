"""The kinds of persistent state, each as a layer that can be queried by path; see rootfs/device_state.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Protocol, TypeAlias

from rootfs_trust.rootfs.ostree import ETC, USR_ETC
from rootfs_trust.rootfs.view import Directory, File, Node, Special, View, parent

_OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")
_WHITEOUT = "user.overlay.whiteout"


class FoundEntry(NamedTuple):
    """The location of an entry: ``path`` in ``view``. ``state`` says whether that is a device's state."""

    view: View
    path: str
    state: bool = True


class LayerAnswer(Enum):
    """Answers of a layer for a path that the layer does not contain."""

    HIDDEN = "the state deletes it"
    BELOW = "use the layer below"


LayerResult: TypeAlias = FoundEntry | LayerAnswer


class StateLayer(Protocol):
    """The state of a device that changes a directory of the tree."""

    @property
    def view(self) -> View:
        """The host directory with the state."""

    def find(self, real: str) -> LayerResult:
        """Return the entry at the real path ``real``."""

    def directory(self, real: str) -> str | None:
        """Return the path of the directory ``real`` in ``view``, or None if this state does not affect it."""


class _Known(NamedTuple):
    """The answer of a layer for a path.

    ``inside``: the answer for every path below it; None in a directory, where each path is looked up. ``hides``:
    the directory hides the directory of the image, as an opaque one does.
    """

    answer: LayerResult
    inside: LayerAnswer | None
    hides: bool = False


_TOP = _Known(LayerAnswer.BELOW, None)


def _through(path: str, known: dict[str, _Known], step: Callable[[str, bool], _Known]) -> LayerResult:
    """Return the answer of a layer for ``path``, from the top directory down. Each directory is read only once."""
    missing = []
    here = path
    while here != "/" and here not in known:
        missing.append(here)
        here = parent(here)
    for each in reversed(missing):
        above = known.get(parent(each), _TOP)
        known[each] = step(each, above.hides) if above.inside is None else _Known(above.inside, above.inside)
    return known[path].answer


def _missing_entry(hidden: bool) -> _Known:
    answer = LayerAnswer.HIDDEN if hidden else LayerAnswer.BELOW
    return _Known(answer, answer)


def inside_of(path: str, folder: str) -> str | None:
    """Return ``path`` relative to ``folder``, or None if it is not below it."""
    if folder == "/":
        return path
    if path == folder:
        return "/"
    return path.removeprefix(folder) if path.startswith(f"{folder}/") else None


@dataclass(frozen=True)
class OverlayUpperLayer:
    """The upper directory of an overlay, or a directory that is copied over another (``whiteouts`` False)."""

    over: str
    view: View
    whiteouts: bool
    _known: dict[str, _Known] = field(default_factory=dict, compare=False, repr=False)

    def directory(self, real: str) -> str | None:
        """Implements :meth:`StateLayer.directory`."""
        return inside_of(real, self.over)

    def find(self, real: str) -> LayerResult:
        """Implements :meth:`StateLayer.find`."""
        inside = inside_of(real, self.over)
        if inside is None or inside == "/":
            return LayerAnswer.BELOW
        return _through(inside, self._known, self._step)

    def _step(self, path: str, hidden: bool) -> _Known:
        kind = self.view.kind(path, follow=False)
        if kind is None:
            return _missing_entry(hidden)
        if self.whiteouts and self._is_whiteout(path, kind):
            return _missing_entry(True)
        if kind is not Directory:
            return _Known(FoundEntry(self.view, path), LayerAnswer.HIDDEN)
        return _Known(FoundEntry(self.view, path), None, hidden or self._is_opaque(path))

    def _is_whiteout(self, path: str, kind: type[Node]) -> bool:
        # No store has device nodes: one in an upper directory is a whiteout, whatever its numbers.
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
    """A deployment whose changes in ``etc`` are applied to an image with ``/usr/etc`` or ``/etc``."""

    view: View
    _known: dict[str, _Known] = field(default_factory=dict, compare=False, repr=False)

    def directory(self, real: str) -> str | None:
        """Implements :meth:`StateLayer.directory`."""
        inside = inside_of(real, ETC)
        return None if inside is None else ETC + inside.rstrip("/")

    def find(self, real: str) -> LayerResult:
        """Implements :meth:`StateLayer.find`."""
        inside = inside_of(real, ETC)
        if inside is None or inside == "/":
            return LayerAnswer.BELOW
        return _through(inside, self._known, self._step)

    def _step(self, path: str, hidden: bool) -> _Known:
        now, was = (self.view.node(folder + path) for folder in (ETC, USR_ETC))
        if now is None:
            return _missing_entry(was is not None or hidden)
        found = FoundEntry(self.view, ETC + path)
        if isinstance(now, Directory):
            hidden = hidden or was is None
            return _Known(found if hidden else LayerAnswer.BELOW, None, hidden)
        return _Known(found if hidden or _differ(now, was) else LayerAnswer.BELOW, LayerAnswer.HIDDEN)


def _differ(now: Node, was: Node | None) -> bool:
    if isinstance(now, File) and isinstance(was, File):
        return (now.content, now.mode, now.owner) != (was.content, was.mode, was.owner)
    return now != was
