"""Names and versions come out of both forms of rpm's database, and damage costs no more than the version."""

from __future__ import annotations

import random
import sqlite3
from struct import pack

import pytest

from rootfs_trust.errors import InputError, Problem
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.rpm_databases import rpm_packages
from rootfs_trust.rootfs.view import File
from tests.support.memory import MemoryTree

STRING, INT32, I18N = 6, 4, 9
FEDORA = "/usr/lib/sysimage/rpm/rpmdb.sqlite"
FOUND = [("bash", "5.2.37-1.fc43"), ("openssl-libs", "3.5.1-4.fc43")]


def header(name, version, release="1.fc43", kind=STRING):
    """A header as rpm stores it, with the sorted tags, an epoch and a summary besides."""
    values, entries = b"", []
    for tag, each, value in (
        (1000, kind, name.encode() + b"\0"),
        (1001, STRING, version.encode() + b"\0"),
        (1002, STRING, release.encode() + b"\0"),
        (1003, INT32, pack(">I", 7)),
        (1004, I18N, b"Summary\0"),
    ):
        if value != b"\0":
            entries.append(pack(">IIII", tag, each, len(values), 1))
            values += value
    return pack(">II", len(entries), len(values)) + b"".join(entries) + values


HEADERS = [header("bash", "5.2.37"), header("openssl-libs", "3.5.1", "4.fc43")]


def sqlite(headers=(), *statements, wal=True):
    """A database with rpm's table, in the write-ahead mode in which rpm leaves it."""
    connection = sqlite3.connect(":memory:")
    for each in statements or ("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)",):
        connection.execute(each)
    for each in headers:
        connection.execute("INSERT INTO Packages (blob) VALUES (?)", (each,))
    connection.commit()
    data = connection.serialize()
    return data[:18] + b"\2\2" + data[20:] if wal else data


def ndb(headers, *, blocks=None):
    """A database of rpm's own format: a page of slots, the first two of which are the file's header, then blobs."""
    slots, blobs = [], b""
    for number, each in enumerate(headers, 1):
        count = blocks or (16 + len(each) + 12 + 15) // 16
        slots.append(pack("<4sIII", b"Slot", number, 256 + len(blobs) // 16, count))
        blob = pack("<4sIII", b"BlbS", number, 1, len(each)) + each
        blobs += blob.ljust(count * 16 - 12, b"\0") + pack("<II4s", 0, len(each), b"BlbE")
    slots += [pack("<4sIII", b"Slot", 0, 0, 0)] * (254 - len(slots))
    return pack("<4sIIII12x", b"RpmP", 0, 1, 1, len(headers) + 1) + b"".join(slots) + blobs


@pytest.mark.parametrize("write", [sqlite, ndb], ids=["sqlite", "ndb"])
def test_packages_have_name_version_and_release(write):
    assert list(rpm_packages(write(HEADERS))) == FOUND


def test_a_database_without_write_ahead_log_is_read():
    assert list(rpm_packages(sqlite(HEADERS, wal=False))) == FOUND


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        HEADERS[0][:7],
        HEADERS[0][:30],
        pack(">II", 0x10000, 0) + HEADERS[0][8:] + bytes(16 * 0x10000),
        header("", "1"),
        header("bash", ""),
        header("bash", "1", kind=I18N),
        HEADERS[0].replace(b"bash", b"\xff\xfe\xfd\xfc"),
        pack(">IIIIIII", 1, 0, 1000, STRING, 0xFFFFFFF0, 1, 0),
    ],
    ids=["empty", "short", "cut", "many", "no name", "no version", "other type", "no utf-8", "far"],
)
@pytest.mark.parametrize("write", [sqlite, ndb], ids=["sqlite", "ndb"])
def test_a_damaged_header_is_skipped(write, damaged):
    assert list(rpm_packages(write([damaged, *HEADERS]))) == FOUND


