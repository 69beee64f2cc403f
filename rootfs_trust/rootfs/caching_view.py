"""A view that caches entries, for commands that read a tree several times and write nothing."""

from __future__ import annotations

from rootfs_trust.rootfs.pass_through import PassThroughView
from rootfs_trust.rootfs.view import File, Node, View

_ROOM = 32 << 20
"""Maximum total size in bytes of cached file contents. Further files are read each time."""


class CachingView(PassThroughView):
    """The tree ``view`` with a cache. Errors are not cached."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._room = _ROOM
        self._nodes: dict[tuple[str, bool], Node | None] = {}
        self._kinds: dict[tuple[str, bool], type[Node] | None] = {}
        self._real_paths: dict[str, str | None] = {}

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`."""
        key = path, follow
        if key in self._nodes:
            return self._nodes[key]
        node = self._view.node(path, follow=follow)
        size = len(node.content) if isinstance(node, File) else 0
        if size <= self._room:
            self._room -= size
            self._nodes[key] = node
        return node

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Implements :meth:`View.kind`."""
        key = path, follow
        if key not in self._kinds:
            self._kinds[key] = self._view.kind(path, follow=follow)
        return self._kinds[key]

    def real_path(self, path: str) -> str | None:
        """Implements :meth:`View.real_path`."""
        if path not in self._real_paths:
            self._real_paths[path] = self._view.real_path(path)
        return self._real_paths[path]
