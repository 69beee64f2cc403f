"""Find the trust stores of runtimes and applications anywhere in a root filesystem, by one bounded walk.

The walk lists directories and reads no file. It follows no link, so each store is found once, below its real directory,
and a JDK's ``cacerts`` that is a link is found as that link. Cost: about one second for 100,000 files on a warm disk
(``benchmarks/find_runtimes.py`` measures it); :data:`MAX_ENTRIES` bounds it, and :data:`MAX_DEPTH` the depth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.view import Directory, View, join

MAX_ENTRIES = 500_000
"""Maximum number of directory entries of one walk. Directories near the root come first."""

MAX_DEPTH = 24
"""Maximum depth of directories; an application's virtual environment is rarely deeper than 10."""

SKIPPED = frozenset({"/proc", "/sys", "/dev"})
"""Kernel file systems: empty in an image, endless on a running system."""

JAVA, CERTIFI, CASTORE, NODE = "java", "certifi", "castore", "node"


class FoundStore(NamedTuple):
    """A trust store of a runtime.

    ``kind``  ``java`` (a JDK's or JRE's keystore), ``certifi`` (certifi, its vendored copies, botocore), ``castore``
              (Erlang's and Elixir's), ``node`` (the program: its roots are compiled in)
    ``path`` of the file. It may be a link, even a dangling one. For a JDK without a keystore, it does not exist.
    """

    kind: str
    path: str


class StoreSearch(NamedTuple):
    """The result of a walk: ``stores`` in byte order of their paths, and the ``skipped`` directories.

    A directory is skipped because it cannot be read, is too deep, or because the walk looked at MAX_ENTRIES before.
    """

    stores: tuple[FoundStore, ...]
    skipped: tuple[str, ...] = ()

    def paths(self, kind: str) -> list[str]:
        """Return the paths of the stores of one kind."""
        return [store.path for store in self.stores if store.kind == kind]


def find_stores(view: View) -> StoreSearch:
    """Find every store in ``view``. Never raises: unreadable directories are in ``skipped``."""
    found: list[FoundStore] = []
    skipped: list[str] = []
    pending = deque(["/"])
    entries = 0
    while pending:
        directory = pending.popleft()
        if entries >= MAX_ENTRIES or directory.count("/") > MAX_DEPTH:
            skipped.append(directory)
            continue
        try:
            names = view.names(directory)
            entries += len(names)
            pending += _directories(view, directory, names)
            found += _stores(view, directory, names)
        except InputError:
            skipped.append(directory)
    return StoreSearch(tuple(sorted(found, key=lambda store: store.path)), tuple(skipped))


def _directories(view: View, directory: str, names: Sequence[str]) -> list[str]:
    paths = [join(directory, name) for name in names]
    return [path for path in paths if view.kind(path, follow=False) is Directory and path not in SKIPPED]


def _stores(view: View, directory: str, names: Sequence[str]) -> Iterator[FoundStore]:
    for kind, belongs, files in _PLACES:
        if belongs(directory):
            paths = [join(directory, name) for name in files if name in names]
            yield from (FoundStore(kind, path) for path in paths if view.kind(path, follow=False) is not Directory)
    if _is_java(directory) and _JDK_FILE in names and not {"cacerts", "jssecacerts"}.intersection(names):
        yield FoundStore(JAVA, join(directory, "cacerts"))


def _ends_with(*ends: str) -> Callable[[str], bool]:
    return lambda directory: directory.endswith(ends)


def _is_castore(directory: str) -> bool:
    """Return whether a directory is ``priv`` of the application castore or certifi, with or without a version in the
    name.
    """
    above, _, name = directory.rpartition("/")
    return name == "priv" and above.rpartition("/")[2].partition("-")[0] in ("castore", "certifi")


_JDK_FILE = "default.policy"
"""A file that lib/security of every JDK and JRE since 9 contains. If there is no keystore beside it, Java is broken."""
_is_java = _ends_with("/lib/security")

_PLACES: tuple[tuple[str, Callable[[str], bool], tuple[str, ...]], ...] = (
    # Java reads jssecacerts in place of cacerts where it exists (JSSE reference guide).
    (JAVA, _is_java, ("cacerts", "jssecacerts")),
    (CERTIFI, _ends_with("/certifi", "/botocore", "/requests"), ("cacert.pem",)),
    (CASTORE, _is_castore, ("cacerts.pem",)),
    (NODE, _ends_with("/bin"), ("node", "nodejs")),
)
"""For each kind of store: a test for its directory, and the names of its files there."""
