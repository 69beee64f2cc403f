"""Where nothing can be written is found out before the first write. With real mounts: tests/peers/test_disk.py."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

import pytest

from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.errors import ConflictError
from rootfs_trust.rootfs import writable
from rootfs_trust.rootfs.plan import Plan, Put, Remove
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import File

PLAN = Plan((Put("/a/new/file", File(b"x"), replaces=False), Put("/a/old", File(b"y"), replaces=True)))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/old").write_bytes(b"x")
    with RootDirectory(str(tmp_path)) as root:
        yield root


def told(root, plan=PLAN) -> list[str]:
    return [f"{each.path} {each.message.partition(': nothing')[0]}" for each in writable.unwritable(root, plan)]


def test_a_writable_plan_has_no_conflict_and_the_check_leaves_no_files(root, tmp_path):
    before = os.stat(tmp_path / "a")
    assert told(root) == []
    after = os.stat(tmp_path / "a")
    assert (before.st_mtime_ns, before.st_ctime_ns) == (after.st_mtime_ns, after.st_ctime_ns)
    assert os.listdir(tmp_path / "a") == ["old"]


def without_access(monkeypatch, number):
    """access(2) fails, and so does the creation of an unnamed file, with this error; 0: it works."""
    real = os.open

    def unnamed(path, flags, *words, **options):
        if number and flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(number, os.strerror(number))
        return real(path, flags, *words, **options)

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(os, "open", unnamed)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_directory_without_rights(root, monkeypatch, number):
    """The nearest one that exists, once."""
    without_access(monkeypatch, number)
    assert told(root) == ["/a is not writable for this user"]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EOPNOTSUPP, 0])
def test_an_access_that_fails_for_another_reason_is_not_a_conflict(root, monkeypatch, number):
    """os.access has the same result after an error of the disk. A disk that is broken fails the write: status 4."""
    without_access(monkeypatch, number)
    assert told(root) == []


@pytest.mark.parametrize(("flags", "what"), [(0x10, "immutable"), (0x20, "append-only"), (0x80000, "")])
def test_attributes_of_the_file_and_of_the_directory(root, monkeypatch, flags, what):
    monkeypatch.setattr(fcntl, "ioctl", lambda *_: struct.pack("l", flags))
    assert [each.partition(" (")[0] for each in told(root)] == ([f"/a is {what}"] if what else [])
    monkeypatch.setattr(writable, "_reason", lambda *_: "")
    assert [each.partition(" (")[0] for each in told(root)] == ([f"/a/old is {what}"] if what else [])
    removal = Plan((Remove("/a/old"),))
    assert bool(told(root, removal)) == bool(what)


@pytest.mark.parametrize(("number", "refused"), [(errno.EPERM, True), (errno.EINVAL, True), (errno.ENOSPC, False)])
def test_an_owner_that_may_not_be_given(root, monkeypatch, number, refused):
    def fchown(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fchown", fchown)
    assert told(root) == []
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(os, "fstat", lambda fd, _real=os.fstat: _other(_real(fd)))
    message = f"/a/old belongs to {os.getuid()}:{os.getgid()}, but this user may not give its replacement that owner"
    assert told(root) == ([message] if refused else [])
    assert told(root, Plan((Remove("/a/old"),))) == []


def _other(status: os.stat_result) -> os.stat_result:
    return os.stat_result([*status[:4], 4711, *status[5:10]])


def test_a_file_system_that_does_not_answer_is_left_to_the_writer(root, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(os, "statvfs", refuse)
    monkeypatch.setattr(fcntl, "ioctl", refuse)
    assert told(root) == []


def test_install_refuses_before_it_writes(debian, tmp_path, authority, monkeypatch):
    given = tmp_path / "ca.pem"
    given.write_bytes(authority.pem)
    before = debian.snapshot()
    without_access(monkeypatch, errno.EACCES)
    with pytest.raises(ConflictError, match="is not writable for this user: nothing can be written there"):
        install(debian.root, InstallOptions([str(given)]))
    assert debian.snapshot() == before