def test_a_package_without_release_has_its_version():
    assert list(rpm_packages(ndb([header("tedge", "2.0.1", "")]))) == [("tedge", "2.0.1")]


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE VIEW Packages AS SELECT 1 AS hnum, x'00' AS blob",),
        (
            "CREATE VIEW Packages AS WITH RECURSIVE c(hnum) AS (SELECT 1 UNION ALL SELECT hnum+1 FROM c) "
            "SELECT hnum, zeroblob(99999999) AS blob FROM c",
        ),
        ("CREATE TABLE Packages (hnum INTEGER, blob AS (zeroblob(99999999)))", "INSERT INTO Packages VALUES (1)"),
        ("CREATE TABLE Packages (hnum INTEGER)",),
        ("CREATE TABLE Other (hnum INTEGER)",),
        ("CREATE TABLE Packages (hnum INTEGER, blob TEXT)", "INSERT INTO Packages VALUES (1, 'text')"),
    ],
    ids=["view", "endless view", "computed column", "other columns", "no table", "text"],
)
def test_another_database_of_sqlite_has_no_packages(statements):
    assert list(rpm_packages(sqlite((), *statements))) == []


def test_the_steps_of_a_database_are_bounded(monkeypatch):
    monkeypatch.setattr("rootfs_trust.rootfs.rpm_databases._MOST_STEPS", 2000)
    assert len(list(rpm_packages(sqlite([HEADERS[0]] * 5000)))) < 5000


@pytest.mark.parametrize(
    "content",
    [
        b"RpmP",
        ndb(HEADERS).replace(b"RpmP\0", b"RpmP\1"),
        ndb(HEADERS).replace(b"Slot", b"slot", 1),
        ndb(HEADERS, blocks=1),
        ndb(HEADERS, blocks=2),
        ndb(HEADERS).replace(b"BlbS", b"Blob"),
        ndb(HEADERS)[:4096],
        b"SQLite format 3\0",
        sqlite(HEADERS)[:4096],
    ],
    ids=["short", "version", "slot", "blocks", "length", "blob", "blobs cut off", "sqlite's first bytes", "one page"],
)
def test_a_damaged_database_has_no_packages(content):
    assert list(rpm_packages(content)) == []


def test_slots_that_share_one_blob_end_the_reading():
    data = ndb([bytes(60_000), header("bash", "1")])
    shared = data[:32] + data[32:48] * 254 + data[4096:]
    assert len(list(rpm_packages(shared))) <= 2


@pytest.mark.parametrize("write", [sqlite, ndb], ids=["sqlite", "ndb"])
def test_any_damage_is_survived(write):
    good, chance = write(HEADERS), random.Random(7)
    for _ in range(300):
        data = bytearray(good)
        for _ in range(chance.randint(1, 20)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        list(rpm_packages(bytes(data[: chance.randrange(len(data))] if chance.random() < 0.2 else data)))


# -- on a device -------------------------------------------------------------------------------------------


def on(**files):
    return Device(MemoryTree({path: File(content) for path, content in files.items()}))


def test_a_device_finds_the_database_of_its_distribution():
    for path in (FEDORA, "/usr/share/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages.db"):
        found = on(**{path: sqlite(HEADERS)}).packages["openssl-libs"]
        assert (found.version, found.database) == ("3.5.1-4.fc43", path)


def test_a_database_with_changes_in_its_log_is_not_read():
    """The packages in it may be of before an update."""
    assert on(**{FEDORA: sqlite(HEADERS), f"{FEDORA}-wal": b"x"}).packages == {}
    assert "bash" in on(**{FEDORA: sqlite(HEADERS), f"{FEDORA}-wal": b""}).packages


def test_a_database_that_cannot_be_read_is_not_a_reason_to_stop(monkeypatch):
    node = MemoryTree.node

    def refusing(self, path, *, follow=False):
        if path == FEDORA:
            raise InputError(Problem("unreadable", path, "is too large", "remove it"))
        return node(self, path, follow=follow)

    def kind(self, path, *, follow=True):
        return File if path == FEDORA else None

    monkeypatch.setattr(MemoryTree, "kind", kind)
    monkeypatch.setattr(MemoryTree, "node", refusing)
    assert on(**{FEDORA: sqlite(HEADERS)}).packages == {}
