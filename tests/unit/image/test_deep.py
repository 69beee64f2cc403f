"""Trees as deep as links make them, and compressed streams of very many parts: neither stack nor hours."""

from __future__ import annotations

import gzip
import lzma
import time

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.image import streams
from rootfs_trust.image.image_tree import ImageTree, Layer
from rootfs_trust.image.merged_tree import each
from rootfs_trust.image.streams import unpacked
from tests.support.images import LayoutDirectory, Tarball, zstd

PART = "/".join(["a"] * 200)


def deep() -> Tarball:
    """7,000 directories deep: each name has 200, below a link that leads to the end of the one before."""
    tar = Tarball().directory("etc").directory("usr/share/ca-certificates").file("etc/os-release", b"ID=debian\n")
    place = ""
    for number in range(35):
        tar.directory(f"{place}{PART}")
        tar.link(f"l{number}", f"{place}{PART}")
        place = f"l{number}/"
    return tar


def tree(*layers: bytes) -> ImageTree:
    return ImageTree([Layer("layer", lambda content=content: iter((content,))) for content in layers])


def test_a_tree_of_7_000_directories():
    found = tree(deep().end())
    assert sum(1 for _ in each(found.root)) > 7_000


@pytest.mark.parametrize("whiteout", [".wh.a", ".wh..wh..opq"])
def test_a_whiteout_over_it(whiteout):
    found = tree(deep().end(), Tarball().file(whiteout).end())
    assert "a" not in found.names("/")


@pytest.mark.parametrize("form", ["tar", "layout"])
def test_commands_on_it(command, tmp_path, form):
    source = tmp_path / "source"
    if form == "tar":
        source.write_bytes(deep().end())
    else:
        layout = LayoutDirectory(source)
        layout.index(layout.image(deep().end(), Tarball().file(".wh.a").end()))
    assert command("image", source, tmp_path / "dest").status == 0
    for words in (("list",), ("check",), ("sbom",)):
        assert command(words[0], "--root", source).status in (0, 1)


@pytest.mark.parametrize("kind", ["gzip", "xz", "zstd"])
def test_many_empty_parts_take_linear_time(kind):
    """Linear: ten times as many take about ten times as long."""
    empty = {"gzip": gzip.compress, "xz": lzma.compress, "zstd": zstd().compress}[kind](b"")
    times = []
    for count in (2_000, 20_000):
        data = empty * count
        start = time.process_time()
        name, stream = unpacked(iter([data[at : at + 65536] for at in range(0, len(data), 65536)]))
        assert (name, b"".join(stream)) == (kind, b"")
        times.append(time.process_time() - start)
    assert times[1] < 40 * times[0] + 0.1


@pytest.mark.parametrize("kind", ["gzip", "xz", "zstd"])
def test_more_parts_than_the_bound_are_refused(kind, monkeypatch):
    monkeypatch.setattr(streams, "MAX_FRAMES", 10)
    one = {"gzip": gzip.compress, "xz": lzma.compress, "zstd": zstd().compress}[kind](b"x")
    assert b"".join(unpacked(iter((one * 10,)))[1]) == b"x" * 10
    with pytest.raises(MalformedError, match="more than 10 parts"):
        b"".join(unpacked(iter((one * 11,)))[1])


@pytest.mark.parametrize("kind", ["gzip", "xz", "zstd"])
@pytest.mark.parametrize("slice_", [1, 3, 1000, 100_000])
def test_parts_in_any_slices_with_zeros_behind(kind, slice_):
    pack = {"gzip": gzip.compress, "xz": lzma.compress, "zstd": zstd().compress}[kind]
    data = b"".join(pack(bytes([number]) * number * 50) for number in range(30)) + bytes(3000)
    expected = b"".join(bytes([number]) * number * 50 for number in range(30))
    pieces = [data[at : at + slice_] for at in range(0, len(data), slice_)]
    assert b"".join(unpacked(iter(pieces))[1]) == expected
