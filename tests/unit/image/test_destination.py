"""Where results go: whole or not at all, over an older one only where that is asked for."""

from __future__ import annotations

import os

import pytest

from rootfs_trust.errors import ApplyError, ConflictError, InputError
from rootfs_trust.image import destination as module
from rootfs_trust.image.destination import Destination
from rootfs_trust.image.streams import in_memory
from tests.support.debian_tree import snapshot
from tests.support.images import digest


@pytest.fixture(params=["file", "folder"])
def put(request, tmp_path):
    """Writes ``content`` to ``tmp_path/dest`` as a file, or as a directory with one file in it."""

    def write(content: bytes, **how: bool) -> None:
        dest = Destination(str(tmp_path / "dest"), **how)
        if request.param == "file":
            dest.put_file(iter((content,)))
        else:
            dest.put_directory({"blobs/sha256/x": in_memory(content), "index.json": in_memory(b"{}")})

    return write


def test_an_equal_destination_is_unchanged_and_another_is_a_conflict(put, tmp_path):
    put(b"one")
    before = snapshot(tmp_path)
    put(b"one")
    put(b"one", overwrite=True)
    with pytest.raises(ConflictError, match="already exists"):
        put(b"two")
    assert snapshot(tmp_path) == before and os.listdir(tmp_path) == ["dest"]


def test_with_overwrite_the_new_one_takes_the_place_of_the_old(put, tmp_path):
    put(b"one")
    put(b"two", overwrite=True)
    files = [file for file in tmp_path.rglob("*") if file.is_file() and file.name != "index.json"]
    assert [file.read_bytes() for file in files] == [b"two"] and os.listdir(tmp_path) == ["dest"]


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_fault_of_the_disk_leaves_the_old_one(put, tmp_path, monkeypatch, call):
    put(b"one")
    before = snapshot(tmp_path)
    real = getattr(os, call)

    def fail(*words: object) -> None:
        """A full disk, but for moving the old one away and back again."""
        if call == "rename" and ".old-" in f"{words}":
            return real(*words)
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(f"{module.__name__}.os.{call}", fail)
        patched.setattr(module, "exchange", lambda *_: False)
        with pytest.raises(ApplyError, match="No space left on device"):
            put(b"two", overwrite=True)
    assert {path: entry[:3] for path, entry in snapshot(tmp_path).items()} == {p: e[:3] for p, e in before.items()}


@pytest.mark.parametrize("can", [True, False], ids=["exchanged", "one after the other"])
def test_a_directory_takes_the_place_of_another_on_any_file_system(tmp_path, monkeypatch, can):
    dest = Destination(str(tmp_path / "dest"), overwrite=True)
    dest.put_directory({"index.json": in_memory(b"1"), "old": in_memory(b"")})
    if not can:
        monkeypatch.setattr(module, "exchange", lambda *_: False)
    dest.put_directory({"index.json": in_memory(b"2")})
    assert os.listdir(tmp_path) == ["dest"] and os.listdir(tmp_path / "dest") == ["index.json"]


def test_the_destination_exists_at_every_moment(tmp_path, monkeypatch):
    """No rename takes the old directory away: a run that is killed there would leave nothing."""
    dest = Destination(str(tmp_path / "dest"), overwrite=True)
    dest.put_directory({"index.json": in_memory(b"1")})
    monkeypatch.setattr(f"{module.__name__}.os.rename", lambda *_: pytest.fail("renamed"))
    dest.put_directory({"index.json": in_memory(b"2")})
    assert (tmp_path / "dest/index.json").read_bytes() == b"2"


def test_temporary_files_are_deleted_even_if_nothing_is_written(tmp_path):
    dest = Destination(str(tmp_path / "dest"), overwrite=True)
    dest.put_directory({"index.json": in_memory(b"1")})
    (tmp_path / ".rootfs-trust-dest/blobs").mkdir(parents=True)
    dest.put_directory({"index.json": in_memory(b"1")})
    assert os.listdir(tmp_path) == ["dest"]


