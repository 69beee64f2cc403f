"""A token: one of the folders that a distribution gives to p11-kit's trust module, and all that it holds.

Source: p11_token_load and loader_load_directory in trust/token.c. The token's own files come first, then
``anchors``, then ``blocklist``; within a folder the order is that of the names' bytes, as p11-kit has it from
0.25.6 on. Older ones take files as readdir gives them, so that no two devices need agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.plan import STAGED_PREFIX
from rootfs_trust.rootfs.view import Directory, File, View, join, read
from rootfs_trust.store.p11kit.entries import BASIC_CONSTRAINTS, Place, StapledExtension, TokenEntry, take_extension
from rootfs_trust.store.p11kit.parser import parse_file
from rootfs_trust.x509.der import OID, encode
from rootfs_trust.x509.oids import oid_contents

PLACES: tuple[tuple[str, Place], ...] = (
    ("", ""),
    ("anchors", "anchors"),
    ("blocklist", "blocklist"),
    # Its name before 0.23.22. Whoever still keeps a file there wants the certificate gone.
    ("blacklist", "blocklist"),
)

_CONSTRAINTS = encode(OID, oid_contents(BASIC_CONSTRAINTS))


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a token, and the folder it is in."""

    path: str
    data: bytes
    place: Place


@dataclass(frozen=True)
class Token:
    """What the files of one token say, in the order of loading."""

    entries: tuple[TokenEntry, ...]
    stapled: tuple[StapledExtension, ...]

    def attached(self, key: bytes) -> dict[str, bytes]:
        """Values of the extensions stapled to ``key``, by OID; of several the last one holds.

        Raises MalformedError if one of them is none: p11-kit then leaves the certificate out altogether
        (load_attached_extensions in trust/enumerate.c).
        """
        return dict(take_extension(each.der) for each in self._by_key.get(key, ()))

    def constraints(self, key: bytes) -> bytes | None:
        """The first basic constraints stapled to ``key``: what the file calls so (lookup_extension in trust/builder.c).

        Everything else goes by what the extension says that it is.
        """
        for each in self._by_key.get(key, ()):
            try:
                oid, value = take_extension(each.der)
            except MalformedError:
                continue
            if each.oid == _CONSTRAINTS or (not each.oid and oid == BASIC_CONSTRAINTS):
                return value
        return None

    @cached_property
    def _by_key(self) -> dict[bytes, list[StapledExtension]]:
        found: dict[bytes, list[StapledExtension]] = {}
        for each in self.stapled:
            found.setdefault(each.key, []).append(each)
        return found


def token_of(files: Iterable[SourceFile]) -> Token:
    """The token that ``files``, in this order, make."""
    objects = [each for file in files for each in parse_file(file.path, file.data, file.place)]
    entries = tuple(each for each in objects if isinstance(each, TokenEntry))
    return Token(entries, tuple(each for each in objects if isinstance(each, StapledExtension)))


def files_of(view: View, path: str) -> list[SourceFile]:
    """The files of the token at ``path``; a token that is a file itself holds anchors."""
    if view.kind(path) is File:
        return [SourceFile(path, read(view, path) or b"", "anchors")]
    return [file for name, place in PLACES for file in _files(view, join(path, name) if name else path, place)]


def _files(view: View, folder: str, place: Place) -> list[SourceFile]:
    if view.kind(folder) is not Directory:
        return []
    # p11-kit reads every file; what a killed run of ours left staged is no source, and is about to go.
    paths = [join(folder, name) for name in view.names(folder) if not name.startswith(STAGED_PREFIX)]
    return [SourceFile(path, read(view, path) or b"", place) for path in paths if view.kind(path) is File]
