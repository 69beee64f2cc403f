"""Layers merged as in layer.md of OCI: whiteouts, opaque directories, links, and paths that a device does not allow."""

from __future__ import annotations

import subprocess

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.image import image_tree as tree_module
from rootfs_trust.image.image_tree import ImageTree, Layer
from rootfs_trust.rootfs.view import Directory, File, Owner, Special, Symlink, read
from tests.support.images import Tarball
from tests.support.peers import peer


def tree(*layers: Tarball, whiteouts: bool = True) -> ImageTree:
    def layer(content: bytes) -> Layer:
        return Layer("layer", lambda: iter((content,)))

    return ImageTree([layer(each.end()) for each in layers], whiteouts=whiteouts)


def test_later_layers_replace_files_and_merge_directories():
    lower = Tarball().directory("etc", uid=7).file("etc/a", b"old").file("etc/b", b"b", mode=0o600, uid=3, gid=4)
    upper = Tarball().directory("etc/", mode=0o700, uid=8).file("./etc/a", b"new")
    found = tree(lower, upper)
    assert found.names("/etc") == ["a", "b"]
    assert read(found, "/etc/a") == b"new"
    assert found.node("/etc/b") == File(b"b", Owner(3, 4), 0o600)
    assert found.node("/etc") == Directory(Owner(8, 0), 0o700)


def test_a_whiteout_removes_only_entries_of_lower_layers():
    lower = Tarball().file("d/a", b"1").file("d/b").file("d/sub/c").file("keep")
    upper = Tarball().file("d/sub/new").file("d/.wh.a").file("d/a", b"2").file("d/.wh.b").file("d/.wh.sub")
    found = tree(lower, upper)
    assert found.names("/d") == ["a", "sub"] and read(found, "/d/a") == b"2"
    assert found.names("/d/sub") == ["new"] and found.kind("/keep") is File


@pytest.mark.parametrize("opaque_first", [True, False])
def test_an_opaque_marker_hides_lower_layers_whatever_its_position(opaque_first):
    lower = Tarball().file("d/a").file("d/sub/b")
    upper = Tarball()
    if opaque_first:
        upper.file("d/.wh..wh..opq").file("d/new")
    else:
        upper.file("d/new").file("d/.wh..wh..opq")
    assert tree(lower, upper).names("/d") == ["new"]


def test_whiteouts_without_anything_below_and_marks_of_aufs_do_nothing():
    upper = Tarball().file("none/.wh.a").file(".wh.b").file(".wh..wh.plnk").file("a")
    assert tree(Tarball().directory("d"), upper).names("/") == ["a", "d"]


def test_in_the_tar_file_of_a_rootfs_such_names_are_names():
    assert tree(Tarball().file(".wh.a").file("a"), whiteouts=False).names("/") == [".wh.a", "a"]


def test_hard_links_share_content_and_keep_it_when_the_other_name_gets_a_new_one():
    lower = Tarball().file("a", b"one", mode=0o640).hard_link("b", "./a")
    found = tree(lower, Tarball().file("a", b"two").hard_link("c", "b"))
    assert [read(found, name) for name in ("/a", "/b", "/c")] == [b"two", b"one", b"one"]
    assert found.node("/c") == File(b"one", Owner(0, 0), 0o640)


def test_the_parent_of_a_file_does_not_exist():
    """openat2(2): ENOTDIR."""
    found = tree(Tarball().file("d/a").link("through", "d/a/../a"))
    assert found.kind("/d/a/..") is None and found.kind("/through") is None and found.kind("/d/../d/a") is File


def test_links_are_followed_inside_the_tree_as_after_chroot():
    layer = Tarball().directory("usr/lib").file("usr/lib/x", b"x").link("lib", "usr/lib").link("abs", "/lib")
    layer.link("up", "../../../lib/x").link("loop", "loop").link("d/back", "../abs/x").link("nowhere", "/no/such")
    found = tree(layer)
    for path in ("/lib/x", "/abs/x", "/up", "/d/back", "/d/../lib/x"):
        assert found.real_path(path) == "/usr/lib/x", path
    assert found.node("/up") == Symlink("../../../lib/x") and found.kind("/up") is File
    assert found.kind("/loop") is None and found.node("/nowhere", follow=True) is None
    assert found.kind("/nowhere", follow=False) is Symlink and found.kind("/usr/lib/x/y") is None


