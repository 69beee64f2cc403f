"""Where results go: whole or not at all, over an older one only where that is asked for."""

from __future__ import annotations

import os

import pytest

from rootfs_trust.errors import ApplyError, ConflictError
from rootfs_trust.image import destination as module
from rootfs_trust.image.destination import Destination
from rootfs_trust.image.streams import in_memory
from tests.support.debian_tree import snapshot


@pytest.fixture(params=["file", "folder"])
def put(request, tmp_path):
    """Writes ``content`` to ``tmp_path/dest`` as a file, or as a folder with one file in it."""

    def write(content: bytes, **how: bool) -> None:
        dest = Destination(str(tmp_path / "dest"), **how)
        if request.param == "file":
            dest.put_file(iter((content,)))
        else:
            dest.put_folder({"blobs/sha256/x": in_memory(content), "index.json": in_memory(b"{}")})

    return write


def test_the_same_again_touches_nothing_and_something_else_is_in_the_way(put, tmp_path):
    put(b"one")
    before = snapshot(tmp_path)
    put(b"one")
    put(b"one", overwrite=True)
    with pytest.raises(ConflictError, match="is there already"):
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
        if call == "rename" and ".old" in f"{words}":
            return real(*words)
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(f"{module.__name__}.os.{call}", fail)
        patched.setattr(module, "exchange", lambda *_: False)
        with pytest.raises(ApplyError, match="No space left on device"):
            put(b"two", overwrite=True)
    assert {path: entry[:3] for path, entry in snapshot(tmp_path).items()} == {p: e[:3] for p, e in before.items()}


@pytest.mark.parametrize("can", [True, False], ids=["exchanged", "one after the other"])
def test_a_folder_takes_the_place_of_another_on_any_file_system(tmp_path, monkeypatch, can):
    dest = Destination(str(tmp_path / "dest"), overwrite=True)
    dest.put_folder({"index.json": in_memory(b"1"), "old": in_memory(b"")})
    if not can:
        monkeypatch.setattr(module, "exchange", lambda *_: False)
    dest.put_folder({"index.json": in_memory(b"2")})
    assert os.listdir(tmp_path) == ["dest"] and os.listdir(tmp_path / "dest") == ["index.json"]


def test_at_no_time_is_there_neither_the_old_nor_the_new(tmp_path, monkeypatch):
    """No rename takes the old folder away: a run that is killed there would leave nothing."""
    dest = Destination(str(tmp_path / "dest"), overwrite=True)
    dest.put_folder({"index.json": in_memory(b"1")})
    monkeypatch.setattr(f"{module.__name__}.os.rename", lambda *_: pytest.fail("renamed"))
    dest.put_folder({"index.json": in_memory(b"2")})
    assert (tmp_path / "dest/index.json").read_bytes() == b"2"


def test_what_a_killed_run_left_goes_also_where_nothing_is_to_be_written(tmp_path):
    dest = Destination(str(tmp_path / "dest"), overwrite=True)
    dest.put_folder({"index.json": in_memory(b"1")})
    (tmp_path / ".rootfs-trust-dest/blobs").mkdir(parents=True)
    dest.put_folder({"index.json": in_memory(b"1")})
    assert os.listdir(tmp_path) == ["dest"]


def test_what_cannot_be_removed_is_told_and_the_new_one_is_there(tmp_path, monkeypatch):
    dest = Destination(str(tmp_path / "dest"), overwrite=True)
    dest.put_folder({"index.json": in_memory(b"1")})
    real = module.exchange

    def then_fail(*words: str) -> bool:
        monkeypatch.setattr(module, "_remove_folder", gone)
        return real(*words)

    def gone(_: str) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(module, "exchange", then_fail)
    with pytest.raises(ApplyError, match="everything is written, but"):
        dest.put_folder({"index.json": in_memory(b"2")})
    assert (tmp_path / "dest/index.json").read_bytes() == b"2"


def test_without_durable_nothing_is_synced(put, monkeypatch):
    monkeypatch.setattr(f"{module.__name__}.os.fsync", lambda _: pytest.fail("synced"))
    put(b"one", durable=False)


def test_blobs_are_shared_by_hard_links_and_all_else_is_copied(tmp_path):
    old = tmp_path / "old"
    old.write_bytes(b"x")
    blob = module.FolderFiles(str(tmp_path)).blob("old")
    Destination(str(tmp_path / "dest")).put_folder({"blobs/sha256/x": blob, "index.json": blob})
    assert os.path.samefile(old, tmp_path / "dest/blobs/sha256/x")
    assert not os.path.samefile(old, tmp_path / "dest/index.json")


def test_blobs_that_are_links_on_the_host_are_copied(tmp_path):
    """As in the layouts that Bazel makes."""
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")
    blob = module.FolderFiles(str(tmp_path)).blob("link")
    Destination(str(tmp_path / "dest")).put_folder({"blobs/sha256/x": blob})
    written = tmp_path / "dest/blobs/sha256/x"
    assert written.read_bytes() == b"x" and not written.is_symlink()
