"""The rootfs as it will be: paths are followed through what stands there and what a run is about to write."""

import pytest

from rootfs_trust.agents.finished import Finished
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.nodes import Absent, Directory, File, Special, Symlink
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
    ("name", "counts"),
    [
        ("7f334139.0", True),
        *((name, False) for name in ("7f334139.007", "7f334139.00", "7f334139.1", "7f334139.r0", "7F334139.0")),
    ],
)
def test_which_names_openssls_lookup_asks_for_first(name, counts):
    assert Finished(Device(MemoryTree({f"/certs/{name}": File(b"")})), {}).has_hash_links("/certs") is counts


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
def test_what_will_stand_where(path, kind):
    assert Finished(Device(MemoryTree(VIEW)), DESIRED).kind(path) is kind


@pytest.mark.parametrize(
    ("folder", "found"),
    [("/etc/ssl/certs", True), ("/data/certs", True), ("/etc/up", True), ("/etc", False), ("/x", False)],
)
def test_hash_links(folder, found):
    assert Finished(Device(MemoryTree(VIEW)), DESIRED).has_hash_links(folder) is found
    without = {path: node for path, node in DESIRED.items() if path != "/etc/ssl/certs/0000bbbb.0"}
    assert Finished(Device(MemoryTree(VIEW)), without).has_hash_links(folder) is False


def test_the_root_itself_may_be_wanted():
    assert Finished(Device(MemoryTree()), {"/": Directory(), "/a/b": File(b"")}).kind("/a") is Directory


@pytest.mark.parametrize(("count", "kind"), [(40, File), (41, None)])
def test_forty_links_are_followed_and_no_more(count, kind):
    chain = {f"/l{number}": Symlink(f"l{number - 1}") for number in range(1, count)}
    view = MemoryTree({**chain, "/l0": Symlink("/end"), "/end": File(b"")})
    assert Finished(Device(view), {}).kind(f"/l{count - 1}") is kind
