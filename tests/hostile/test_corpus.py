"""A sample of the hostile corpus, and that the judge sees what it should."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest

from tests.hostile import certificates, judge
from tests.hostile.commands import TREE
from tests.hostile.corpus import KINDS
from tests.hostile.process import Ran, Setup, run
from tests.hostile.world import MARKERS, OUTSIDE, World
from tests.support.command import REPOSITORY

LIST = next(each for each in TREE if each.words[0] == "list")
CHECK = next(each for each in TREE if each.words[0] == "check" and "json" in each.words)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_of(kind: str):
    words = [sys.executable, "-m", "tests.hostile", "--kind", kind, "--jobs", "1"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def ran(status: int, out: bytes = b"", err: bytes = b"", **more) -> Ran:
    return Ran(("list",), status, out, err, 0.1, **{"memory": 0, "hung": False, **more})


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        (ran(1), "exit status 1"),
        (ran(5), "exit status 5"),
        (ran(2), "without an error"),
        (ran(0, err=b"rootfs-trust: error: x\n"), "exit status 0 with an error"),
        (ran(2, err=b"rootfs-trust: error: x\n" * 2), "an error twice"),
        (ran(2, err=b"rootfs-trust: error: x\nand more\n"), "none of ours"),
        (ran(4, err=b"Traceback (most recent call last):\n"), "traceback"),
        (ran(4, err=b"rootfs-trust: error: unexpected ValueError (this is a defect of rootfs-trust)\n"), "traceback"),
        (ran(0, out=b"a\x1b[31m\n"), "U+001B"),
        (ran(0, out="a\u202e\n".encode()), "U+202E"),
        (ran(0, out=b"\xff\n"), "U+DCFF"),
        (ran(-11), "signal 11"),
        (ran(-9, hung=True), "does not end"),
        (ran(0, memory=2 << 30), "memory"),
    ],
)
def test_the_judge_sees(what: Ran, wrong: str):
    assert wrong in " ".join(judge.of_output(what, LIST))


def test_the_judge_lets_pass_what_is_right():
    assert judge.of_output(ran(0, out=b"a\n"), LIST) == []
    assert judge.of_output(ran(2, err=b"rootfs-trust: error: /x: is broken\n"), LIST) == []
    assert judge.of_output(ran(1, out=b"{}"), CHECK) == []
    assert judge.of_output(ran(1, out=b"{}x"), CHECK) != []


@pytest.fixture
def world(tmp_path) -> World:
    world = World(str(tmp_path / "world")) if (tmp_path / "world").mkdir() is None else None
    world.start(Random(1), "debian")
    yield world
    world.close()


def test_a_canary_that_is_written_to_is_seen(world):
    world.watch()
    assert world.touched() == [] and world.canaries_hold()
    with open(f"{world.outside}/cert.pem", "ab") as file:
        file.write(b"x")
    assert any("changed: cert.pem" in each for each in world.touched()) and not world.canaries_hold()


def test_a_canary_that_is_read_is_seen(world):
    world.watch()
    with open(f"{world.outside}/cert.pem", "rb") as file:
        file.read()
    if not world.touched():
        pytest.skip("this file system keeps no times of access")
    assert world.touched() == ["canary read: cert.pem"]


@pytest.mark.parametrize("marker", MARKERS, ids=range(len(MARKERS)))  # markers differ from process to process
def test_the_content_of_a_canary_is_seen_in_results(world, marker):
    world.tree.file("etc/copy", b"text " + marker)
    assert judge.leaks(ran(0), world.out, world.root) == ["a canary's content in rootfs/etc/copy"]
    assert judge.leaks(ran(0, out=marker), world.out) == ["a canary's content on standard output"]


def test_every_canary_has_a_marker():
    pems = (OUTSIDE.pem, OUTSIDE.key_pem, OUTSIDE.der)
    assert all(any(marker in each for marker in MARKERS) for each in pems)
    assert all(len(marker) > 10 for marker in MARKERS)


def test_a_child_that_hangs_or_crashes_is_only_the_child(tmp_path):
    words = ("list", "--root", str(tmp_path))
    assert run(words, "/", Setup(inside=lambda: 1 / 0)).status == 1
    assert run(words, "/", Setup(inside=lambda: bytearray(3 << 30))).status == 1
    assert run(words, "/").status in (0, 2)


def test_links_are_never_followed_by_who_builds(world):
    assert world.tree.link("etc/ssl", world.outside)
    assert not world.tree.file("etc/ssl/cert.pem", b"x")
    assert not world.tree.directory("etc/ssl/x")
    assert world.canaries_hold()


def test_the_same_seed_makes_the_same_files():
    assert certificates.bytes_damaged(Random(3)).keys() == certificates.bytes_damaged(Random(3)).keys()
    assert certificates.p11kit_damaged(Random(3)) == certificates.p11kit_damaged(Random(3))
