"""List everything below a directory of a tree, with limits: links can make a small tree look endless."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.errors import TOO_LARGE, InputError
from rootfs_trust.rootfs.view import Directory, Node, View, as_bytes, join

MAX_ENTRIES = 100_000
"""Maximum number of entries in one listing. Directories that link to each other have very many paths."""

MAX_DEPTH = 100
"""Maximum depth of nested directories, with or without following links."""


def entries_below(view: View, folder: str, *, follow: bool) -> Iterator[tuple[str, type[Node] | None]]:
    """Yield path and type of everything below ``folder`` but directories, in byte order, outer directories first.

    ``follow``: follow links, also to directories; the type of a dangling link is then None. Like find(1), enter a
    directory that contains itself only once. Raises InputError if a limit is exceeded.
    """
    pending: list[tuple[str, tuple[str | None, ...]]] = [(folder, ())]
    count = 0
    while pending:
        path, above = pending.pop()
        real = view.real_path(path)
        if real in above:
            continue
        if len(above) > MAX_DEPTH:
            raise _too_much(folder, f"is nested more than {MAX_DEPTH} directories deep")
        inner = []
        for name in sorted(view.names(path), key=as_bytes):
            count += 1
            if count > MAX_ENTRIES:
                raise _too_much(folder, f"has more than {MAX_ENTRIES} entries below it, if links are followed")
            kind = view.kind(entry := join(path, name), follow=follow)
            if kind is Directory:
                inner.append((entry, (*above, real)))
            else:
                yield entry, kind
        pending += reversed(inner)


def _too_much(folder: str, message: str) -> InputError:
    return InputError(TOO_LARGE(folder, message, "a trust store is smaller; move other files to another directory"))
