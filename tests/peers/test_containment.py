"""What a whole run touches, as strace and a tree that changes under it see it: nothing outside the root."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command import rootfs_trust
from tests.support.debian_tree import snapshot
from tests.support.hostile import OUTSIDE, PLACES, World
from tests.support.peers import peer

STATUS = (0, 1, 2, 3)
SWAPPED = ("etc/ssl", "etc/ssl/certs", "etc/tedge", "usr/local/share/ca-certificates", "usr/share/ca-certificates")

SWAP = """
import ctypes, sys
exchange = ctypes.CDLL(None).renameat2
a, b = (word.encode() for word in sys.argv[1:])
print("ready", flush=True)
while True:
    if exchange(-100, a, -100, b, 2):
        raise SystemExit("exchange failed")
"""


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path, monkeypatch)


def opened(log: Path) -> list[str]:
    """Every path that a call named or got a descriptor of, as the kernel resolved it, and that is there."""
    lines = [line for line in log.read_text().splitlines() if " = -1 " not in line]
    return [path for line in lines for path in re.findall(r"<(/[^>]*)>", line)]


@pytest.mark.parametrize("number", range(11))
def test_no_call_reaches_what_is_outside(tmp_path, world, number):
    """Links of one way of writing in every place that is left, one in another once the first ones stand."""
    for place in (*PLACES[3:], *PLACES[:3])[number::3]:
        world.put(place, world.links(place)[number])
    before = snapshot(world.outside)
    checking = next(words for words in world.looking if words[0] == "check")
    for words in (checking, world.commands["install"], world.commands["remove"]):
        log = tmp_path / f"{words[0]}.log"
        trace = (peer("strace"), "-f", "-y", "-qq", "-o", str(log), "-e", "trace=%file,%desc")
        done = rootfs_trust(*words, through=trace)
        assert done.returncode in STATUS, done.stderr
        paths = opened(log)
        assert any(path.startswith(world.tree.root) for path in paths)
        assert [path for path in paths if path.startswith(str(world.outside))] == []
        assert OUTSIDE.sha256.encode() not in done.stdout + done.stderr
    assert snapshot(world.outside) == before


@contextmanager
def swapping(one: Path, other: Path) -> Iterator[None]:
    """Exchanges the two, as fast as it can."""
    run = [sys.executable, "-I", "-S", "-c", SWAP, str(one), str(other)]
    with subprocess.Popen(run, stdout=subprocess.PIPE) as swapper:
        assert swapper.stdout is not None and swapper.stdout.readline() == b"ready\n"
        try:
            yield
            assert swapper.poll() is None, "it swapped to the end"
        finally:
            swapper.kill()


@pytest.mark.parametrize("place", SWAPPED)
def test_a_directory_that_becomes_a_link_out_and_back_while_we_run(world, capfd, place):
    """What is swapped in leads to the canary; whichever of the two is met, it is looked for inside the root."""
    twin = world.tree.path / "twin"
    twin.symlink_to(world.outside / place)
    before = snapshot(world.outside)
    found = set()
    with swapping(world.tree.path / place, twin):
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            found |= {world.run(*world.commands[command]) for command in ("install", "remove")}
            out, err = capfd.readouterr()
            assert OUTSIDE.sha256 not in out + err and "canary" not in out + err
    assert found <= {0, 2, 3, 4}
    assert snapshot(world.outside) == before
    for name, entry in snapshot(world.tree.path).items():
        assert not (isinstance(entry[4], bytes) and OUTSIDE.pem in entry[4]), name


def test_the_exchange_is_one_of_this_kernel(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    ours, theirs = os.fsencode(tmp_path / "a"), os.fsencode(tmp_path / "b")
    assert ctypes.CDLL(None).renameat2(-100, ours, -100, theirs, 2) == 0
    assert (tmp_path / "a").read_text() == "b"
