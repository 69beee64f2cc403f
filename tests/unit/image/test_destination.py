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
    assert snapshot(tmp_path) == before


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
        with pytest.raises(ApplyError, match="No space left on device"):
            put(b"two", overwrite=True)
    assert {path: entry[:3] for path, entry in snapshot(tmp_path).items()} == {p: e[:3] for p, e in before.items()}


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
