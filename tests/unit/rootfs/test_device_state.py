"""A device's state over the tree of its image: what is in force on the device, entry by entry.

That overlayfs itself says the same is held in tests/peers/test_state_verdicts.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.device_state import StateSpec, TreeWithDeviceState, parse_state
from rootfs_trust.rootfs.state_layers import Deployment, FoundEntry, OverlayUpperLayer, inside_of
from rootfs_trust.rootfs.view import Node, Owner
from tests.support.memory import Directory, File, MemoryTree, Special, Symlink

IMAGE = MemoryTree(
    {
        "/etc/a": File(b"image a"),
        "/etc/b": File(b"image b"),
        "/etc/ssl/certs/x.pem": File(b"image x"),
        "/etc/link": Symlink("/etc/ssl"),
        "/etc/dangling": Symlink("nowhere"),
        "/usr/c": File(b"image c"),
    }
)


class Attributed(MemoryTree):
    """A tree whose entries have extended attributes; what is in ``busy`` is a mount point and has a time."""

    def __init__(
        self, entries: Mapping[str, Node], attributes: Mapping[str, Mapping[str, bytes]], busy: str = ""
    ) -> None:
        super().__init__(entries)
        self._attributes, self._busy = attributes, busy

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        return self._attributes.get(path, {})

    def mounted(self, path: str) -> bool:
        return path == self._busy

    def modified(self, path: str) -> int | None:
        return 7 if path == self._busy else None


def over(text: str, upper: MemoryTree, base: MemoryTree = IMAGE) -> TreeWithDeviceState:
    return TreeWithDeviceState(base, [(parse_state(f"{text}=DIR"), upper)])


def content(tree: TreeWithDeviceState, path: str) -> bytes | None:
    node = tree.node(path, follow=True)
    return node.content if isinstance(node, File) else None


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("overlay:/etc=DIR", ("overlay", "/etc", "DIR")),
        ("overlay:/=DIR", ("overlay", "/", "DIR")),
        ("overlay:/etc/=a=b", ("overlay", "/etc", "a=b")),
        ("copy:/etc/tedge=/x:y", ("copy", "/etc/tedge", "/x:y")),
        ("ostree:a=b", ("ostree", "/etc", "a=b")),
    ],
)
def test_the_forms_of_a_state(text: str, spec: tuple[str, str, str]) -> None:
    assert parse_state(text) == StateSpec(*spec)


@pytest.mark.parametrize(
    "text", ["", "overlay", "overlay:/etc", "overlay:/etc=", "overlay:etc=x", "ostree", "ostree:", "nfs:/etc=x", "=:/x"]
)
def test_malformed_state_arguments_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="unknown form") as refused:
        parse_state(text)
    (problem,) = refused.value.problems
    assert (problem.id, problem.path) == ("state", "")
    assert text in problem.message
    assert "overlay:/etc=DIR" in problem.hint


@pytest.mark.parametrize(
    ("path", "directory", "inside"),
    [
        ("/etc/a", "/etc", "/a"),
        ("/etc", "/etc", "/"),
        ("/etc", "/", "/etc"),
        ("/etcetera", "/etc", None),
        ("/usr", "/etc", None),
        ("/", "/", "/"),
    ],
)
def test_a_path_as_seen_from_a_directory(path: str, directory: str, inside: str | None) -> None:
    assert inside_of(path, directory) == inside


def test_an_upper_directory_hides_only_the_entries_that_it_has() -> None:
    tree = over("overlay:/etc", MemoryTree({"/a": File(b"mine"), "/new/n": File(b"new"), "/ssl/certs/y": File(b"y")}))
    assert content(tree, "/etc/a") == b"mine"
    assert content(tree, "/etc/b") == b"image b"
    assert content(tree, "/usr/c") == b"image c"
    assert content(tree, "/etc/new/n") == b"new"
    assert tree.names("/etc") == ["a", "b", "dangling", "link", "new", "ssl"]
    assert tree.names("/etc/ssl/certs") == tree.names("/etc/link/certs") == ["x.pem", "y"]
    assert tree.names("/nowhere") == []
    assert tree.names("/etc/a") == []
    assert [path for path in ("/etc/a", "/etc/b", "/etc/new", "/usr/c", "/etc/z") if tree.from_state(path)] == [
        "/etc/a",
        "/etc/new",
    ]
    assert tree.base is IMAGE


def test_links_lead_through_both() -> None:
    tree = over("overlay:/etc", MemoryTree({"/to-image": Symlink("ssl/certs"), "/up": Symlink("../usr/c")}))
    assert tree.real_path("/etc/to-image/x.pem") == "/etc/ssl/certs/x.pem"
    assert content(tree, "/etc/to-image/x.pem") == b"image x"
    assert content(tree, "/etc/up") == b"image c"
    assert tree.node("/etc/up") == Symlink("../usr/c")
    assert (tree.kind("/etc/up"), tree.kind("/etc/up", follow=False)) == (File, Symlink)
    assert (tree.kind("/etc/dangling"), tree.kind("/etc/dangling", follow=False)) == (None, Symlink)
    assert (tree.kind("/etc/to-image"), tree.kind("/")) == (Directory, Directory)
    assert tree.from_state("/etc/up", follow=False)
    assert not tree.from_state("/etc/up")
    assert tree.node("/nowhere/x") is None
    assert tree.kind("/etc/a/x") is None


def test_whiteouts_hide_entries_of_the_image() -> None:
    upper = Attributed(
        {"/a": Special("device"), "/b": File(b""), "/ssl": Special("device"), "/n": File(b"plain")},
        {"/b": {"user.overlay.whiteout": b""}, "/n": {"user.other": b""}},
    )
    tree = over("overlay:/etc", upper)
    assert tree.names("/etc") == ["dangling", "link", "n"]
    assert [tree.node(f"/etc/{name}") for name in ("a", "b", "ssl", "ssl/certs/x.pem")] == [None] * 4
    assert tree.kind("/etc/link") is None
    copied = over("copy:/etc", upper)
    assert copied.names("/etc") == ["a", "b", "dangling", "link", "n", "ssl"]
    assert copied.kind("/etc/a") is Special
    assert content(copied, "/etc/b") == b""
    assert copied.node("/etc/ssl/certs/x.pem") is None


@pytest.mark.parametrize("attribute", ["trusted.overlay.opaque", "user.overlay.opaque"])
@pytest.mark.parametrize(("value", "names"), [(b"y", ["y"]), (b"x", ["x.pem", "y"]), (b"", ["x.pem", "y"])])
def test_an_opaque_directory_hides_the_layer_below(attribute: str, value: bytes, names: list[str]) -> None:
    upper = Attributed({"/ssl/certs/y": File(b"y")}, {"/ssl": {attribute: value}})
    tree = over("overlay:/etc", upper)
    assert tree.names("/etc/ssl/certs") == names
    assert (tree.node("/etc/ssl/certs/x.pem") is None) == (value == b"y")
    assert over("copy:/etc", upper).names("/etc/ssl/certs") == ["x.pem", "y"]


def test_a_file_of_the_state_hides_a_directory() -> None:
    tree = over("overlay:/etc", MemoryTree({"/ssl": File(b"no folder")}))
    assert content(tree, "/etc/ssl") == b"no folder"
    assert tree.node("/etc/ssl/certs/x.pem") is None
    assert tree.names("/etc/ssl/certs") == []


def test_a_link_of_the_state_replaces_a_directory() -> None:
    tree = over("overlay:/etc", MemoryTree({"/ssl": Symlink("/usr")}))
    assert content(tree, "/etc/ssl/c") == b"image c"
    assert tree.node("/etc/ssl/certs") is None


def test_the_directory_itself_is_the_images() -> None:
    tree = over("overlay:/etc", MemoryTree({"/a": File(b"")}))
    assert not tree.from_state("/etc")
    assert over("overlay:/", MemoryTree({"/usr/c": File(b"mine")})).from_state("/usr/c")


def test_the_last_state_is_on_top() -> None:
    one, two = MemoryTree({"/a": File(b"one"), "/n": File(b"one")}), MemoryTree({"/a": File(b"two")})
    spec = parse_state("overlay:/etc=DIR")
    tree = TreeWithDeviceState(IMAGE, [(spec, one), (spec, two)])
    assert (content(tree, "/etc/a"), content(tree, "/etc/n")) == (b"two", b"one")
    hidden = TreeWithDeviceState(IMAGE, [(spec, one), (spec, MemoryTree({"/a": Special("device")}))])
    assert hidden.node("/etc/a") is None


def test_attributes_come_from_the_layer_of_the_entry() -> None:
    base = Attributed({"/etc/b": File(b""), "/etc/l": Symlink("b")}, {"/etc/b": {"security.ima": b"b"}}, "/etc/b")
    upper = Attributed({"/a": File(b"")}, {"/a": {"security.ima": b"a"}}, "/a")
    tree = over("overlay:/etc", upper, base)
    assert tree.extended_attributes("/etc/a") == {"security.ima": b"a"}
    assert tree.extended_attributes("/etc/b") == {"security.ima": b"b"}
    assert (tree.extended_attributes("/etc/l"), tree.extended_attributes("/etc/z")) == ({}, {})
    assert [tree.mounted(f"/etc/{name}") for name in "ablz"] == [True, True, False, False]
    assert [tree.modified(f"/etc/{name}") for name in "ablz"] == [7, 7, 7, None]


DEPLOYED = MemoryTree(
    {
        "/usr/etc/same": File(b"old"),
        "/usr/etc/changed": File(b"old"),
        "/usr/etc/mode": File(b"old"),
        "/usr/etc/gone": File(b"old"),
        "/usr/etc/folder/same": File(b"old"),
        "/usr/etc/link": Symlink("same"),
        "/usr/etc/retyped/x": File(b"old"),
        "/etc/same": File(b"old"),
        "/etc/changed": File(b"mine"),
        "/etc/mode": File(b"old", mode=0o600),
        "/etc/added": File(b"mine"),
        "/etc/own/x": File(b"mine"),
        "/etc/folder/same": File(b"old"),
        "/etc/link": Symlink("changed"),
        "/etc/retyped": File(b"mine"),
    }
)
NEW = {
    "/usr/etc/same": File(b"new"),
    "/usr/etc/changed": File(b"new"),
    "/usr/etc/mode": File(b"new"),
    "/usr/etc/gone": File(b"new"),
    "/usr/etc/folder/same": File(b"new"),
    "/usr/etc/folder/other": File(b"new"),
    "/usr/etc/link": Symlink("same"),
    "/usr/etc/retyped/x": File(b"new"),
    "/usr/etc/own/y": File(b"new"),
    "/usr/etc/added": File(b"new"),
}


def renamed(entries: Mapping[str, Node]) -> dict[str, Node]:
    return {path.removeprefix("/usr"): node for path, node in entries.items()}


@pytest.mark.parametrize("base", [NEW, renamed(NEW)], ids=["usr/etc", "etc"])
def test_a_deployment_keeps_what_it_has_changed(base: Mapping[str, Node]) -> None:
    """ostree admin deploy: the difference of /etc to /usr/etc is carried over to the new /usr/etc."""
    tree = TreeWithDeviceState(MemoryTree(base), [(parse_state("ostree:DIR"), DEPLOYED)])
    assert content(tree, "/etc/same") == b"new"
    assert content(tree, "/etc/changed") == b"mine"
    assert tree.node("/etc/mode") == File(b"old", mode=0o600)
    assert tree.node("/etc/gone") is None
    assert content(tree, "/etc/added") == b"mine"
    assert content(tree, "/etc/folder/same") == content(tree, "/etc/folder/other") == b"new"
    assert content(tree, "/etc/own/x") == b"mine"
    assert tree.node("/etc/own/y") is None
    assert tree.node("/etc/link") == Symlink("changed")
    assert (content(tree, "/etc/retyped"), tree.node("/etc/retyped/x")) == (b"mine", None)
    assert tree.names("/etc") == ["added", "changed", "folder", "link", "mode", "own", "retyped", "same"]
    assert tree.names("/etc/folder") == ["other", "same"]
    assert tree.names("/etc/own") == ["x"]
    assert [name for name in tree.names("/etc") if tree.from_state(f"/etc/{name}", follow=False)] == [
        "added",
        "changed",
        "link",
        "mode",
        "own",
        "retyped",
    ]


def test_an_owner_that_differs_is_a_change() -> None:
    state = MemoryTree({"/usr/etc/f": File(b"", owner=Owner(0, 0)), "/etc/f": File(b"", owner=Owner(1, 0))})
    tree = TreeWithDeviceState(MemoryTree({"/usr/etc/f": File(b"new")}), [(parse_state("ostree:DIR"), state)])
    assert content(tree, "/etc/f") == b""


def test_an_image_that_has_its_etc_is_not_looked_for_in_usr() -> None:
    both = MemoryTree({"/usr/etc/f": File(b"usr"), "/etc/f": File(b"etc")})
    tree = TreeWithDeviceState(both, [(parse_state("ostree:DIR"), MemoryTree({"/usr/x": File(b"")}))])
    assert content(tree, "/etc/f") == b"etc"
    plain = TreeWithDeviceState(MemoryTree({"/usr/etc/f": File(b"usr")}), [(parse_state("ostree:DIR"), MemoryTree())])
    assert content(plain, "/etc/f") == content(plain, "/usr/etc/f") == b"usr"
    assert plain.names("/etc") == ["f"]


@pytest.mark.parametrize("make", [lambda view: OverlayUpperLayer("/etc", view, True), Deployment])
def test_each_directory_of_a_deep_path_is_read_once(make):
    """Each directory of a deep path was looked at again for each that is below it: thousands took for ever."""
    depth = 1000
    view = CountingTree({"/d" * depth: Directory(), "/etc" + "/d" * depth: Directory()})
    layer = make(view)
    for length in range(1, depth + 1):
        assert isinstance(layer.find("/etc" + "/d" * length), FoundEntry)
    assert view.looks <= 3 * depth


class CountingTree(MemoryTree):
    looks = 0

    def node(self, path, *, follow=False):
        self.looks += 1
        return self.entries.get(path)

    def kind(self, path, *, follow=True):
        node = self.node(path)
        return None if node is None else type(node)
