"""Two runs that write one DEST: one after the other, whatever the form of the image."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time

import pytest

from rootfs_trust.image.destination import Destination
from tests.support.debian_tree import DebianTree
from tests.support.images import LayoutDirectory, Tarball, docker_archive

LAYER = Tarball().directory("usr/share/ca-certificates").file("etc/os-release", b"ID=debian\n").end()
FORMS = ("layout", "archive", "tar", "folder")


def source(form, directory):
    path = directory / form
    if form == "layout":
        layout = LayoutDirectory(path)
        layout.index(layout.image(LAYER))
    elif form == "archive":
        path.write_bytes(docker_archive({"layers": [LAYER]}))
    elif form == "tar":
        path.write_bytes(LAYER)
    else:
        DebianTree(path)
    return path


def start(path, dest, *words):
    run = [sys.executable, "-m", "rootfs_trust", "image", path, dest, *words]
    return subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def files(path):
    """Every file and link of DEST with its content."""
    if path.is_file():
        return path.read_bytes()
    found = {}
    for each in sorted(path.rglob("*")):
        content = os.readlink(each) if each.is_symlink() else each.is_file() and each.read_bytes()
        found[str(each.relative_to(path))] = content
    return found


@pytest.mark.parametrize("form", FORMS)
def test_a_run_waits_for_the_one_that_has_the_lock(tmp_path, form):
    dest = tmp_path / "dest"
    lock = os.open(tmp_path / ".rootfs-trust.lock-dest", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    process = start(source(form, tmp_path), dest)
    time.sleep(1.5)
    assert process.poll() is None and not dest.exists()
    os.unlink(tmp_path / ".rootfs-trust.lock-dest")
    os.close(lock)
    assert process.wait(timeout=60) == 0, process.communicate()
    process.communicate()
    assert dest.exists() and [name for name in os.listdir(tmp_path) if name.startswith(".rootfs")] == []


@pytest.mark.parametrize("form", FORMS)
def test_rounds_of_two_runs(tmp_path, form):
    path = source(form, tmp_path)
    alone = tmp_path / "alone"
    first = start(path, alone)
    assert first.communicate(timeout=60) and first.returncode == 0
    expected = files(alone)
    for number in range(3):
        dest = tmp_path / f"dest{number}"
        two = [start(path, dest), start(path, dest)]
        outputs = [each.communicate(timeout=60) for each in two]
        statuses = sorted(each.returncode for each in two)
        # A directory that is there is in the way of the second run; other forms are compared.
        assert statuses == ([0, 3] if form == "folder" else [0, 0]), outputs
        assert files(dest) == expected
        assert [name for name in os.listdir(tmp_path) if name.startswith(".rootfs")] == []


def test_different_destinations_in_one_directory_do_not_wait(tmp_path):
    lock = os.open(tmp_path / ".rootfs-trust.lock-dest", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    Destination(str(tmp_path / "other")).put_file((b"x",))
    assert (tmp_path / "other").read_bytes() == b"x"
    os.close(lock)


def test_a_lock_file_that_a_killed_run_left(tmp_path):
    (tmp_path / ".rootfs-trust.lock-dest").touch()
    Destination(str(tmp_path / "dest")).put_file((b"x",))
    assert os.listdir(tmp_path) == ["dest"]


def test_a_link_in_the_place_of_the_lock(tmp_path):
    (tmp_path / ".rootfs-trust.lock-dest").symlink_to(tmp_path / "victim")
    with pytest.raises(Exception, match="cannot be written"):
        Destination(str(tmp_path / "dest")).put_file((b"x",))
    assert not (tmp_path / "victim").exists()


def test_a_name_of_255_bytes(tmp_path):
    name = "n" * 255
    Destination(str(tmp_path / name)).put_file((b"x",))
    with Destination(str(tmp_path / ("m" * 255))).staged_directory() as staged:
        assert len(os.path.basename(staged)) < 255
    assert sorted(os.listdir(tmp_path)) == ["m" * 255, name]
