"""Bounds on what all layers of a tree are together, and times that no tree can have."""

from __future__ import annotations

import tarfile
import time

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.image import limits
from rootfs_trust.image.image_tree import ImageTree, Layer
from tests.support.images import LayoutDirectory, Tarball


def tree(*layers: bytes) -> ImageTree:
    return ImageTree([Layer("layer", lambda content=content: iter((content,))) for content in layers])


def one(name: str) -> bytes:
    return Tarball().file(name, b"x" * 600).end()


TWO = one("a"), one("b")
"""Each of them 2 blocks of content and its own header."""


@pytest.mark.parametrize(
    ("name", "enough", "message"),
    [
        ("MAX_ENTRIES", 2, "more than 1 entries, all layers counted"),
        ("MAX_BYTES", 3072, "more than 0 GiB, all layers counted"),
        ("MAX_TEXT", 2, "names, links and attributes"),
    ],
)
def test_layers_count_together(monkeypatch, name, enough, message):
    monkeypatch.setattr(limits, name, enough)
    assert tree(*TWO).names("/") == ["a", "b"]
    monkeypatch.setattr(limits, name, enough - 1)
    tree(TWO[0])
    with pytest.raises(InputError, match=message):
        tree(*TWO)


def test_what_is_replaced_or_deleted_counts(monkeypatch):
    monkeypatch.setattr(limits, "MAX_ENTRIES", 3)
    with pytest.raises(InputError, match="more than 3 entries"):
        tree(one("a"), one("a"), one(".wh.a"), one("a"))


def test_attributes_count(monkeypatch):
    monkeypatch.setattr(limits, "MAX_TEXT", 1000)
    headers = {"SCHILY.xattr.user.a": "x" * 600}
    layer = Tarball().file("a", pax_headers=headers).end()
    tree(layer)
    with pytest.raises(InputError, match="attributes"):
        tree(layer, layer)


def test_links_of_links_count(monkeypatch):
    """Each entry below them would cost their parts again."""
    monkeypatch.setattr(limits, "MAX_STEPS", 10_000)
    tar = Tarball().directory("a").link("l0", "a/../" * 800 + "a")
    for number in range(1, 30):
        tar.link(f"l{number}", f"l{number - 1}/../" * 100 + f"l{number - 1}")
    start = time.process_time()
    with pytest.raises(InputError, match="below links of more than 10000 parts"):
        tree(tar.file("l29/x").end())
    assert time.process_time() - start < 5


def test_a_link_that_no_device_can_have():
    assert tree(Tarball().link("a", "x" * 4095).end()).names("/") == ["a"]
    with pytest.raises(InputError, match="a link 'a' to more than 4095 bytes"):
        tree(Tarball().link("a", "x" * 4096).end())


@pytest.mark.parametrize("mtime", ["253402300800", "-62135596801", "1e300", "inf", "-inf", "nan"])
def test_a_time_out_of_range_is_refused(mtime):
    with pytest.raises(InputError, match="an entry 'a' whose time is not in the years 1 to 9999"):
        tree(Tarball().file("a", pax_headers={"mtime": mtime}).end())


def test_a_time_out_of_range_in_the_header_itself():
    info = tarfile.TarInfo("a")
    info.mtime = 2**70
    with pytest.raises(InputError, match="whose time"):
        tree(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


@pytest.mark.parametrize("mtime", ["253402300799", "-62135596800", "-1", "0.5"])
def test_a_time_in_range_is_kept(mtime):
    layer = Tarball().file("a", pax_headers={"mtime": mtime}).end()
    assert tree(layer).modified("/a") == int(float(mtime))


@pytest.mark.parametrize("whiteout", [".wh..wh..opq", ".wh.a"])
def test_thousands_of_whiteouts_take_linear_time(whiteout):
    """Each of them once looked through the whole directory again: seconds, for a thousandth of the bound."""
    tar = Tarball()
    for number in range(3000):
        tar.file(f"a/{number}")
    for _ in range(3000):
        tar.file(f"a/{whiteout}" if whiteout.endswith("opq") else whiteout)
    start = time.process_time()
    found = tree(Tarball().file("a/old").file("a/0").end(), tar.end())
    assert time.process_time() - start < 3
    assert len(found.names("/a")) == 3000


def test_commands_refuse_such_an_image(command, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_ENTRIES", 3)
    layout = LayoutDirectory(tmp_path / "layout")
    layout.index(layout.image(*TWO, *TWO))
    for words in (["image", layout.path, tmp_path / "dest"], ["list", "--root", layout.path]):
        done = command(*words)
        assert done.status == 2 and "more than 3 entries, all layers counted" in done.err
    assert not (tmp_path / "dest").exists()
