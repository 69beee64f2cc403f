"""A tree of which some parts cannot be read: they are noted, and everything else is looked at all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.rootfs.nodes import Node, View
from rootfs_trust.rootfs.state import Stated

_Value = TypeVar("_Value")


class Tolerant:
    """``view``, in which what cannot be read is as if it were not there. Implements View.

    ``troubles`` are the places that could not be read, by path.
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
        """Whether what stands at ``path``, the link itself if it is one, comes from a device's state."""
        view = self._view
        return isinstance(view, Stated) and self._or(lambda: view.from_state(path, follow=False), nothing=False)

    @property
    def image(self) -> View | None:
        """The tree without the state that lies over it; None if there is none."""
        return Tolerant(self._view.base) if isinstance(self._view, Stated) else None

    def _or(self, look: Callable[[], _Value], nothing: _Value) -> _Value:
        try:
            return look()
        except InputError as error:
            self.troubles |= {trouble.path: trouble for trouble in error.troubles}
            return nothing
