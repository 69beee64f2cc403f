"""Streams: cut, checked, unpacked with limits; tar archives that are broken in every way that tarfile would hide."""

from __future__ import annotations

import gzip
import lzma
import os
import sys
import tarfile
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootfs_trust import install, list_anchors
from rootfs_trust.errors import InputError, MalformedError
from rootfs_trust.image import streams
from rootfs_trust.image.streams import checked, packed, section, unpacked
from rootfs_trust.image.tar_stream import MAX_HEADER, members
from tests.support.debian_tree import DebianTree
from tests.support.images import Tarball, digest, zstd

DATA = bytes(range(256)) * 4000


def pieces(data: bytes, size: int = 1000):
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, lambda data: zstd().compress(data), bytes])
def test_compressed_data_decompresses_in_pieces_of_any_size(pack, size):
    small = DATA[:2000]
    twice = pack(small) + (pack(small) if pack is not bytes else small)
    assert b"".join(unpacked(pieces(twice, size))[1]) == small * 2


@pytest.mark.parametrize("kind", ["gzip", "zstd", "xz", ""])
def test_packing_is_the_inverse_and_the_same_each_time(kind):
    one, two = (b"".join(packed(pieces(DATA), kind)) for _ in range(2))
    assert one == two and (found := unpacked(iter((one,))))[0] == kind and b"".join(found[1]) == DATA


def test_zeros_may_follow_a_gzip_stream():
    assert b"".join(unpacked(pieces(gzip.compress(b"x") + bytes(3000)))[1]) == b"x"


@pytest.mark.parametrize("data", [gzip.compress(DATA)[:-10], gzip.compress(DATA) + b"x", lzma.compress(DATA)[:-1]])
def test_a_packed_stream_that_is_cut_or_goes_on_is_refused(data):
    with pytest.raises(MalformedError):
        b"".join(unpacked(pieces(data))[1])


def test_a_flipped_bit_is_noticed():
    for pack in (gzip.compress, lzma.compress):
        data = bytearray(pack(DATA))
        data[len(data) // 2] ^= 1
        with pytest.raises(MalformedError):
            b"".join(unpacked(pieces(bytes(data)))[1])


def test_a_decompression_bomb_is_stopped(monkeypatch):
    monkeypatch.setattr(streams, "MAX_UNPACKED", 1 << 24)
    bomb = gzip.compress(bytes(1 << 20)) * 17
    with pytest.raises(MalformedError, match="unpacks to more than"):
        for _ in unpacked(iter((bomb,)))[1]:
            pass


def test_without_zstd_the_error_says_what_to_install(monkeypatch):
    data = zstd().compress(b"x")
    for name in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"rootfs-trust\[zstd\]"):
        b"".join(unpacked(iter((data,)))[1])


def test_sections_and_digests():
    assert b"".join(section(pieces(DATA, 300), 299, 302)) == DATA[299:601]
    with pytest.raises(MalformedError, match="cut short"):
        b"".join(section(pieces(b"abc"), 1, 3))
    assert b"".join(checked(pieces(DATA), digest(DATA), "it")) == DATA
    with pytest.raises(MalformedError, match="the content has sha256:"):
        b"".join(checked(pieces(DATA), digest(b""), "it"))


def names(data: bytes) -> list[str]:
    return [member.info.name for member in members(pieces(data, 700))]


def test_a_broken_header_in_the_middle_does_not_end_the_archive():
    tar = bytearray(Tarball().file("a").file("b").file("c").end())
    assert names(bytes(tar)) == ["a", "b", "c"]
    tar[512 + 10] ^= 0xFF
    with pytest.raises(MalformedError, match="broken header at byte 512"):
        names(bytes(tar))


@pytest.mark.parametrize("end", [100, 512 + 100, 512 + 1024])
def test_an_archive_that_is_cut_short_is_refused(end):
    with pytest.raises(MalformedError):
        names(Tarball().file("a", b"x" * 3000).file("b").end()[:end])


def test_a_header_that_would_fill_the_memory_is_refused():
    tar = Tarball().file("a", pax_headers={"comment": "x" * (2 * MAX_HEADER)}).end()
    with pytest.raises(MalformedError, match="header of more than"):
        names(tar)


def test_an_empty_archive_is_one():
    assert names(bytes(1024)) == []


def test_contents_are_read_or_passed_by():
    tar = Tarball().file("a", b"1" * 600).file("b", b"22").file("c", b"333").end()
    assert [member.content() for member in members(pieces(tar)) if member.info.name != "b"] == [b"1" * 600, b"333"]


COMPRESS = {"gzip": gzip.compress, "xz": lzma.compress, "zstd": lambda data: zstd().compress(data)}
ENDS = [size for edge in (1, 3, 7, 15) for size in range(1024 * edge - 60, 1024 * edge + 20)]
"""Sizes of random content for which the end of a member is around the end of a slice of the compressed stream."""


@pytest.mark.parametrize("kind", COMPRESS)
def test_a_member_may_end_at_any_place_of_a_slice(kind):
    """Readers take an empty piece for the end of the stream, so there is none."""
    compress = COMPRESS[kind]
    for size in ENDS:
        content = os.urandom(size)
        found = list(unpacked(iter([compress(content) + compress(b"the last member")]))[1])
        assert b"".join(found) == content + b"the last member", size
        assert all(found), size


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_empty_member_is_not_the_end(kind, place):
    members = [b"first", b"second"]
    members.insert(place, b"")
    found = list(unpacked(iter([b"".join(map(COMPRESS[kind], members))]))[1])
    assert b"".join(found) == b"firstsecond"
    assert all(found)


@given(sizes=st.lists(st.integers(0, 3000), max_size=40), piece=st.integers(1, 5000), seed=st.integers())
def test_members_of_any_size_are_read_to_the_end(sizes, piece, seed):
    """As eStargz has them: a member for each entry."""
    random = Random(seed)
    members = [random.randbytes(size) for size in sizes]
    data = gzip.compress(b"") + b"".join(map(gzip.compress, members))
    found = list(unpacked(pieces(data, piece))[1])
    assert b"".join(found) == b"".join(members)
    assert all(found)


def test_a_tar_of_several_members_has_all_its_entries(tmp_path):
    """Content behind an empty member must not be hidden from commands that read."""
    tree = DebianTree(tmp_path / "rootfs")
    install(tree.root)
    with tarfile.open(tmp_path / "plain.tar", "w") as tar:
        tar.add(tree.path, ".")
    data = (tmp_path / "plain.tar").read_bytes()
    cuts = [0, 0, *sorted(Random(1).sample(range(len(data)), 60)), len(data)]
    members = (gzip.compress(data[one:two]) for one, two in pairwise(cuts))
    (tmp_path / "members.tar.gz").write_bytes(b"".join(members))
    expected = [anchor.certificate.sha256 for anchor in list_anchors(tree.root)]
    assert [anchor.certificate.sha256 for anchor in list_anchors(str(tmp_path / "members.tar.gz"))] == expected
