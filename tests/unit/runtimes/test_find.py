"""The walk that finds stores of runtimes, wherever an application was put."""

from __future__ import annotations

import pytest

from rootfs_trust.errors import InputError, Problem
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Directory, File, Symlink
from rootfs_trust.runtimes import find
from rootfs_trust.runtimes.find import CASTORE, CERTIFI, JAVA, NODE, find_stores
from tests.support.memory import MemoryTree

PLACES = {
    "/opt/app/venv/lib/python3.11/site-packages/certifi/cacert.pem": CERTIFI,
    "/usr/local/lib/python3.12/dist-packages/certifi/cacert.pem": CERTIFI,
    "/usr/lib/python3/dist-packages/certifi/cacert.pem": CERTIFI,
    "/home/me/.venv/lib64/python3.9/site-packages/certifi/cacert.pem": CERTIFI,
    "/srv/a/b/c/lib/python3.13/site-packages/pip/_vendor/certifi/cacert.pem": CERTIFI,
    "/usr/lib/python3.6/site-packages/pip/_vendor/requests/cacert.pem": CERTIFI,
    "/usr/lib/python3/dist-packages/botocore/cacert.pem": CERTIFI,
    "/usr/local/aws-cli/v2/2.17.0/dist/awscli/botocore/cacert.pem": CERTIFI,
    "/opt/java/openjdk/lib/security/cacerts": JAVA,
    "/usr/lib/jvm/java-17-openjdk-amd64/lib/security/cacerts": JAVA,
    "/usr/lib/jvm/java-8-openjdk/jre/lib/security/cacerts": JAVA,
    "/usr/java/jdk-21/lib/security/jssecacerts": JAVA,
    "/opt/tool/jre/lib/security/cacerts": JAVA,
    "/root/.sdkman/candidates/java/21.0.2-tem/lib/security/cacerts": JAVA,
    "/app/_build/prod/lib/castore/priv/cacerts.pem": CASTORE,
    "/opt/release/lib/castore-1.0.8/priv/cacerts.pem": CASTORE,
    "/opt/release/lib/certifi-2.12.0/priv/cacerts.pem": CASTORE,
    "/usr/local/bin/node": NODE,
    "/opt/node-v20.1.0/bin/node": NODE,
}


@pytest.mark.parametrize(("path", "kind"), PLACES.items(), ids=PLACES)
def test_a_store_is_found_in_every_place_that_people_use(path, kind):
    assert find_stores(MemoryTree({path: File(b"")})).stores == ((kind, path),)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/ssl/certs/java/cacerts",
        "/opt/app/cacert.pem",
        "/opt/app/priv/cacerts.pem",
        "/proc/1/root/opt/jdk/lib/security/cacerts",
        "/usr/share/doc/lib/security/cacerts.md",
        "/var/node",
    ],
)
def test_other_files_are_not_stores_of_a_runtime(path):
    assert find_stores(MemoryTree({path: File(b"")})).stores == ()


def test_a_directory_of_the_name_is_not_a_store():
    assert find_stores(MemoryTree({"/opt/jdk/lib/security/cacerts": Directory()})).stores == ()


def test_a_link_is_found_though_it_dangles_and_no_link_is_followed():
    tree = MemoryTree(
        {
            "/opt/jdk/lib/security/cacerts": Symlink("/etc/ssl/certs/java/cacerts"),
            "/opt/current": Symlink("jdk"),
            "/opt/loop": Symlink("/opt"),
        }
    )
    assert find_stores(tree).paths(JAVA) == ["/opt/jdk/lib/security/cacerts"]


def test_a_jdk_without_a_keystore_is_found_by_the_file_that_every_jdk_has():
    tree = MemoryTree({"/opt/jdk/lib/security/default.policy": File(b"")})
    assert find_stores(tree).paths(JAVA) == ["/opt/jdk/lib/security/cacerts"]


def test_the_order_is_that_of_the_paths():
    tree = MemoryTree({path: File(b"") for path in reversed(PLACES)})
    assert [store.path for store in find_stores(tree).stores] == sorted(PLACES)


def test_the_walk_stops_at_its_bound_and_says_where(monkeypatch):
    monkeypatch.setattr(find, "MAX_ENTRIES", 3)
    tree = MemoryTree({f"/a/{name}": File(b"") for name in "xyz"} | {"/b/certifi/cacert.pem": File(b"")})
    assert find_stores(tree) == ((), ("/b",))


def test_the_walk_goes_no_deeper_than_its_bound(monkeypatch):
    monkeypatch.setattr(find, "MAX_DEPTH", 2)
    tree = MemoryTree({"/a/b/c/certifi/cacert.pem": File(b""), "/d/certifi/cacert.pem": File(b"")})
    assert find_stores(tree) == ((("certifi", "/d/certifi/cacert.pem"),), ("/a/b/c",))


def test_a_directory_that_cannot_be_listed_is_skipped_and_named():
    class Closed(MemoryTree):
        def names(self, path):
            if path == "/root":
                raise InputError(Problem("unreadable", path, "cannot be read", ""))
            return super().names(path)

    tree = Closed({"/root/certifi/cacert.pem": File(b""), "/srv/certifi/cacert.pem": File(b"")})
    assert find_stores(tree) == ((("certifi", "/srv/certifi/cacert.pem"),), ("/root",))


def test_the_tree_on_disk_gives_the_same(tmp_path):
    for path in PLACES:
        (tmp_path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path[1:]).touch()
    with RootDirectory(str(tmp_path)) as root:
        assert dict((path, kind) for kind, path in find_stores(root).stores) == PLACES
