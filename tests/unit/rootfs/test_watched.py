"""What a decision asked of a tree, and the fewest places that tell of every change in it."""

from __future__ import annotations

import os

import pytest

from rootfs_trust.fleet.change_detection import StampedPlace, WatchedTree, stamp, state_of
from rootfs_trust.rootfs.root_directory import RootDirectory
from tests.support.memory import Directory, File, MemoryTree, Symlink

TREE = MemoryTree(
    {
        "/d/f": File(b"x"),
        "/d/near": Symlink("f"),
        "/d/up": Symlink("../e/f"),
        "/d/far": Symlink("/e/f"),
        "/d/odd": Symlink("x/../f"),
        "/d/loop": Symlink("loop"),
        "/e/f": File(b"y"),
        "/link": Symlink("/d"),
        **{f"/many/{number}": File(b"") for number in range(9)},
    }
)


def entry(path: str) -> StampedPlace:
    return StampedPlace("entry", path)


def end(path: str) -> StampedPlace:
    return StampedPlace("end", path)


@pytest.mark.parametrize(
    ("ask", "place", "answer"),
    [
        (lambda view: view.node("/d/near"), entry("/d/near"), Symlink("f")),
        (lambda view: view.node("/d/near", follow=True), end("/d/near"), File(b"x")),
        (lambda view: view.kind("/d/near"), end("/d/near"), File),
        (lambda view: view.kind("/d/near", follow=False), entry("/d/near"), Symlink),
        (lambda view: view.real_path("/d/far"), end("/d/far"), "/e/f"),
        (lambda view: view.extended_attributes("/d/f"), entry("/d/f"), {}),
        (lambda view: view.mounted("/d/f"), entry("/d/f"), False),
        (lambda view: view.modified("/d/f"), end("/d/f"), 0),
        (lambda view: view.names("/e"), StampedPlace("folder", "/e"), ["f"]),
    ],
)
def test_each_question_is_remembered_and_passed_on(ask, place: StampedPlace, answer: object) -> None:
    view = WatchedTree(TREE)
    assert ask(view) == answer
    assert view.places() == (place,)


def test_paths_that_are_not_read_can_be_added() -> None:
    assert WatchedTree(TREE).places(["/e/f", "/d/f"]) == (entry("/d/f"), entry("/e/f"))


def test_the_stamp_of_a_directory_covers_its_entries_but_not_link_targets() -> None:
    view = WatchedTree(TREE)
    view.names("/d")
    for name in ("f", "near", "up", "far", "odd", "loop", "none"):
        view.kind(f"/d/{name}", follow=False)
        view.kind(f"/d/{name}")
    assert view.places() == (end("/d/far"), end("/d/loop"), end("/d/odd"), end("/d/up"), StampedPlace("folder", "/d"))
    view.names("/e")
    assert view.places() == (end("/d/loop"), end("/d/odd"), StampedPlace("folder", "/d"), StampedPlace("folder", "/e"))


def test_a_relative_link_below_a_link_is_looked_at_itself() -> None:
    view = WatchedTree(TREE)
    view.names("/link")
    view.kind("/link/near")
    assert view.places() == (end("/link/near"), StampedPlace("folder", "/link"))


@pytest.mark.parametrize("count", [7, 8])
def test_many_entries_of_a_directory_are_one_place(count: int) -> None:
    view = WatchedTree(TREE)
    for number in range(count):
        view.node(f"/many/{number}")
    assert len(view.places()) == (1 if count == 8 else 7)


def test_a_stamp_is_of_the_entry_the_end_or_the_directory(tmp_path) -> None:
    for directory in ("d", "e"):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "f").write_bytes(b"x")
    (tmp_path / "d/link").symlink_to("/e/f")
    places = [
        [entry("/d/link")],
        [end("/d/link")],
        [StampedPlace("folder", "/d")],
        [entry("/d/none")],
        [end("/none/x")],
    ]

    def stamps() -> list[str]:
        with RootDirectory(str(tmp_path)) as root:
            return [stamp(root, each) for each in places]

    before = stamps()
    assert before == stamps()
    assert len(set(before)) == len(before)
    (tmp_path / "e/f").write_bytes(b"longer")
    assert [now == then for now, then in zip(stamps(), before, strict=True)] == [True, False, True, True, True]
    (tmp_path / "d/none").write_bytes(b"")
    assert [now == then for now, then in zip(stamps(), before, strict=True)] == [True, False, False, False, True]
    with RootDirectory(str(tmp_path)) as root:
        assert stamp(root, [StampedPlace("folder", "/gone")]) != stamp(root, [StampedPlace("folder", "/e")])


def test_the_same_file_in_another_directory_is_another_entry(tmp_path) -> None:
    """A link on the way is turned round to a directory with a hard link to the very file."""
    for directory in ("d", "e"):
        (tmp_path / directory).mkdir()
    (tmp_path / "d/f").write_bytes(b"x")
    os.link(tmp_path / "d/f", tmp_path / "e/f")
    stamps = []
    for target in ("d", "e"):
        (tmp_path / "now").unlink(missing_ok=True)
        (tmp_path / "now").symlink_to(target)
        with RootDirectory(str(tmp_path)) as root:
            stamps.append([stamp(root, [place]) for place in (entry("/now/f"), end("/now/f"))])
    assert [one == other for one, other in zip(*stamps, strict=True)] == [False, False]


def test_the_stamp_of_a_file_ignores_its_access_time(tmp_path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"x")
    before, directory = state_of(file.stat()), state_of(tmp_path.stat())
    os.utime(file, ns=(1, file.stat().st_mtime_ns))
    assert state_of(file.stat())[:7] == before[:7]
    (tmp_path / "g").write_bytes(b"")
    assert state_of(tmp_path.stat()) == directory
    os.utime(file, ns=(1, 1))
    assert state_of(file.stat())[:7] != before[:7]
    file.chmod(0o600)
    assert state_of(file.stat())[0] != before[0]


def test_a_directory_and_a_file_of_one_name_have_different_stamps() -> None:
    view = WatchedTree(MemoryTree({"/d": Directory()}))
    assert view.kind("/d") is Directory
    assert view.kind("/d/x") is None
