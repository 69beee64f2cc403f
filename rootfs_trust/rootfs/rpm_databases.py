"""Read the names and versions of packages in rpm's databases, in sqlite and ndb form. Does no I/O.

A damaged database gives the packages that are readable, or none: their versions are then unknown. Every loop is bounded
by the size of the content. Source: rpm 4.20, lib/backend/sqlite.cc, lib/backend/ndb/rpmpkg.c and lib/header.cc.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from struct import Struct, error
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection

DATABASES = tuple(
    f"{directory}/{name}"
    for directory in ("/usr/lib/sysimage/rpm", "/usr/share/rpm", "/var/lib/rpm")
    for name in ("rpmdb.sqlite", "Packages.db")
)
"""Fedora 36 and later, and SUSE; OSTree; RHEL 9, Azure Linux, Photon OS and others. The first that exists is read."""

_SQLITE = b"SQLite format 3\0"
_MOST_STEPS = 20_000_000
"""Maximum number of instructions of SQLite's virtual machine. Reading one package takes about ten."""

_NAME, _VERSION, _RELEASE = 1000, 1001, 1002
_STRING = 6
_MOST_ENTRIES = 0xFFFF
_COUNTS, _ENTRY = Struct(">II"), Struct(">IIII")
_PAGE, _BLOCK = 4096, 16
_SLOT = _BLOB = Struct("<4sIII")


def rpm_packages(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the name and ``VERSION-RELEASE`` of each package in the content of a database."""
    left = len(data)
    for header in _from_sqlite(data) if data.startswith(_SQLITE) else _from_ndb(data):
        left -= len(header)
        if left < 0:  # overlapping headers: not a database that rpm wrote
            return
        with suppress(error, UnicodeDecodeError):
            yield from _name_and_version(header)


def _from_sqlite(data: bytes) -> Iterator[bytes]:
    """Yield the headers in the table Packages."""
    try:
        import sqlite3
    except ImportError:  # Python can be built without it
        return
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        # AttributeError: SQLite can be built without deserialize.
        suppress(sqlite3.Error, ValueError, ArithmeticError, MemoryError, AttributeError),
    ):
        # rpm leaves its database in WAL mode, which bytes 18 and 19 say and a database in memory cannot have.
        connection.deserialize(data[:18] + b"\1\1" + data[20:])
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, len(data))
        _restrict(connection)
        if _has_plain_table(connection):
            rows = connection.execute("SELECT blob FROM Packages ORDER BY hnum")
            yield from (blob for (blob,) in rows if isinstance(blob, bytes))


def _restrict(connection: Connection) -> None:
    """Let a foreign database run no code of its schema, and stop it after a number of steps."""
    steps = iter(range(_MOST_STEPS // 1000))
    connection.set_progress_handler(lambda: next(steps, None) is None, 1000)
    for setting in ("trusted_schema=OFF", "cell_size_check=ON", "temp_store=MEMORY", "query_only=ON"):
        connection.execute(f"PRAGMA {setting}")


def _has_plain_table(connection: Connection) -> bool:
    """Return whether Packages is a table, not a view or a virtual table, and has no computed column."""
    query = "SELECT sql FROM sqlite_master WHERE name = 'Packages' AND type = 'table' AND rootpage > 0"
    found = connection.execute(query).fetchone()
    return found is not None and "AS(" not in "".join(str(found[0]).upper().split())


def _from_ndb(data: bytes) -> Iterator[bytes]:
    """Yield the headers of an ndb database: pages of slots, each with the first block of a blob, then the blobs."""
    if len(data) < _PAGE or not data.startswith(b"RpmP\0\0\0\0"):
        return
    end = min(int.from_bytes(data[12:16], "little") * _PAGE, len(data))
    for position in range(2 * _BLOCK, end - _BLOCK + 1, _BLOCK):
        magic, package, block, blocks = _SLOT.unpack_from(data, position)
        start = block * _BLOCK
        if magic != b"Slot":
            return
        if block and end <= start <= len(data) - blocks * _BLOCK and blocks:
            label, owner, _, length = _BLOB.unpack_from(data, start)
            if label == b"BlbS" and owner == package and length <= (blocks - 1) * _BLOCK:
                yield data[start + _BLOB.size : start + _BLOB.size + length]


def _name_and_version(header: bytes) -> Iterator[tuple[str, str]]:
    """Yield the name and version of the package in a header. A header consists of counts, of entries with tag, type,
    offset and count, and of the values.
    """
    entries = _COUNTS.unpack_from(header)[0]
    values = _COUNTS.size + entries * _ENTRY.size
    if entries > _MOST_ENTRIES:
        return
    index = _ENTRY.iter_unpack(header[_COUNTS.size : values])
    places = {tag: (kind, values + offset) for tag, kind, offset, _ in index}
    name, version, release = (_string(header, *places.get(tag, (0, 0))) for tag in (_NAME, _VERSION, _RELEASE))
    if name and version:
        yield name, f"{version}-{release}" if release else version


def _string(header: bytes, kind: int, offset: int) -> str:
    end = header.find(b"\0", offset)
    return header[offset:end].decode() if kind == _STRING and end >= 0 else ""
