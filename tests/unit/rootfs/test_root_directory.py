"""The door: paths are resolved as the device would, and nothing outside the root is reached."""

import errno
import os
import socket
import subprocess
import sys

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs import root_directory
from rootfs_trust.rootfs.descriptor_calls import read_file
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Directory, File, Special, Symlink, read

CANARY = b"outside"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "canary").write_bytes(CANARY)
    (tmp_path / "rootfs/etc/ssl/certs").mkdir(parents=True)
    (tmp_path / "rootfs/canary").write_bytes(b"inside")
    return tmp_path / "rootfs"


@pytest.fixture
def root(tree):
    with RootDirectory(str(tree)) as root:
        yield root


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/canary", b"inside"),
        ("../../canary", b"inside"),
        ("../../../../../../canary", b"inside"),
        ("/../canary", b"inside"),
        ("/etc/../canary", b"inside"),
        ("//canary", b"inside"),
        ("./../ssl/../../canary", b"inside"),
        ("/etc/ssl/certs/../../../canary", b"inside"),
        ("missing", None),
        ("/canary/..", None),
        ("/canary/x", None),
        ("link", None),
    ],
)
def test_a_link_is_followed_inside_the_root(tree, root, text, found):
    (tree / "etc/ssl/link").symlink_to(text)
    assert read(root, "/etc/ssl/link") == found


def test_an_absolute_link_to_the_host_reads_nothing_of_the_host(tree, root):
    (tree / "etc/host").symlink_to(tree.parent / "canary")
    assert read(root, "/etc/host") is None
    assert root.node("/etc/host") == Symlink(str(tree.parent / "canary"))


def test_a_directory_that_is_a_link_elsewhere_in_the_root(tree, root):
    (tree / "data").mkdir()
    (tree / "data/a.pem").write_bytes(b"a")
    (tree / "etc/ssl/linked").symlink_to("/data")
    assert root.names("/etc/ssl/linked") == ["a.pem"]
    assert read(root, "/etc/ssl/linked/a.pem") == b"a"
    assert root.real_path("/etc/ssl/linked/a.pem") == "/data/a.pem"
    assert root.kind("/etc/ssl/linked") is Directory
    assert root.kind("/etc/ssl/linked", follow=False) is Symlink


@pytest.mark.parametrize("count", [40, 41])
def test_forty_links_are_followed_and_no_more(tree, root, count):
    (tree / "link0").symlink_to("canary")
    for number in range(1, count):
        (tree / f"link{number}").symlink_to(f"link{number - 1}")
    # The kernel agrees, asked in a chroot-like view: os.open below the tree itself.
    last = f"link{count - 1}"
    try:
        kernel = (tree / last).read_bytes()
    except OSError:
        kernel = None
    assert read(root, f"/{last}") == kernel == (b"inside" if count == 40 else None)


@pytest.mark.parametrize(
    "path", ["/canary/etc", "/canary/", "/canary/.", "/canary/..", "/canary/../etc", "/c\0", "/c\0/x"]
)
def test_nothing_is_found_through_a_file(root, path):
    assert root.kind(path) is root.real_path(path) is root.node(path) is None
    assert root.names(path) == []


def test_a_file_has_no_names(root):
    assert root.names("/canary") == []


@pytest.mark.parametrize("path", ["/..", "/.", "/../..", "/etc/..", "/etc/../..", "/etc/."])
def test_the_directory_above_the_root_is_the_root(tree, root, path):
    mode = 0o700 if path != "/etc/." else 0o755
    tree.chmod(0o700)
    tree.parent.chmod(0o777)
    assert root.node(path).mode == root.node(path, follow=True).mode == mode


def test_a_link_that_appears_while_its_place_is_read_is_reported(tree, root, monkeypatch):
    (tree / "etc/link").symlink_to("/canary")
    monkeypatch.setattr(os, "readlink", lambda *_, **__: (_ for _ in ()).throw(OSError(22, "no link yet")))
    with pytest.raises(InputError, match="/etc/link: became a link while it was read"):
        root.node("/etc/link")


def test_names_are_in_byte_order(tree, root):
    names = [b"b", b"B", b"a", b"\xff", "é".encode(), b".hidden"]
    for name in names:
        (tree / os.fsdecode(name)).write_bytes(b"")
    assert [os.fsencode(name) for name in root.names("/")] == sorted([*names, b"etc", b"canary"])


def test_special_files_are_never_opened(tree, root):
    os.mkfifo(tree / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tree / "socket"))
    listener.close()
    assert root.node("/fifo") == Special("FIFO")
    assert root.node("/socket") == Special("socket")
    assert read(root, "/fifo") is None


def test_a_huge_file_is_refused_without_being_read(tree, root):
    with open(tree / "huge", "wb") as file:
        file.truncate(root_directory.MAX_FILE + 1)
    with pytest.raises(InputError, match="/huge: is larger than"):
        root.node("/huge")


def test_no_more_of_a_file_is_read_than_the_bound_and_a_byte(tree):
    (tree / "file").write_bytes(b"x" * 100)
    directory = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert read_file(directory, b"file", 10)[1] == b"x" * 11
        assert read_file(directory, b"file", 100)[1] == b"x" * 100
    finally:
        os.close(directory)


