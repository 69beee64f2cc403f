"""The plan is the difference between two trees; what is in the way is a conflict, never overwritten."""

import pytest

from rootfs_trust.rootfs.nodes import Absent, Directory, File, Special, Symlink
from rootfs_trust.rootfs.plan import STAGED_PREFIX, Link, MakeDirectory, Put, Remove, make_plan
from tests.support.memory import MemoryTree


def test_an_equal_tree_needs_nothing():
    view = MemoryTree({"/a/f": File(b"x"), "/a/l": Symlink("f")})
    assert make_plan(view, {"/a/f": File(b"x"), "/a/l": Symlink("f"), "/a/none": Absent()}).actions == ()


def test_missing_folders_come_first_and_outer_ones_before_inner_ones():
    desired = {"/a/b/c/f": File(b"x"), "/a/b": Directory(mode=0o700), "/a/l": Symlink("b")}
    plan = make_plan(MemoryTree(), desired)
    assert plan.actions == (
        MakeDirectory("/a", Directory()),
        MakeDirectory("/a/b", Directory(mode=0o700)),
        MakeDirectory("/a/b/c", Directory()),
        Put("/a/b/c/f", File(b"x"), replaces=False),
        Link("/a/l", Symlink("b"), replaces=False),
    )


def test_removals_come_last_and_the_rest_in_the_order_asked_for():
    view = MemoryTree({"/d/old": Symlink("x"), "/d/b": Symlink("y")})
    plan = make_plan(view, {"/d/old": Absent(), "/d/z": File(b""), "/d/b": Symlink("z")})
    assert plan.actions == (
        Put("/d/z", File(b""), replaces=False),
        Link("/d/b", Symlink("z"), replaces=True),
        Remove("/d/old"),
    )


@pytest.mark.parametrize(
    ("actual", "wanted"),
    [
        (Directory(), File(b"x")),
        (Special("FIFO"), File(b"x")),
        (Directory(), Symlink("x")),
        (File(b"own"), Symlink("x")),
        (File(b"own"), Directory()),
        (Symlink("nowhere"), Directory()),
    ],
)
def test_what_is_not_ours_is_a_conflict(actual, wanted):
    plan = make_plan(MemoryTree({"/d/x": actual}), {"/d/x": wanted})
    assert plan.actions == ()
    (conflict,) = plan.conflicts
    assert (conflict.id, conflict.path) == ("conflict", "/d/x")


def test_a_file_or_a_dead_link_on_the_way_is_a_conflict():
    for blocker in (File(b""), Symlink("/volume")):
        plan = make_plan(MemoryTree({"/etc/ssl": blocker}), {"/etc/ssl/certs/x": File(b"")})
        assert {conflict.path for conflict in plan.conflicts} == {"/etc/ssl"}


def test_a_link_to_a_folder_on_the_way_is_as_good_as_the_folder():
    view = MemoryTree({"/etc/ssl": Symlink("/data"), "/data/certs": Directory()})
    plan = make_plan(view, {"/etc/ssl/certs/x": File(b"")})
    assert plan.conflicts == ()
    assert [action.path for action in plan.actions] == ["/etc/ssl/certs/x"]


def test_what_a_killed_run_left_is_swept_once_from_each_folder():
    view = MemoryTree({f"/d/{STAGED_PREFIX}0": File(b"half"), "/d/x": File(b"")})
    assert make_plan(view, {"/d/x": File(b""), "/d/y": Absent()}).actions == (Remove(f"/d/{STAGED_PREFIX}0"),)


def test_a_folder_is_never_removed():
    assert make_plan(MemoryTree({"/d/0123abcd.0": Directory()}), {"/d/0123abcd.0": Absent()}).actions == ()


def test_what_is_made_of_a_source_goes_before_the_source():
    """A run that is cut short between them is completed by the next one, which still finds the source."""
    view = MemoryTree({"/s/ca.crt": File(b"x"), "/c/ca.pem": Symlink("/s/ca.crt"), "/c/1.0": Symlink("ca.pem")})
    plan = make_plan(view, {"/s/ca.crt": Absent(), "/c/1.0": Absent(), "/c/ca.pem": Absent(), "/c/new": File(b"")})
    assert [action.path for action in plan.actions] == ["/c/new", "/c/1.0", "/c/ca.pem", "/s/ca.crt"]


def test_a_file_that_is_a_mount_is_in_the_way_of_what_replaces_or_removes_it():
    class Mounted(MemoryTree):
        def mounted(self, path: str) -> bool:
            return path in ("/a/f", "/a/g", "/a/same")

    view = Mounted({f"/a/{name}": File(b"x") for name in ("f", "g", "same", "other")})
    desired = {"/a/f": File(b"y"), "/a/g": Absent(), "/a/same": File(b"x"), "/a/other": File(b"y")}
    assert [(each.id, each.path) for each in make_plan(view, desired).conflicts] == [
        ("conflict", "/a/f"),
        ("conflict", "/a/g"),
    ]
    assert make_plan(MemoryTree(view.entries), desired).conflicts == ()
