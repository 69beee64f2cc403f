"""The plan is the difference between two trees; what is in the way is a conflict, never overwritten."""

import pytest

from rootfs_trust.rootfs.plan import STAGED_PREFIX, Link, MakeDirectory, Put, Remove, make_plan
from rootfs_trust.rootfs.view import Absent, Directory, File, Special, Symlink
from tests.support.memory import MemoryTree


def test_an_equal_tree_needs_nothing():
    view = MemoryTree({"/a/f": File(b"x"), "/a/l": Symlink("f")})
    assert make_plan(view, {"/a/f": File(b"x"), "/a/l": Symlink("f"), "/a/none": Absent()}).actions == ()


def test_missing_directories_come_first_and_outer_ones_before_inner_ones():
    desired = {"/a/b/c/f": File(b"x"), "/a/b": Directory(mode=0o700), "/a/l": Symlink("b")}
    plan = make_plan(MemoryTree(), desired)
    assert plan.actions == (
        MakeDirectory("/a", Directory()),
        MakeDirectory("/a/b", Directory(mode=0o700)),
        MakeDirectory("/a/b/c", Directory()),
        Put("/a/b/c/f", File(b"x"), replaces=False),
        Link("/a/l", Symlink("b"), replaces=False),
    )


def test_removals_come_last_and_the_rest_in_the_order_of_desired():
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
def test_a_foreign_entry_is_a_conflict(actual, wanted):
    plan = make_plan(MemoryTree({"/d/x": actual}), {"/d/x": wanted})
    assert plan.actions == ()
    (conflict,) = plan.conflicts
    assert (conflict.id, conflict.path) == ("conflict", "/d/x")


def test_a_file_or_a_dead_link_on_the_way_is_a_conflict():
    for blocker in (File(b""), Symlink("/volume")):
        plan = make_plan(MemoryTree({"/etc/ssl": blocker}), {"/etc/ssl/certs/x": File(b"")})
        assert {conflict.path for conflict in plan.conflicts} == {"/etc/ssl"}


def test_a_link_to_a_directory_in_the_parent_path_is_followed():
    view = MemoryTree({"/etc/ssl": Symlink("/data"), "/data/certs": Directory()})
    plan = make_plan(view, {"/etc/ssl/certs/x": File(b"")})
    assert plan.conflicts == ()
    assert [action.path for action in plan.actions] == ["/etc/ssl/certs/x"]


def test_temporary_files_of_a_killed_run_are_deleted_once_per_directory():
    view = MemoryTree({f"/d/{STAGED_PREFIX}0": File(b"half"), "/d/x": File(b"")})
    assert make_plan(view, {"/d/x": File(b""), "/d/y": Absent()}).actions == (Remove(f"/d/{STAGED_PREFIX}0"),)


def test_a_directory_is_never_removed():
    assert make_plan(MemoryTree({"/d/0123abcd.0": Directory()}), {"/d/0123abcd.0": Absent()}).actions == ()


def test_generated_files_are_removed_before_their_source():
    """A run that is cut short between them is completed by the next one, which still finds the source."""
    view = MemoryTree({"/s/ca.crt": File(b"x"), "/c/ca.pem": Symlink("/s/ca.crt"), "/c/1.0": Symlink("ca.pem")})
    plan = make_plan(view, {"/s/ca.crt": Absent(), "/c/1.0": Absent(), "/c/ca.pem": Absent(), "/c/new": File(b"")})
    assert [action.path for action in plan.actions] == ["/c/new", "/c/1.0", "/c/ca.pem", "/s/ca.crt"]


def test_replacing_or_removing_a_mount_point_is_a_conflict():
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


class Signed(MemoryTree):
    """Every entry carries the attributes that its name says."""

    def extended_attributes(self, path: str) -> dict[str, bytes]:
        return dict.fromkeys((f"security.{each}" for each in ("ima", "evm", "selinux") if each in path), b"x")


