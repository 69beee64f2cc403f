"""Large streams are decompressed by a thread, while the caller uses the previous piece."""

from __future__ import annotations

import gzip
import lzma
import random
import threading
import time
from functools import cache, partial

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.streams import PIECE, unpacked
from tests.support.images import zstd

DATA = random.Random(1).randbytes(9 * PIECE)
"""Does not get smaller, so that the compressed stream has slices of full size."""
KINDS = pytest.mark.parametrize("kind", ["gzip", "xz", "zstd"])


@cache
def packed(kind: str) -> bytes:
    pack = {"gzip": gzip.compress, "xz": partial(lzma.compress, preset=0), "zstd": zstd().compress}
    return pack[kind](DATA)


def pieces(data: bytes):
    return (data[start : start + PIECE] for start in range(0, len(data), PIECE))


def workers() -> int:
    return sum("_work" in thread.name for thread in threading.enumerate())


def wait_for_no_worker() -> None:
    deadline = time.monotonic() + 60
    while workers() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert workers() == 0


@KINDS
def test_a_thread_decompresses_large_streams_and_ends_with_them(kind):
    seen, found = set(), b""
    for piece in unpacked(pieces(packed(kind)))[1]:
        seen.add(workers())
        found += piece
    assert found == DATA
    assert seen == {0, 1}, "small streams need no thread"
    wait_for_no_worker()


@KINDS
def test_frames_follow_each_other_and_zeros_the_last_one(kind):
    assert b"".join(unpacked(pieces(packed(kind) * 2 + bytes(3000)))[1]) == DATA * 2


@KINDS
@pytest.mark.parametrize("end", [slice(-1), slice(-PIECE), slice(-3 * PIECE)])
def test_a_large_stream_that_is_cut_short_is_refused(kind, end):
    with pytest.raises(MalformedError, match="cut short"):
        b"".join(unpacked(pieces(packed(kind)[end]))[1])


def test_an_error_in_the_thread_is_raised_after_the_pieces_before_it():
    damaged = bytearray(packed("gzip"))
    damaged[-5] ^= 1  # in the checksum, which follows the content
    found = []
    with pytest.raises(MalformedError, match="is not a valid gzip stream"):
        found.extend(unpacked(pieces(bytes(damaged)))[1])
    assert DATA.startswith(b"".join(found)) and len(found) > 4
    wait_for_no_worker()


def test_the_thread_ends_if_the_stream_is_not_read_to_its_end():
    stream = unpacked(pieces(packed("gzip")))[1]
    while not workers():
        next(stream)
    del stream
    wait_for_no_worker()


def test_without_more_threads_the_caller_decompresses(monkeypatch):
    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert b"".join(unpacked(pieces(packed("gzip")))[1]) == DATA


def test_files_are_read_by_the_caller():
    """Calls on files come in the same order in each run, as the fault injection needs them."""
    readers = set()

    def stream():
        for piece in pieces(packed("gzip")):
            readers.add(threading.current_thread())
            yield piece

    assert b"".join(unpacked(stream())[1]) == DATA
    assert readers == {threading.current_thread()}
