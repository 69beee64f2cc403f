"""The outputs of a trust store as clients find them: bundles, hash directories, Java's stores."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import NamedTuple, TypeVar

from rootfs_trust.audit import places
from rootfs_trust.audit.files import CertificateFile, Files
from rootfs_trust.audit.pkcs12 import read_pkcs12
from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.nodes import Directory, join
from rootfs_trust.store.jks import read_keystore
from rootfs_trust.x509 import Certificate, parse_certificate

BUNDLE, DIRECTORY, JAVA, EMAIL, CODE = "bundle", "directory", "java", "email-bundle", "code-signing-bundle"
"""What the outputs are called; the first three are for TLS."""

_HASH_NAME = re.compile(r"([0-9a-f]{8})\.(r?)(0|[1-9][0-9]{0,8})")


class HashLink(NamedTuple):
    """An entry of a hash directory that OpenSSL's lookup may ask for by its name (by_dir.c)."""

    path: str
    hash: str
    crl: bool
    number: int
    exists: bool
    """Whether stat() finds anything there: a dangling link is a gap."""
    file: CertificateFile | None


@dataclass(frozen=True, eq=False)
class Bundle:
    """A file of all anchors."""

    kind: str
    path: str
    """Free of links."""
    file: CertificateFile

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """What it holds, in its order."""
        return self.file.certificates


@dataclass(frozen=True, eq=False)
class HashDirectory:
    """A folder in which OpenSSL looks up a certificate by the hash of its subject."""

    path: str
    """Free of links."""
    links: tuple[HashLink, ...]
    others: tuple[str, ...]
    """Paths of its other entries, folders left out."""
    kind: str = DIRECTORY

    @cached_property
    def reached(self) -> tuple[HashLink, ...]:
        """The links that the lookup gets to: it counts from 0 and stops at the first number that is missing."""
        there = {(link.hash, link.crl, link.number) for link in self.links if link.exists}
        ends = {key: next(n for n in count() if (*key, n) not in there) for key in {each[:2] for each in there}}
        return tuple(link for link in self.links if link.number < ends.get((link.hash, link.crl), 0))

    @cached_property
    def certificates(self) -> tuple[Certificate, ...]:
        """What the lookup finds, each certificate once."""
        found: dict[str, Certificate] = {}
        for link in self.reached:
            for each in link.file.certificates if link.file and not link.crl else ():
                if each.subject.hash == link.hash:
                    found.setdefault(each.sha256, each)
        return tuple(found.values())


@dataclass(frozen=True, eq=False)
class JavaStore:
    """A keystore of Java. ``fault`` says why it could not be read."""

    path: str
    certificates: tuple[Certificate, ...]
    fault: str = ""
    kind: str = JAVA


Output = Bundle | HashDirectory | JavaStore

_Found = TypeVar("_Found", Bundle, HashDirectory, JavaStore)


def outputs(files: Files) -> tuple[Output, ...]:
    """Every output that the tree has, each once though several paths lead to it."""
    return (
        *_each(files, places.BUNDLES, _bundle(BUNDLE)),
        *_each(files, places.HASH_DIRECTORIES, hash_directory),
        *_each(files, places.JAVA_STORES, java_store),
        *_each(files, places.EMAIL_BUNDLES, _bundle(EMAIL)),
        *_each(files, places.CODE_BUNDLES, _bundle(CODE)),
    )


def _each(files: Files, paths: tuple[str, ...], read: Callable[[Files, str], _Found | None]) -> Iterator[_Found]:
    reals = dict.fromkeys(real for path in paths if (real := files.view.real_path(path)) is not None)
    for real in reals:
        found = read(files, real)
        if found is not None:
            yield found


def _bundle(kind: str) -> Callable[[Files, str], Bundle | None]:
    def read(files: Files, real: str) -> Bundle | None:
        file = files.at(real)
        return None if file is None else Bundle(kind, real, file)

    return read


def hash_directory(files: Files, folder: str) -> HashDirectory | None:
    """The hash directory at ``folder``; None if it is no folder."""
    if files.view.kind(folder) is not Directory:
        return None
    links, others = [], []
    for name in files.view.names(folder):
        path = join(folder, name)
        match = _HASH_NAME.fullmatch(name)
        if match:
            links.append(_hash_link(files, path, match))
        elif files.view.kind(path, follow=False) is not Directory:
            others.append(path)
    return HashDirectory(folder, tuple(links), tuple(others))


def _hash_link(files: Files, path: str, match: re.Match[str]) -> HashLink:
    file = files.at(path)
    exists = file is not None or files.view.kind(path) is not None
    return HashLink(path, match[1], bool(match[2]), int(match[3]), exists, file)


def java_store(files: Files, real: str) -> JavaStore | None:
    """Java's keystore at ``real``; None if it is no file."""
    file = files.at(real)
    if file is None:
        return None
    try:
        if file.data.startswith(b"0"):
            return JavaStore(real, tuple(map(parse_certificate, read_pkcs12(file.data))))
        return JavaStore(real, tuple(parse_certificate(entry.der) for entry in read_keystore(file.data)))
    except MalformedError as error:
        return JavaStore(real, (), error.message)
