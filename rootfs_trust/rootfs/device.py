"""Read facts about the system of a root filesystem: os-release, packages, users. Parses each file once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.rpm_databases import DATABASES, rpm_packages
from rootfs_trust.rootfs.view import File, Owner, View, join, read

_Value = TypeVar("_Value")

READ, SEARCH = 4, 1
"""Permission bits: read a file or list a directory; enter a directory."""

DPKG = "/var/lib/dpkg/status"
_DISTROLESS = "/var/lib/dpkg/status.d"
"""Directory of package records in distroless images, with one file per package."""
_OPKG = ("/var/lib/opkg/status", "/usr/lib/opkg/status")
_APK = "/lib/apk/db/installed"
_RPM_MANIFEST = "/var/lib/rpmmanifest/container-manifest-2"

_ROOT = 0


class User(NamedTuple):
    """A user by name. ``uid`` is None if the package that creates the user is not installed yet."""

    name: str
    uid: int | None = None
    gid: int | None = None
    groups: frozenset[int] = frozenset()

    def may(self, bits: int, owner: Owner, mode: int) -> bool:
        """Return whether the user has all permission ``bits``. The first matching class decides: owner, group or others
        (path_resolution(7)).
        """
        if self.uid == _ROOT:
            return True
        if self.uid is not None and self.uid == owner.uid:
            mode >>= 6
        elif owner.gid in self.groups:
            mode >>= 3
        return mode & bits == bits


class Package(NamedTuple):
    """An installed package. ``stanza`` is its text in the package database (empty for rpm), ``database`` its path."""

    version: str
    stanza: str
    database: str


class Device:
    """The system in the root filesystem ``view``. Every property raises InputError for a file that it cannot read."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._once: dict[str, Any] = {}

    def once(self, what: str, find: Callable[[], _Value]) -> _Value:
        """Return the result of ``find``, which is computed once for this tree. ``what`` is the key under which it is
        cached.
        """
        if what not in self._once:
            self._once[what] = find()
        found: _Value = self._once[what]
        return found

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables in the config of a container image; empty for any other tree."""
        return self.view.environment

    @cached_property
    def os_release(self) -> dict[str, str]:
        """The assignments of os-release(5), from /etc or else from /usr/lib."""
        text = read(self.view, "/etc/os-release") or read(self.view, "/usr/lib/os-release") or b""
        pairs = (line.partition("=") for line in text.decode("utf-8", "replace").splitlines() if "=" in line)
        return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}

    @cached_property
    def packages(self) -> dict[str, Package]:
        """The packages by name, from the databases of dpkg, opkg, apk and rpm. The first one wins."""
        found: dict[str, Package] = {}
        for name, package in self._packages():
            found.setdefault(name, package)
        return found

    @cached_property
    def users(self) -> dict[str, User]:
        """The users of /etc/passwd by name, with their groups."""
        groups: dict[str, set[int]] = {}
        for _, _, gid, members, *_ in self._accounts("/etc/group"):
            if _is_id(gid):
                for member in members.split(","):
                    groups.setdefault(member, set()).add(int(gid))
        users: dict[str, User] = {}
        for name, _, uid, gid, *_ in self._accounts("/etc/passwd"):
            if _is_id(uid) and _is_id(gid):
                mine = frozenset({int(gid), *groups.get(name, ())})
                users.setdefault(name, User(name, int(uid), int(gid), mine))
        return users

    def user(self, name: str) -> User:
        """Return the user ``name``, without ids if /etc/passwd does not list it."""
        return self.users.get(name, User(name))

    def _packages(self) -> Iterator[tuple[str, Package]]:
        names = (name for name in self.view.names(_DISTROLESS) if not name.endswith(".md5sums"))
        status_d = [join(_DISTROLESS, name) for name in names]
        for path in (DPKG, *_OPKG, *status_d):
            yield from self._stanzas(path, "Package: ", "Version: ")
        yield from self._stanzas(_APK, "P:", "V:")
        for line in self._text(_RPM_MANIFEST).split("\n"):
            name, *fields = line.split("\t")
            if fields:
                yield name, Package(fields[0], line, _RPM_MANIFEST)
        path, data = self._rpm_database()
        for name, version in rpm_packages(data):
            yield name, Package(version, "", path)

    def _rpm_database(self) -> tuple[str, bytes]:
        """Return path and content of rpm's database; empty if it is unreadable or not complete.

        This is not an error: only versions are read from it, and most of the programs of the device work without it.
        """
        for path in DATABASES:
            if self.view.kind(path) is File:
                with suppress(InputError):
                    changes_apart = bool(read(self.view, f"{path}-wal"))
                    return path, b"" if changes_apart else read(self.view, path) or b""
                return path, b""
        return "", b""

    def _stanzas(self, path: str, package: str, version: str) -> Iterator[tuple[str, Package]]:
        """Return the paragraphs of a package database, which end with an empty line."""
        for stanza in self._text(path).split("\n\n"):
            lines = stanza.split("\n")
            name = next((line.removeprefix(package) for line in lines if line.startswith(package)), "")
            number = next((line.removeprefix(version) for line in lines if line.startswith(version)), "")
            if name:
                yield name, Package(number, stanza, path)

    def _accounts(self, path: str) -> Iterator[list[str]]:
        for line in self._text(path).splitlines():
            fields = line.split(":")
            if len(fields) >= 4 and len(line) < 4096:
                yield fields

    def _text(self, path: str) -> str:
        return (read(self.view, path) or b"").decode("utf-8", "replace")


def _is_id(text: str) -> bool:
    """Return whether ``text`` is a valid uid or gid. The highest number is not one (chown(2))."""
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 2**32 - 1