def test_an_old_destination_that_cannot_be_deleted_is_an_error_after_the_write(tmp_path, monkeypatch):
    dest = Destination(str(tmp_path / "dest"), overwrite=True)
    dest.put_directory({"index.json": in_memory(b"1")})
    real = module.exchange

    def then_fail(*words: str) -> bool:
        monkeypatch.setattr(module, "remove_tree", gone)
        return real(*words)

    def gone(_: str) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(module, "exchange", then_fail)
    with pytest.raises(ApplyError, match="all changes are written, but"):
        dest.put_directory({"index.json": in_memory(b"2")})
    assert (tmp_path / "dest/index.json").read_bytes() == b"2"


@pytest.mark.parametrize("can", [True, False])
def test_a_signal_while_the_old_one_is_deleted_leaves_nothing(tmp_path, monkeypatch, can):
    """The signal comes when the tree of the old one is deleted in part."""
    dest = Destination(str(tmp_path / "dest"), overwrite=True)
    dest.put_directory({"blobs/sha256/x": in_memory(b"one"), "index.json": in_memory(b"{}")})
    remove_tree, signals = module.remove_tree, [SystemExit(143)]

    def interrupted(path):
        if signals:
            os.unlink(os.path.join(path, "index.json"))
            raise signals.pop()
        remove_tree(path)

    monkeypatch.setattr(module, "remove_tree", interrupted)
    if not can:
        monkeypatch.setattr(module, "exchange", lambda *_: False)
    with pytest.raises(SystemExit, match="143"):
        dest.put_directory({"blobs/sha256/x": in_memory(b"two"), "index.json": in_memory(b"{}")})
    assert (tmp_path / "dest/blobs/sha256/x").read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["dest"] and not signals


def test_without_durable_nothing_is_synced(put, monkeypatch):
    monkeypatch.setattr(f"{module.__name__}.os.fsync", lambda _: pytest.fail("synced"))
    put(b"one", durable=False)


def test_blobs_are_shared_by_hard_links_and_all_else_is_copied(tmp_path):
    old = tmp_path / "old"
    old.write_bytes(b"x")
    blob = module.DirectoryFiles(str(tmp_path)).blob("old")
    linked = blob.with_digest(digest(b"x"))
    Destination(str(tmp_path / "dest")).put_directory({"blobs/sha256/x": linked, "index.json": blob})
    assert os.path.samefile(old, tmp_path / "dest/blobs/sha256/x")
    assert not os.path.samefile(old, tmp_path / "dest/index.json")


def test_what_is_staged_is_removed_however_deep_it_is(tmp_path):
    """An image's directories may be nested deeper than Python calls, and their names are strangers' as well."""
    with pytest.raises(ApplyError), Destination(str(tmp_path / "dest")).staged_directory() as staged:
        here = os.open(staged, os.O_DIRECTORY)
        for _ in range(1100):
            for name in ("empty", "\udcff\n", "d"):
                os.mkdir(name, dir_fd=here)
            os.symlink("/", "link", dir_fd=here)
            os.mkfifo("fifo", dir_fd=here)
            here, old = os.open("d", os.O_DIRECTORY, dir_fd=here), here
            os.close(old)
        os.close(here)
        raise OSError("the disk ended")
    assert os.listdir(tmp_path) == []


# -- what is there, and what comes meanwhile -------------------------------------------------------------


def test_a_blob_that_is_there_and_has_other_bytes_is_not_the_same(tmp_path):
    """Also a large one of the same size: its name says what it has to be."""
    content = os.urandom(2 * module.PIECE)
    parts = {"blobs/sha256/x": in_memory(content).with_digest(digest(content)), "index.json": in_memory(b"{}")}
    dest = Destination(str(tmp_path / "dest"))
    dest.put_directory(parts)
    dest.put_directory(parts)
    (tmp_path / "dest/blobs/sha256/x").write_bytes(content[:-1] + b"?")
    with pytest.raises(ConflictError):
        dest.put_directory(parts)