def test_a_signature_of_a_files_old_content_is_a_conflict():
    view = Signed({f"/d/{name}": File(b"x") for name in ("ima-evm", "selinux", "ima-same", "ima-gone")})
    view.entries["/d/ima-link"] = Symlink("x")
    desired = {path: File(b"y") for path in ("/d/ima-evm", "/d/selinux", "/d/ima-new")}
    desired |= {"/d/ima-same": File(b"x"), "/d/ima-gone": Absent(), "/d/ima-link": Symlink("y")}
    conflicts = make_plan(view, desired).conflicts
    assert [(each.id, each.path) for each in conflicts] == [("conflict", "/d/ima-evm")] * 2
    assert ["security.evm" in each.message for each in conflicts] == [True, False]
    assert "--will-be-signed" in conflicts[0].hint
    assert make_plan(view, desired, will_be_signed=True).conflicts == ()


def test_a_conflict_names_the_existing_and_the_wanted_type():
    view = MemoryTree({"/a": File(b""), "/b": Directory(), "/c": Symlink("no"), "/d": Special("FIFO")})
    desired = {"/a/x": File(b""), "/b": File(b""), "/c": Directory(), "/d": Symlink("y"), "/e/f": File(b"")}
    plan = make_plan(view, desired)
    assert {each.path: each.message for each in plan.conflicts} == {
        "/a": "a file exists where a directory is needed",
        "/b": "a directory exists where a file is needed",
        "/c": "a dangling link exists where a directory is needed",
        "/d": "a special file exists where a link to y is needed",
    }
    assert {"move it away" in each.hint for each in plan.conflicts} == {True}
    assert [(each.verb, each.path) for each in plan.actions] == [("directory", "/e"), ("put", "/e/f")]


def test_actions_have_the_names_of_the_contract():
    view = MemoryTree({"/d/f": File(b""), "/d/l": Symlink("x"), "/d/old": File(b"")})
    desired = {"/d/f": File(b"y"), "/d/l": Symlink("y"), "/d/old": Absent(), "/n": Directory()}
    assert [(each.verb, each.path) for each in make_plan(view, desired).actions] == [
        ("directory", "/n"),
        ("put", "/d/f"),
        ("link", "/d/l"),
        ("remove", "/d/old"),
    ]


def test_no_directory_is_created_for_a_removal():
    assert make_plan(MemoryTree(), {"/a/b/old": Absent(), "/etc": Absent()}).actions == ()


def test_a_link_may_be_replaced_by_a_file_whose_mode_counts_only_if_new():
    view = MemoryTree({"/d/l": Symlink("x"), "/d/f": File(b"x", mode=0o600)})
    desired = {"/d/l": File(b"y"), "/d/f": File(b"x", mode=0o644)}
    assert make_plan(view, desired).actions == (Put("/d/l", File(b"y"), replaces=True),)


def test_temporary_files_are_deleted_unless_they_are_desired():
    staged = {f"/d/{STAGED_PREFIX}{n}": node for n, node in enumerate((Symlink("x"), Directory(), Special("FIFO")))}
    view = MemoryTree({**staged, f"/d/{STAGED_PREFIX}3/full": File(b""), f"/e/{STAGED_PREFIX}0": File(b"")})
    plan = make_plan(view, {"/d/x": File(b"")})
    assert plan.actions[1:] == (Remove(f"/d/{STAGED_PREFIX}0"), Remove(f"/d/{STAGED_PREFIX}1"))
    assert [(each.path, each.message.partition(" exists")[0]) for each in plan.conflicts] == [
        (f"/d/{STAGED_PREFIX}2", "a special file"),
        (f"/d/{STAGED_PREFIX}3", "a directory"),
    ]
    assert "a staged file" in plan.conflicts[0].message


def test_a_blocked_directory_is_one_conflict_beside_the_others():
    view = MemoryTree({"/a": File(b""), "/b": Directory()})
    plan = make_plan(view, {"/a/x": File(b""), "/a/y/z": File(b""), "/b": File(b""), "/c": File(b"")})
    assert [each.path for each in plan.conflicts] == ["/a", "/b"]
    assert [each.path for each in plan.actions if each.path == "/c"] == ["/c"]


def test_a_path_below_a_dangling_link_is_one_conflict_for_its_directory():
    """Nothing is made there, so that only the way to it can tell."""
    plan = make_plan(MemoryTree({"/a": Symlink("/volume")}), {"/a/b/old": Absent(), "/a/old": Absent()})
    assert [(each.path, each.message) for each in plan.conflicts] == [
        ("/a", "a dangling link exists where a directory is needed")
    ]
    assert plan.actions == ()
