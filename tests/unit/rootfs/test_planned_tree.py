"""The rootfs as it will be: paths are followed through what is there and what a run is about to write."""

import pytest

from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import Absent, Directory, File, Special, Symlink
from tests.support.memory import MemoryTree

VIEW = {
    "/data/certs/own.pem": File(b""),
    "/data/certs/0000aaaa.0": Symlink("own.pem"),
    "/etc/ssl": Symlink("/data"),
    "/etc/loop": Symlink("loop"),
    "/etc/fifo": Special("FIFO"),
    "/etc/up": Symlink("../../../data/./certs"),
    "/opt/gone/x": File(b""),
}
DESIRED = {
    "/etc/ssl/certs/new.pem": Symlink("/usr/share/new.crt"),
    "/usr/share/new.crt": File(b""),
    "/etc/ssl/certs/0000bbbb.0": Symlink("new.pem"),
    "/etc/ssl/certs/own.pem": Absent(),
    "/etc/ssl/more/deep/x": File(b""),
    "/etc/empty": Directory(),
    "/etc/turn": Symlink("turn"),
    "/opt/gone/x": Absent(),
}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", Directory),
        ("/etc/ssl", Directory),
        ("/etc/ssl/certs/new.pem", File),
        ("/data/certs/new.pem", File),
        ("/etc/up/new.pem", File),
        ("/etc/up/../certs/new.pem", File),
        ("/../usr/share/new.crt", File),
        ("/usr", Directory),
        ("/usr/share", Directory),
        ("/usr/share/", Directory),
        ("/data/more/deep", Directory),
        ("/data/more/deep/x", File),
        ("/etc/empty", Directory),
        ("/etc/fifo", Special),
        ("/etc/ssl/certs/own.pem", None),
        ("/data/certs/own.pem", None),
        ("/etc/up/0000aaaa.0", None),
        ("/opt/gone", Directory),
        ("/opt/gone/x", None),
        ("/etc/loop", None),
        ("/etc/turn", None),
        ("/etc/fifo/x", None),
        ("/usr/share/new.crt/..", None),
        ("/none/x", None),
    ],
)
def test_planned_entries_are_visible_at_their_real_paths(path, kind):
    assert PlannedTree(Device(MemoryTree(VIEW)), DESIRED).kind(path) is kind


def test_the_root_itself_may_be_wanted():
    assert PlannedTree(Device(MemoryTree()), {"/": Directory(), "/a/b": File(b"")}).kind("/a") is Directory


@pytest.mark.parametrize(("count", "kind"), [(40, File), (41, None)])
def test_forty_links_are_followed_and_no_more(count, kind):
    chain = {f"/l{number}": Symlink(f"l{number - 1}") for number in range(1, count)}
    view = MemoryTree({**chain, "/l0": Symlink("/end"), "/end": File(b"")})
    assert PlannedTree(Device(view), {}).kind(f"/l{count - 1}") is kind
