"""Stamps: the same one means the same decision, whatever was done to the tree in between."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rootfs_trust.api.install import install_job
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.planning import decide, read_job
from rootfs_trust.errors import RootfsTrustError
from rootfs_trust.fleet.change_detection import StampedPlace, WatchedTree, stamp
from rootfs_trust.rootfs.root_directory import RootDirectory
from tests.support.layout_trees import FAMILIES, LayoutTree


@pytest.fixture
def job(tmp_path, authority, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    return read_job(InstallOptions(certs=["ca.pem"], clouds=["c8y"]))


def watched(tree: Path, job) -> tuple[tuple[StampedPlace, ...], str]:
    with RootDirectory(str(tree)) as root:
        view = WatchedTree(root)
        assert not decide(view, job).plan.actions
        places = view.places()
        return places, stamp(root, places)


def now(tree: Path, places) -> str:
    with RootDirectory(str(tree)) as root:
        return stamp(root, places)


def undisturbed(tree: Path, job) -> bool:
    try:
        with RootDirectory(str(tree)) as root:
            return not decide(root, job).plan.actions
    except RootfsTrustError:
        return False


def entries(tree: Path) -> Iterator[Path]:
    for directory, directories, files in os.walk(tree):
        yield from (Path(directory, name) for name in [*directories, *files])


@contextmanager
def disturbed(entry: Path, how: str, out_of_sight: Path) -> Iterator[bool]:
    """One entry changed, and put back afterwards; False where it cannot be changed in this way."""
    status, aside = entry.lstat(), entry.with_name(".aside")
    if how != "same size and time":
        away = out_of_sight if how == "gone" else aside
        entry.rename(away)
        if how == "elsewhere":
            entry.symlink_to("nowhere" if stat.S_ISREG(status.st_mode) else aside.name)
        yield True
        if how == "elsewhere":
            entry.unlink()
        away.rename(entry)
    elif stat.S_ISREG(status.st_mode) and status.st_size:
        data = entry.read_bytes()
        middle = len(data) // 2
        entry.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
        os.utime(entry, ns=(status.st_atime_ns, status.st_mtime_ns))
        yield True
        entry.write_bytes(data)
    else:
        yield False


@pytest.mark.parametrize("how", ["gone", "elsewhere", "same size and time"])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_no_change_that_matters_leaves_the_stamp(family, how, job, tmp_path):
    tree = LayoutTree(tmp_path / "rootfs", family)
    install_job(tree.root, job)
    mattered = 0
    for entry in list(entries(tree.path)):
        places, before = watched(tree.path, job)
        # The kernel's clock for files ticks every few milliseconds.
        time.sleep(0.01)
        assert now(tree.path, places) == before
        with disturbed(entry, how, tmp_path / "away") as changed:
            if changed and not undisturbed(tree.path, job):
                assert now(tree.path, places) != before, entry
                mattered += 1
    assert mattered > 1


def test_places_are_few(debian, job):
    install_job(debian.root, job)
    places, _ = watched(debian.path, job)
    assert StampedPlace("folder", "/etc/ssl/certs") in places
    assert len(places) < 60


def test_new_entries_of_a_directory_that_was_listed(debian, job):
    install_job(debian.root, job)
    places, before = watched(debian.path, job)
    debian.write("usr/local/share/ca-certificates/other.crt", b"")
    assert now(debian.path, places) != before


def test_files_elsewhere_do_not_matter(debian, job):
    install_job(debian.root, job)
    places, before = watched(debian.path, job)
    debian.write("opt/application/file", b"")
    debian.write("etc/tedge/plugins/other", b"")
    assert now(debian.path, places) == before


def test_a_link_in_the_middle_of_a_way(debian, job, other_authority):
    """The local directory has a link to a file behind a link: turning that one round changes what the store holds."""
    for name, ca in (("one", job.gathered.anchors[0].certificate.der), ("two", other_authority.der)):
        debian.write(f"opt/{name}/ca.crt", ca)
    (debian.path / "opt/now").symlink_to("one")
    install_job(debian.root, job)
    link = debian.path / "etc/ssl/certs/outside.pem"
    link.symlink_to("/opt/now/ca.crt")
    install_job(debian.root, job)
    places, before = watched(debian.path, job)
    (debian.path / "opt/now").unlink()
    (debian.path / "opt/now").symlink_to("two")
    assert now(debian.path, places) != before


def test_a_copy_has_another_stamp(debian, job, tmp_path):
    install_job(debian.root, job)
    places, before = watched(debian.path, job)
    shutil.copytree(debian.path, tmp_path / "copy", symlinks=True)
    assert now(tmp_path / "copy", places) != before