def test_entries_below_a_link_of_a_lower_layer_go_where_it_leads():
    found = tree(Tarball().directory("usr/lib").link("lib", "usr/lib"), Tarball().file("lib/x", b"x"))
    assert found.names("/usr/lib") == ["x"] and found.kind("/lib", follow=False) is Symlink


def test_a_directory_replaces_a_link_and_a_file_replaces_a_directory():
    found = tree(Tarball().link("a", "b").file("b/x").file("c/y"), Tarball().directory("a").file("c", b"file"))
    assert (found.names("/a"), read(found, "/c")) == ([], b"file")


def test_special_files_attributes_and_the_root_directory():
    layer = Tarball().directory(".", mode=0o750, uid=5).add("pipe", b"6").add("null", b"3")
    layer.file("f", pax_headers={"SCHILY.xattr.security.selinux": "system_u:object_r:cert_t:s0\0"})
    found = tree(layer)
    assert found.kind("/pipe") is Special and found.node("/null") == Special("special file")
    assert found.extended_attributes("/f") == {"security.selinux": b"system_u:object_r:cert_t:s0\0"}
    assert found.owner == Owner(5, 0) and found.node("/") == Directory(Owner(5, 0), 0o750)


def test_names_are_bytes_whatever_the_locale():
    found = tree(Tarball().file("d/\udcff\udcfe", b"x").file("d/ä"))
    assert found.names("/d") == ["ä", "\udcff\udcfe"] and read(found, "/d/\udcff\udcfe") == b"x"


def test_contents_beyond_what_is_kept_are_read_when_asked_for(monkeypatch):
    passes = []
    monkeypatch.setattr(tree_module, "_MAX_KEPT", 5)
    content = Tarball().file("etc/a", b"1234").file("etc/b", b"5678").file("opt/c", b"c").file("opt/d", b"d").end()
    found = ImageTree([Layer("layer", lambda: passes.append(1) or iter((content,)))])
    assert [read(found, path) for path in ("/etc/a", "/etc/b", "/opt/c", "/opt/d")] == [b"1234", b"5678", b"c", b"d"]
    assert len(passes) == 3  # etc/a while looking, etc/b, and both of opt at once
    assert read(found, "/etc/b") == b"5678"


def test_a_file_that_is_too_large_is_refused_where_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(tree_module, "MAX_FILE", 3)
    found = tree(Tarball().file("opt/a", b"1234"))
    assert found.kind("/opt/a") is File
    with pytest.raises(InputError, match="larger than 3 bytes"):
        found.node("/opt/a")


@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_a_sparse_file_is_refused_only_when_it_is_read(tmp_path, form):
    (tmp_path / "a").write_bytes(b"1")
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(1 << 20)
        file.seek(1 << 19)
        file.write(b"x")
    words = [peer("tar"), "-S", f"--format={form}", "-C", tmp_path, "-cf", tmp_path / "x.tar", "sparse", "a"]
    subprocess.run(words, check=True)
    assert (tmp_path / "x.tar").stat().st_size < 1 << 18
    content = (tmp_path / "x.tar").read_bytes()
    found = ImageTree([Layer("layer", lambda: iter((content,)))])
    assert found.names("/") == ["a", "sparse"] and found.kind("/sparse") is File and read(found, "/a") == b"1"
    with pytest.raises(InputError, match="sparse file"):
        found.node("/sparse")


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (Tarball().file("../x"), "lead out"),
        (Tarball().file("a/../../x"), "lead out"),
        (Tarball().file("/etc/passwd"), "lead out"),
        (Tarball().file("a").hard_link("b", "../a"), "lead out"),
        (Tarball().hard_link("b", "nowhere"), "which is not a file"),
        (Tarball().directory("d").hard_link("b", "d"), "which is not a file"),
        (Tarball().file("a").file("a/b"), "not a directory"),
        (Tarball().link("a", "a").file("a/b"), "not a directory"),
        (Tarball().file("."), "not a directory"),
        (Tarball().file("/".join("a" * 300)), "255 directories"),
    ],
)
def test_hostile_entries_are_refused(layer, reason):
    with pytest.raises(InputError, match=reason) as caught:
        tree(layer)
    assert caught.value.problems[0].path == "layer"
