"""Read the store files of a tree as clients do: bundles, hash directories, Java keystores."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import NamedTuple, TypeVar

from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.files import CertificateFile, TreeFiles
from rootfs_trust.clients.pkcs12 import keystore_certificates
from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.view import Directory, View, join
from rootfs_trust.store.hash_links import LOOKED_UP
from rootfs_trust.x509 import Certificate

BUNDLE, DIRECTORY, JAVA, EMAIL, CODE = "bundle", "directory", "java", "email-bundle", "code-signing-bundle"
"""Kinds of store files. Only the first three are for TLS."""


class HashLink(NamedTuple):
    """An entry of a hash directory whose name OpenSSL may look up (by_dir.c)."""

    path: str
    hash: str
    crl: bool
    number: int
    exists: bool
    """Whether stat() succeeds. A dangling link is a gap in the numbers."""
    file: CertificateFile | None


@dataclass(frozen=True, eq=False)
class Bundle:
    """A file of all anchors."""

    kind: str
    path: str
    """The real path, without links."""
    file: CertificateFile

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates of the file, in order."""
        return self.file.certificates


@dataclass(frozen=True, eq=False)
class HashDirectory:
    """A directory in which OpenSSL looks up a certificate by the hash of its subject."""

    path: str
    """The real path, without links."""
    links: tuple[HashLink, ...]
    others: tuple[str, ...]
    """Paths of the other entries of the directory, without subdirectories."""
    kind: str = DIRECTORY

    @cached_property
    def reached(self) -> tuple[HashLink, ...]:
        """The links that OpenSSL's lookup reaches. It counts from 0 and stops at the first missing number."""
        there = {(link.hash, link.crl, link.number) for link in self.links if link.exists}
        ends = {key: next(n for n in count() if (*key, n) not in there) for key in {each[:2] for each in there}}
        return tuple(link for link in self.links if link.number < ends.get((link.hash, link.crl), 0))

    @cached_property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates that OpenSSL's lookup finds, without duplicates."""
        found: dict[str, Certificate] = {}
        for link in self.reached:
            for each in link.file.certificates if link.file and not link.crl else ():
                if each.subject.hash == link.hash:
                    found.setdefault(each.sha256, each)
        return tuple(found.values())


@dataclass(frozen=True, eq=False)
class JavaStore:
    """A Java keystore. ``fault`` says why it could not be read."""

    path: str
    """The real path, without links."""
    certificates: tuple[Certificate, ...]
    fault: str = ""
    kind: str = JAVA

    def called(self, view: View) -> str:
        """Return the path that Java opens, which may be a link to the keystore."""
        return next((path for path in well_known_paths.JAVA_STORES if view.real_path(path) == self.path), self.path)


Output = Bundle | HashDirectory | JavaStore

_Found = TypeVar("_Found", Bundle, HashDirectory, JavaStore)


def outputs(files: TreeFiles) -> tuple[Output, ...]:
    """Return every store file of the tree, each once, even if several paths lead to it."""
    return (
        *_read_all(files, well_known_paths.BUNDLES, _bundle(BUNDLE)),
        *_read_all(files, well_known_paths.HASH_DIRECTORIES, hash_directory),
        *_read_all(files, well_known_paths.JAVA_STORES, java_store),
        *_read_all(files, well_known_paths.EMAIL_BUNDLES, _bundle(EMAIL)),
        *_read_all(files, well_known_paths.CODE_BUNDLES, _bundle(CODE)),
    )


def _read_all(
    files: TreeFiles, paths: tuple[str, ...], read: Callable[[TreeFiles, str], _Found | None]
) -> Iterator[_Found]:
    reals = dict.fromkeys(real for path in paths if (real := files.view.real_path(path)) is not None)
    for real in reals:
        found = read(files, real)
        if found is not None:
            yield found


def _bundle(kind: str) -> Callable[[TreeFiles, str], Bundle | None]:
    def read(files: TreeFiles, real: str) -> Bundle | None:
        file = files.at(real)
        return None if file is None else Bundle(kind, real, file)

    return read


def hash_directory(files: TreeFiles, folder: str) -> HashDirectory | None:
    """Return the hash directory at ``folder``, or None if it is not a directory."""
    if files.view.kind(folder) is not Directory:
        return None
    links, others = [], []
    for name in files.view.names(folder):
        path = join(folder, name)
        match = LOOKED_UP.fullmatch(name)
        if match:
            links.append(_hash_link(files, path, match))
        elif files.view.kind(path, follow=False) is not Directory:
            others.append(path)
    return HashDirectory(folder, tuple(links), tuple(others))


def _hash_link(files: TreeFiles, path: str, match: re.Match[str]) -> HashLink:
    file = files.at(path)
    exists = file is not None or files.view.kind(path) is not None
    return HashLink(path, match[1], bool(match[2]), int(match[3]), exists, file)


def java_store(files: TreeFiles, real: str) -> JavaStore | None:
    """Return the Java keystore at ``real``, or None if it is not a file."""
    file = files.at(real)
    if file is None:
        return None
    try:
        return JavaStore(real, keystore_certificates(file.data))
    except MalformedError as error:
        return JavaStore(real, (), error.message)
