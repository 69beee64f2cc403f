"""A view that records unreadable paths and treats them as missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from rootfs_trust.errors import InputError, Problem
from rootfs_trust.rootfs.pass_through import PassThroughView
from rootfs_trust.rootfs.view import Node, View

_Value = TypeVar("_Value")


class ErrorCollectingView(PassThroughView):
    """The tree ``view``, with unreadable paths treated as missing.

    ``problems`` has the problem of each unreadable path.
    """

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.problems: dict[str, Problem] = {}

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`."""
        return self._or(lambda: self._view.node(path, follow=follow), None)

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Implements :meth:`View.kind`."""
        return self._or(lambda: self._view.kind(path, follow=follow), None)

    def names(self, path: str) -> list[str]:
        """Implements :meth:`View.names`."""
        return self._or(lambda: self._view.names(path), [])

    def real_path(self, path: str) -> str | None:
        """Implements :meth:`View.real_path`."""
        return self._or(lambda: self._view.real_path(path), None)

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """Implements :meth:`View.extended_attributes`."""
        return self._or(lambda: self._view.extended_attributes(path), {})

    def mounted(self, path: str) -> bool:
        """Implements :meth:`View.mounted`."""
        return self._or(lambda: self._view.mounted(path), False)

    def modified(self, path: str) -> int | None:
        """Implements :meth:`View.modified`."""
        return self._or(lambda: self._view.modified(path), None)

    def from_state(self, path: str) -> bool:
        """Return whether ``path``, without following a link, comes from a device's state."""
        from rootfs_trust.rootfs.device_state import TreeWithDeviceState

        view = self._view
        return isinstance(view, TreeWithDeviceState) and self._or(
            lambda: view.from_state(path, follow=False), nothing=False
        )

    @property
    def strict(self) -> View:
        """The original view, which raises InputError for unreadable paths."""
        return self._view

    @property
    def image(self) -> View | None:
        """The tree without the device's state, or None if there is no state."""
        from rootfs_trust.rootfs.device_state import TreeWithDeviceState

        return ErrorCollectingView(self._view.base) if isinstance(self._view, TreeWithDeviceState) else None

    def _or(self, look: Callable[[], _Value], nothing: _Value) -> _Value:
        try:
            return look()
        except InputError as error:
            self.problems |= {problem.path: problem for problem in error.problems}
            return nothing
