"""A copy of a root filesystem: everything is kept, no link is followed, no depth is too deep."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import tempfile

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.copy import TreeCopy, remove_tree


def copied(source, dest):
    dest.mkdir()
    TreeCopy(str(source), str(dest)).run()
    return dest


def listing(directory) -> str:
    """Every entry with type, mode, owner, time, links and content, as GNU tools print it."""
    form = r"%P %y %m %U:%G %T@ %n %l %s\n"
    names = os.fsdecode(subprocess.run(["find", directory, "-printf", form], capture_output=True, check=True).stdout)
    # The number of names of a directory is that of its directories, and its size is the file system's.
    lines = [line.rpartition(" ")[0] if " d " in line else line for line in names.splitlines()]
    return "\n".join(sorted(lines))


@pytest.fixture
def tree(tmp_path, monkeypatch):
    source = tmp_path / "source"
    (source / "etc/empty").mkdir(parents=True)
    (source / "etc/file").write_bytes(b"x" * 3_000_000)
    (source / "etc/file").chmod(0o4711)
    os.link(source / "etc/file", source / "hard")
    (source / "link").symlink_to("/etc/file")
    (source / "dangling").symlink_to("../../nowhere")
    os.link(source / "link", source / "hard-link-of-a-link", follow_symlinks=False)
    os.mkfifo(source / "fifo")
    with socket.socket(socket.AF_UNIX) as made:
        monkeypatch.chdir(source)  # the name of a socket is short
        made.bind("socket")
    os.mkdir(os.fsencode(source) + b"/\xff\xfe new\nline")
    (source / ("n" * 255)).touch()
    os.setxattr(source / "etc/file", "user.note", b"kept")
    os.setxattr(source / "etc", "user.note", b"of a folder")
    if os.geteuid() == 0:
        os.mknod(source / "device", stat.S_IFCHR | 0o640, os.makedev(1, 3))
        os.chown(source / "link", 12, 34, follow_symlinks=False)
        os.chown(source / "etc/file", 12, 34)
        os.chmod(source / "etc/file", 0o4711)
    for path, time in ((source / "etc/file", 1), (source / "etc", 2), (source, 3)):
        os.utime(path, (time, time))
    return source


def test_everything_is_kept(tree, tmp_path):
    dest = copied(tree, tmp_path / "dest")
    assert listing(dest) == listing(tree)
    assert os.path.samefile(dest / "etc/file", dest / "hard")
    assert (dest / "etc/file").read_bytes() == (tree / "etc/file").read_bytes()
    assert os.getxattr(dest / "etc/file", "user.note") == b"kept"
    assert os.getxattr(dest / "etc", "user.note") == b"of a folder"


def test_a_tree_of_any_depth(tmp_path):
    """5,000 directories deep, with a limit of 64 descriptors: no recursion, and none is held open on the way.

    The first name of a file with two is longer than a path may be.
    """
    depth = 5_000
    source = tmp_path / "source"
    source.mkdir()
    program = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
fd = os.open({str(source)!r}, os.O_RDONLY)
for _ in range({depth}):
    os.mkdir("d", dir_fd=fd)
    fd, old = os.open("d", os.O_RDONLY, dir_fd=fd), fd
    os.close(old)
os.close(os.open("leaf", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
os.link("leaf", {os.fspath(source / "z")!r}, src_dir_fd=fd)
os.close(fd)
from rootfs_trust.rootfs.copy import TreeCopy, remove_tree
os.mkdir({str(tmp_path / "dest")!r})
TreeCopy({str(source)!r}, {str(tmp_path / "dest")!r}).run()
fd = os.open({str(tmp_path / "dest")!r}, os.O_RDONLY)
for _ in range({depth}):
    fd, old = os.open("d", os.O_RDONLY, dir_fd=fd), fd
    os.close(old)
print(os.listdir(fd), os.stat("leaf", dir_fd=fd).st_ino == os.stat({str(tmp_path / "dest/z")!r}).st_ino)
os.close(fd)
from rootfs_trust.rootfs.copy import remove_tree
remove_tree({str(tmp_path / "dest")!r})
print(os.listdir({str(tmp_path)!r}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "['leaf'] True\n['source']\n", done.stderr[-1000:]
    subprocess.run(["rm", "-rf", source], check=True)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_entry_that_becomes_a_link_after_the_look(tmp_path, monkeypatch, kind):
    source, outside = tmp_path / "source", tmp_path / "outside"
    (source / "x").parent.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("secret")
    if kind == "file":
        (source / "x").write_text("mine")
    else:
        (source / "x").mkdir()
    real = os.stat

    def look(path, **options):
        status = real(path, **options)
        if path == b"x" and not (source / "x").is_symlink():
            os.rename(source / "x", source / "was")
            (source / "x").symlink_to(outside / "secret" if kind == "file" else outside)
        return status

    monkeypatch.setattr(os, "stat", look)
    with pytest.raises(InputError, match="cannot be read"):
        copied(source, tmp_path / "dest")
    monkeypatch.undo()
    found = subprocess.run(["grep", "-r", "secret", tmp_path / "dest"], capture_output=True, check=False)
    assert found.stdout == b""


def test_a_directory_that_is_moved_while_it_is_read(tmp_path, monkeypatch):
    source, outside = tmp_path / "source", tmp_path / "outside"
    (source / "a/b").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret").write_text("secret")
    real = os.listdir

    def listed(fd):
        names = real(fd)
        if names == []:
            os.rename(source / "a/b", outside / "b")
        return names

    monkeypatch.setattr(os, "listdir", listed)
    with pytest.raises(InputError, match="was moved"):
        copied(source, tmp_path / "dest")
    monkeypatch.undo()
    assert not (tmp_path / "dest/secret").exists()


def test_a_sparse_file_stays_sparse(tmp_path):
    """A small tree may claim to be larger than any disk."""
    (tmp_path / "source").mkdir()
    with open(tmp_path / "source/log", "wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 39)
        file.write(b"in the middle")
    dest = copied(tmp_path / "source", tmp_path / "dest")
    status = os.stat(dest / "log")
    assert status.st_size == 1 << 40 and status.st_blocks * 512 < 1 << 20
    with open(dest / "log", "rb") as file:
        file.seek(1 << 39)
        assert file.read(20) == b"in the middle" + bytes(7)


def test_a_file_that_becomes_shorter_while_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/log").write_bytes(b"x" * 3_000_000)
    real = os.pread

    def read(fd, size, offset):
        os.truncate(tmp_path / "source/log", 10)
        return real(fd, size, offset)

    monkeypatch.setattr(os, "pread", read)
    with pytest.raises(InputError, match="became shorter"):
        copied(tmp_path / "source", tmp_path / "dest")


def test_a_copy_into_its_own_source_is_refused(tmp_path):
    """By a name that does not show it, such as a mount of one in the other: it would have no end."""
    (tmp_path / "source/var").mkdir(parents=True)
    with pytest.raises(InputError, match="DEST is inside SOURCE"):
        copied(tmp_path / "source", tmp_path / "source/var/dest")


def test_a_file_system_without_attributes(tree, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "listxattr", refuse)
    assert listing(copied(tree, tmp_path / "dest")) == listing(tree)


# -- removing ----------------------------------------------------------------------------------------------


def test_remove_tree_removes_nothing_outside(tree, tmp_path, monkeypatch):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    (tree / "etc/out").symlink_to(outside)
    monkeypatch.chdir("/")
    remove_tree(str(tree))
    assert os.listdir(tmp_path) == ["outside"] and os.listdir(outside) == ["file"]


def test_directories_without_permissions_are_removed_without_root():
    """What an ordinary user copied of a tree has its modes, too."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        program = f"""
import os
from rootfs_trust.rootfs.copy import remove_tree
if os.geteuid() == 0:
    os.seteuid(65534)
os.chdir({directory!r})
os.makedirs("t/a/b")
for name in ("t/a/b", "t/a", "t"):
    os.chmod(name, 0o555)
remove_tree("t")
"""
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
        assert os.listdir(directory) == []


def test_a_link_in_the_place_of_the_tree_is_not_followed(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "t").symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="Not a directory"):
        remove_tree(str(tmp_path / "t"))
    assert (tmp_path / "outside").is_dir()