@pytest.mark.parametrize("there", ["file", "link", "fifo", "layout with a link"])
def test_an_existing_directory_that_is_not_a_layout_is_a_conflict(tmp_path, there):
    place, parts = tmp_path / "dest", {"index.json": in_memory(b"{}")}
    (tmp_path / "other").write_text("{}")
    if there == "file":
        place.write_text("{}")
    elif there == "fifo":
        os.mkfifo(place)
    elif there == "link":
        place.symlink_to(tmp_path / "other")
    else:
        place.mkdir()
        (place / "index.json").symlink_to(tmp_path / "other")
    with pytest.raises(ConflictError):
        Destination(str(place)).put_directory(parts)


@pytest.mark.parametrize("can", [True, False], ids=["in one step", "after a look"])
def test_a_destination_created_during_the_run_is_not_replaced(put, tmp_path, monkeypatch, can):
    real = Destination._take_place

    def late(self, new):
        (tmp_path / "dest").mkdir()
        (tmp_path / "dest/theirs").touch()
        real(self, new)

    monkeypatch.setattr(Destination, "_take_place", late)
    if not can:
        monkeypatch.setattr("rootfs_trust.image.rename_exchange._renameat2", lambda *_: False)
    with pytest.raises(ConflictError):
        put(b"one")
    assert os.listdir(tmp_path) == ["dest"] and os.listdir(tmp_path / "dest") == ["theirs"]


# -- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["dest.lock", "dest.old", "lock-dest", "old-dest", "new-dest"])
def test_destinations_share_no_lock_and_no_temporary_file(tmp_path, other):
    """One run in the middle of the other: neither waits, nor sweeps what the other has."""
    with Destination(str(tmp_path / "dest")).staged_directory() as staged:
        Destination(str(tmp_path / other)).put_file((b"x",))
        with Destination(str(tmp_path / f"{other}.d")).staged_directory():
            assert os.path.isdir(staged) and (tmp_path / ".rootfs-trust.lock-dest").exists()
    assert sorted(os.listdir(tmp_path)) == sorted(["dest", other, f"{other}.d"])


@pytest.mark.parametrize("path", ["", ".rootfs-trust-dest", "x/.rootfs-trust.lock-dest"])
def test_a_name_that_cannot_be_one(path):
    with pytest.raises(InputError):
        Destination(path).refuse(folder=True)


def test_a_slash_at_the_end_names_a_directory(tmp_path):
    Destination(f"{tmp_path}/dest/").refuse(folder=True)
    with pytest.raises(InputError, match="not the name of a file"):
        Destination(f"{tmp_path}/dest/").refuse(folder=False)
    Destination(f"{tmp_path}/dest/").put_directory({"x": in_memory(b"")})
    assert os.listdir(tmp_path) == ["dest"]


# -- what a killed run left ------------------------------------------------------------------------------


@pytest.mark.parametrize("left", ["file", "folder", "deep"])
def test_leftovers_of_any_type_are_deleted(put, tmp_path, left):
    staged = tmp_path / ".rootfs-trust-dest"
    if left == "file":
        staged.touch()
    else:
        staged.mkdir()
    if left == "deep":
        fd = os.open(staged, os.O_RDONLY)
        for _ in range(2_000):
            os.mkdir("d", dir_fd=fd)
            fd, old = os.open("d", os.O_RDONLY, dir_fd=fd), fd
            os.close(old)
        os.close(fd)
    put(b"one")
    assert os.listdir(tmp_path) == ["dest"]


def test_other_users_cannot_open_an_unfinished_directory(tmp_path):
    with Destination(str(tmp_path / "dest")).staged_directory() as staged:
        assert os.stat(staged).st_mode & 0o777 == 0o700
