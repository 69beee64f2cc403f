"""One way through a tree that is not a directory on disk: what is passed, and where it ends."""

import pytest

from rootfs_trust.rootfs.resolve import resolve, way
from rootfs_trust.rootfs.view import Directory, File, Symlink

PLACES = {
    "/a": Directory,
    "/a/b": Directory,
    "/a/b/file": File,
    "/a/up": Symlink("../c"),
    "/c": Symlink("/a/b"),
    "/a/loop": Symlink("loop"),
}


@pytest.mark.parametrize(
    ("path", "passed"),
    [
        ("/", ["/"]),
        ("/a/./b", ["/", "/a", "/a/b"]),
        ("/a/b/file", ["/", "/a", "/a/b", "/a/b/file"]),
        ("/a/b/..", ["/", "/a", "/a/b", "/a"]),
        ("/..", ["/", "/"]),
        ("/c", ["/", "/", "/a", "/a/b"]),
        ("/a/up/file", ["/", "/a", "/", "/", "/a", "/a/b", "/a/b/file"]),
        ("/a/loop", []),
        ("/a/none", []),
        ("/a/b/file/", []),
        ("/a/b/file/..", []),
    ],
)
def test_each_place_that_the_kernel_would_pass(path, passed):
    assert way(path, PLACES.get) == passed
    assert resolve(path, PLACES.get) == (passed[-1] if passed else None)


@pytest.mark.parametrize("count", [40, 41])
def test_forty_links_are_followed_and_no_more(count):
    chain = {f"/{number}": Symlink(f"{number + 1}") for number in range(count)} | {f"/{count}": File}
    assert resolve("/0", chain.get) == ("/40" if count == 40 else None)
