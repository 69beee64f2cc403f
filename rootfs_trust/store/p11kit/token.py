"""A token: one of the source directories of p11-kit's trust module, with all its files.

Source: p11_token_load and loader_load_directory in trust/token.c. The token's top directory comes first, then
``anchors``, then ``blocklist``. Within a directory, files are in byte order of their names, as in p11-kit from 0.25.6
on. Older versions read them in the order of readdir, which may differ between devices.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.plan import STAGED_PREFIX
from rootfs_trust.rootfs.view import Directory, File, View, join, read
from rootfs_trust.store.p11kit.entries import Place, StapledExtension, TokenEntry, take_extension
from rootfs_trust.store.p11kit.parser import parse_file
from rootfs_trust.x509.der import OID, encode
from rootfs_trust.x509.oids import BASIC_CONSTRAINTS, oid_contents

PLACES: tuple[tuple[str, Place], ...] = (
    ("", ""),
    ("anchors", "anchors"),
    ("blocklist", "blocklist"),
    # The name of the blocklist before p11-kit 0.23.22. Files in it still distrust their certificates.
    ("blacklist", "blocklist"),
)

_CONSTRAINTS = encode(OID, oid_contents(BASIC_CONSTRAINTS))


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a token, and its directory."""

    path: str
    data: bytes
    place: Place


@dataclass(frozen=True)
class Token:
    """The entries and stapled extensions of one token, in the order of loading."""

    entries: tuple[TokenEntry, ...]
    stapled: tuple[StapledExtension, ...]

    def attached(self, key: bytes) -> dict[str, bytes]:
        """Return the extensions stapled to ``key``, as values by OID. Of several, the last one applies.

        Raises MalformedError if one of them is malformed: p11-kit then omits the certificate altogether
        (load_attached_extensions in trust/enumerate.c).
        """
        return dict(take_extension(each.der) for each in self._by_key.get(key, ()))

    def constraints(self, key: bytes) -> bytes | None:
        """Return the first basic constraints that are stapled to ``key``, according to the OID that the file states.

        If they are malformed, return no bytes: then the certificate is not a CA.
        Source: lookup_extension in trust/builder.c. For all other extensions, p11-kit uses the OID in the extension.
        """
        for each in self._by_key.get(key, ()):
            try:
                oid, value = take_extension(each.der)
            except MalformedError:
                oid, value = "", b""
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
    """Return the token of ``files``, in this order."""
    objects = [each for file in files for each in parse_file(file.path, file.data, file.place)]
    entries = tuple(each for each in objects if isinstance(each, TokenEntry))
    return Token(entries, tuple(each for each in objects if isinstance(each, StapledExtension)))


def files_of(view: View, path: str) -> list[SourceFile]:
    """Return the files of the token at ``path``. If the token itself is a file, it counts as an anchor."""
    if view.kind(path) is File:
        return [SourceFile(path, read(view, path) or b"", "anchors")]
    return [file for name, place in PLACES for file in _files(view, join(path, name) if name else path, place)]


def _files(view: View, folder: str, place: Place) -> list[SourceFile]:
    if view.kind(folder) is not Directory:
        return []
    # p11-kit reads every file, but the temporary files of a killed run are not sources. The next run deletes them.
    paths = [join(folder, name) for name in view.names(folder) if not name.startswith(STAGED_PREFIX)]
    return [SourceFile(path, read(view, path) or b"", place) for path in paths if view.kind(path) is File]