def test_a_root_that_is_not_a_directory(tree):
    for path in (tree / "canary", tree / "none"):
        with pytest.raises(InputError, match="cannot be opened as a directory"):
            RootDirectory(str(path))


def test_the_root_itself_may_be_a_link_of_the_host(tree):
    (tree.parent / "link").symlink_to(tree)
    with RootDirectory(str(tree.parent / "link")) as root:
        assert read(root, "/canary") == b"inside"


def test_every_descriptor_is_closed(tree):
    before = os.listdir("/proc/self/fd")
    with RootDirectory(str(tree)) as root:
        root.names("/etc/ssl/certs")
        read(root, "/etc/ssl/../../canary")
        read(root, "/no/such/place")
    assert os.listdir("/proc/self/fd") == before


def test_a_second_process_waits_for_the_lock(tree):
    program = f"""
from rootfs_trust.rootfs.root_directory import RootDirectory
root = RootDirectory({str(tree)!r})
root.lock()
print("locked", flush=True)
"""
    with RootDirectory(str(tree)) as root:
        root.lock()
        other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=0.7)
    assert other.communicate(timeout=20)[0] == b"locked\n"
    assert sorted(os.listdir(tree)) == ["canary", "etc"]


def test_extended_attributes_are_those_of_the_link_itself(tree, root):
    target = tree / "etc/file"
    target.write_bytes(b"")
    os.setxattr(target, "user.test", b"1")
    (tree / "etc/link").symlink_to("file")
    assert root.extended_attributes("/etc/file")["user.test"] == b"1"
    assert "user.test" not in root.extended_attributes("/etc/link")


def test_a_file_carries_its_owner_and_mode(tree, root):
    (tree / "etc/secret").write_bytes(b"x")
    (tree / "etc/secret").chmod(0o640)
    node = root.node("/etc/secret")
    assert isinstance(node, File)
    assert node.mode == 0o640
    assert (node.owner.uid, node.owner.gid) == (os.geteuid(), os.getegid())


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_attributes_and_an_owner_that_cannot_be_read_are_reported(root, monkeypatch, number):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    for name, ask in (
        ("listxattr", lambda: root.extended_attributes("/canary")),
        ("readlink", lambda: root.node("/canary")),
        ("fstat", lambda: root.owner),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(os, name, refuse)
            with pytest.raises(InputError, match=f"cannot be read: {os.strerror(number)}") as refused:
                ask()
            assert [each.id for each in refused.value.problems] == ["unreadable"]


def test_a_lock_that_cannot_be_had_is_reported(root, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(InputError, match="/: cannot be locked: No locks available"):
        root.lock()


def test_nothing_is_a_mount_where_nothing_is_mounted(root):
    assert not any(map(root.mounted, ("/canary", "/etc", "/missing", "/missing/x", "/")))
    with RootDirectory("/") as host:
        assert host.mounted("/proc") or not os.path.ismount("/proc")


def test_results_are_cached_until_forget(tree, root):
    """And then everything is: what was just written is not taken from memory."""
    certs = tree / "etc/ssl/certs"
    (certs / "link").symlink_to("/canary")
    (certs / "file").write_bytes(b"")
    assert root.names("/etc/ssl/certs") == ["file", "link"]
    before = [look(root) for look in LOOKS]
    (certs / "link").unlink()
    (certs / "file").unlink()
    (certs / "file").mkdir()
    assert [look(root) for look in LOOKS] == before == [Symlink, Symlink("/canary"), File, File]
    root.forget()
    assert [look(root) for look in LOOKS] == [None, None, Directory, Directory]


def test_forget_clears_only_the_given_paths(tree, root):
    certs = tree / "etc/ssl/certs"
    for name in ("kept", "gone"):
        (certs / name).symlink_to("/canary")
    assert root.names("/etc/ssl/certs") == ["gone", "kept"]
    paths = [f"/etc/ssl/certs/{name}" for name in ("kept", "gone", "new/file")]
    assert [root.node(path) for path in paths] == [Symlink("/canary"), Symlink("/canary"), None]
    for name in ("kept", "gone"):
        (certs / name).unlink()
    (certs / "new").mkdir()
    (certs / "new/file").write_bytes(b"new")
    root.forget(*paths[1:])
    assert root.names("/etc/ssl/certs") == ["new"]
    assert [root.kind(path, follow=False) for path in paths] == [Symlink, None, File]
    assert root.node(paths[0]) == Symlink("/canary")


@pytest.mark.timeout(20)  # without O_NONBLOCK it waits for ever
def test_a_file_that_becomes_a_fifo_after_it_was_listed_is_reported(tree, root):
    certs = tree / "etc/ssl/certs"
    (certs / "file").write_bytes(b"")
    assert root.names("/etc/ssl/certs") == ["file"]
    (certs / "file").unlink()
    os.mkfifo(certs / "file")
    with pytest.raises(InputError, match="/etc/ssl/certs/file: was replaced while it was read"):
        root.node("/etc/ssl/certs/file")


LOOKS = (
    lambda root: root.kind("/etc/ssl/certs/link", follow=False),
    lambda root: root.node("/etc/ssl/certs/link"),
    lambda root: root.kind("/etc/ssl/certs/file"),
    lambda root: root.kind("/etc/ssl/certs/file", follow=False),
)
