"""Facts about the system: each file that has them is read once in a run, however many modules ask."""

from __future__ import annotations

from collections import Counter

import pytest

from rootfs_trust import CheckOptions, InstallOptions, ReportOptions, check, install, report
from rootfs_trust.errors import InputError, Problem
from rootfs_trust.rootfs.device import DPKG, Device
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import File
from tests.support.memory import MemoryTree
from tests.unit.audit.good_tree import GoodTree

FACTS = {
    "etc/os-release": b"ID=debian\n",
    "etc/passwd": b"tedge:x:951:950::/:\nmosquitto:x:961:960::/:\n",
    "etc/group": b"ssl:x:7:tedge,mosquitto\n",
    DPKG[1:]: b"Package: tedge\nStatus: install ok installed\nVersion: 1.4.1\n\nPackage: nodejs\nVersion: 18\n",
}
NODE = {"var/lib/dpkg/info/nodejs.list": b"/usr/bin/node\n", "usr/bin/node": b""}
"""Makes the audit ask which package of Node.js it is."""
CLOUDS = ("c8y", "az", "aws", "c8y@edge")


@pytest.fixture
def reads(monkeypatch):
    """How often the content of each file is read through the door."""
    counted: Counter[str] = Counter()
    node = RootDirectory.node

    def counting(self, path, *, follow=False):
        found = node(self, path, follow=follow)
        if isinstance(found, File):
            counted[(self.real_path(path) or path)[1:]] += 1
        return found

    monkeypatch.setattr(RootDirectory, "node", counting)
    return counted


RUNS = {
    "install": lambda root: install(root, InstallOptions(clouds=CLOUDS)),
    "check": lambda root: check(root, CheckOptions()),
    "report": lambda root: report(root, ReportOptions()),
}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("family", ["debian", "fedora"])
def test_a_run_reads_each_file_of_facts_once(tmp_path, reads, run, family):
    tree = GoodTree.build(tmp_path / "root", family, "c8y")
    for path, content in (FACTS | NODE).items():
        tree.write(path, content)
    reads.clear()
    RUNS[run](tree.root)
    assert {path: reads[path] for path in FACTS if reads[path] > 1} == {}
    assert [path for path in ("etc/passwd", "etc/group", DPKG[1:]) if not reads[path]] == []


def test_packages_come_from_every_database_and_the_first_entry_counts():
    files = {
        DPKG: "Package: a\nVersion: 1\n\nPackage: b\nStatus: x\n\n",
        "/var/lib/dpkg/status.d/base": "Package: base\nVersion: 12\n",
        "/usr/lib/opkg/status": "Package: a\nVersion: 2\n\nPackage: o\nVersion: 3\n",
        "/lib/apk/db/installed": "C:Q1\nP:k\nV:4-r0\n\n",
        "/var/lib/rpmmanifest/container-manifest-2": "bash\t5\t9\nno tabs\n",
    }
    packages = Device(MemoryTree({path: File(text.encode()) for path, text in files.items()})).packages
    versions = {name: package.version for name, package in packages.items()}
    assert versions == {"a": "1", "b": "", "base": "12", "o": "3", "k": "4-r0", "bash": "5"}
    assert packages["b"].database == DPKG and "Status: x" in packages["b"].stanza


@pytest.mark.parametrize("number", ["", "x", "-1", "\u0661", "4294967295", "9" * 11])
def test_an_account_without_a_number_is_skipped(number):
    passwd = f"tedge:x:{number}:1::/:\ntedge:x:5:{number}::/:\ntedge:x:5:6::/:\n"
    group = f"one:x:{number}:tedge\ntwo:x:8:other,tedge\n"
    user = Device(MemoryTree({"/etc/passwd": File(passwd.encode()), "/etc/group": File(group.encode())})).user("tedge")
    assert (user.uid, user.gid, user.groups) == (5, 6, frozenset({6, 8}))


def test_a_report_of_a_partly_unreadable_tree_names_what_is_missing(tmp_path, monkeypatch):
    tree = GoodTree.build(tmp_path / "root", "debian", "c8y")
    node = RootDirectory.node

    def refusing(self, path, *, follow=False):
        if path == DPKG:
            raise InputError(Problem("unreadable", path, "cannot be read", "run as root"))
        return node(self, path, follow=follow)

    monkeypatch.setattr(RootDirectory, "node", refusing)
    found = report(tree.root, ReportOptions())
    assert found.anchors and [each.path for each in found.findings if each.id == "unreadable"] == [DPKG]
