"""Blocks are unpacked as by the libraries of each format, and broken ones are refused."""

from __future__ import annotations

import lzma
import zlib
from random import Random

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.filesystems.compression import decompressor
from rootfs_trust.image.filesystems.lz4 import unpack_lz4
from rootfs_trust.image.filesystems.lzo import unpack_lzo

TEXT = b"".join(b"line %d, and again line %d\n" % (n, n % 7) for n in range(2000))


def micro_lzma(content: bytes) -> bytes:
    """As XZ Utils makes it: raw LZMA, its first byte replaced by the inverted properties (lc 3, lp 0, pb 2)."""
    filters = [{"id": lzma.FILTER_LZMA1, "lc": 3, "lp": 0, "pb": 2, "dict_size": 1 << 16}]
    raw = lzma.compress(content, lzma.FORMAT_RAW, filters=filters)
    assert raw[0] == 0
    return bytes([~(3 + 9 * (0 + 5 * 2)) & 0xFF]) + raw[1:]


def deflate(content: bytes) -> bytes:
    worker = zlib.compressobj(wbits=-15)
    return worker.compress(content) + worker.flush()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("gzip", zlib.compress),
        ("deflate", deflate),
        ("xz", lzma.compress),
        ("lzma", lambda content: lzma.compress(content, lzma.FORMAT_ALONE)),
        ("microlzma", micro_lzma),
    ],
)
def test_compressed_blocks_are_unpacked_within_limits(name, pack):
    unpack = decompressor(name)
    assert unpack(pack(TEXT), len(TEXT)) == TEXT
    assert unpack(pack(TEXT), 100) == TEXT[:100]
    with pytest.raises(MalformedError):
        unpack(bytes([255]) + pack(TEXT)[1:], len(TEXT))


def test_a_match_of_lz4_may_reach_into_itself():
    assert unpack_lz4(bytes([0x1F, ord("a"), 1, 0, 5, 0x10, ord("b")]), 100) == b"a" * 25 + b"b"


@pytest.mark.parametrize("unpack", [unpack_lz4, unpack_lzo, decompressor("microlzma"), decompressor("xz")])
def test_arbitrary_bytes_are_refused_or_stay_within_the_bound(unpack):
    random = Random(4)
    for _ in range(3000):
        data = random.randbytes(random.randrange(40)) + bytes([random.randrange(256)]) * random.randrange(40)
        try:
            assert len(unpack(data, 4096)) <= 4096 + 255
        except MalformedError:
            continue
