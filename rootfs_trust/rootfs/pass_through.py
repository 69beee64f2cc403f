"""Base class of views that answer from another view."""

from __future__ import annotations

from collections.abc import Mapping

from rootfs_trust.rootfs.view import Node, View


class PassThroughView:
    """The tree ``view``. Implements View; a subclass changes some of the methods.

    A view that is not derived from this class could lack a method that only some trees need, such as the environment of
    an image.
    """

    def __init__(self, view: View) -> None:
        self._view = view

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`."""
        return self._view.node(path, follow=follow)

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Implements :meth:`View.kind`."""
        return self._view.kind(path, follow=follow)

    def names(self, path: str) -> list[str]:
        """Implements :meth:`View.names`."""
        return self._view.names(path)

    def real_path(self, path: str) -> str | None:
        """Implements :meth:`View.real_path`."""
        return self._view.real_path(path)

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """Implements :meth:`View.extended_attributes`."""
        return self._view.extended_attributes(path)

    def mounted(self, path: str) -> bool:
        """Implements :meth:`View.mounted`."""
        return self._view.mounted(path)

    def modified(self, path: str) -> int | None:
        """Implements :meth:`View.modified`."""
        return self._view.modified(path)

    @property
    def environment(self) -> Mapping[str, str]:
        """Implements :meth:`View.environment`."""
        return self._view.environment
