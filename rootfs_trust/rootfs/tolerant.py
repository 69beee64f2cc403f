"""A view that records unreadable paths and treats them as missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.rootfs.nodes import InImage, Node, View
from rootfs_trust.rootfs.state import Stated

_Value = TypeVar("_Value")


class Tolerant:
    """The tree ``view``, with unreadable paths treated as missing. Implements View.

    ``troubles`` has the problem of each unreadable path.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self.troubles: dict[str, Trouble] = {}

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """See View."""
        return self._or(lambda: self._view.node(path, follow=follow), None)

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """See View."""
        return self._or(lambda: self._view.kind(path, follow=follow), None)

    def names(self, path: str) -> list[str]:
        """See View."""
        return self._or(lambda: self._view.names(path), [])

    def real_path(self, path: str) -> str | None:
        """See View."""
        return self._or(lambda: self._view.real_path(path), None)

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """See View."""
        return self._or(lambda: self._view.extended_attributes(path), {})

    def mounted(self, path: str) -> bool:
        """See View."""
        return self._or(lambda: self._view.mounted(path), False)

    def modified(self, path: str) -> int | None:
        """See View."""
        return self._or(lambda: self._view.modified(path), None)

    def from_state(self, path: str) -> bool:
        """Return whether ``path``, without following a link, comes from a device's state."""
        view = self._view
        return isinstance(view, Stated) and self._or(lambda: view.from_state(path, follow=False), nothing=False)

    @property
    def strict(self) -> View:
        """The original view, which raises InputError for unreadable paths."""
        return self._view

    @property
    def image(self) -> View | None:
        """The tree without the device's state, or None if there is no state."""
        return Tolerant(self._view.base) if isinstance(self._view, Stated) else None

    @property
    def environment(self) -> Mapping[str, str]:
        """See InImage."""
        return self._view.environment if isinstance(self._view, InImage) else {}

    def _or(self, look: Callable[[], _Value], nothing: _Value) -> _Value:
        try:
            return look()
        except InputError as error:
            self.troubles |= {trouble.path: trouble for trouble in error.troubles}
            return nothing
