"""A tree full of links that lead out of it: what is outside is neither written nor read."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rootfs_trust.cli.run import main
from rootfs_trust.rootfs.door import Root
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree, snapshot

OUTSIDE = Authority("Outside Root CA")
PLACES = (
    "etc",
    "etc/ssl",
    "etc/ssl/certs",
    "etc/ssl/certs/ca-certificates.crt",
    "etc/ssl/certs/ca.pem",
    "etc/ssl/certs/Alpha_Root.pem",
    "etc/ssl/certs/own.pem",
    "etc/ca-certificates.conf",
    "etc/os-release",
    "etc/passwd",
    "etc/tedge",
    "etc/tedge/tedge.toml",
    "usr",
    "usr/local",
    "usr/local/share/ca-certificates",
    "usr/local/share/ca-certificates/ca.crt",
    "usr/local/share/ca-certificates/own.crt",
    "usr/share/ca-certificates",
    "usr/share/ca-certificates/mozilla",
    "usr/share/ca-certificates/mozilla/Alpha_Root.crt",
    "var/lib/dpkg",
)
STATUS = (0, 2, 3)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A Debian tree, and beside it what no run may touch or even read."""
    return World(tmp_path, monkeypatch)


class World:
    def __init__(self, folder: Path, monkeypatch) -> None:
        self.outside = folder / "outside"
        self.tree = DebianTree(folder / "in/rootfs")
        self.tree.write("etc/tedge/tedge.toml", b'[config]\nversion = "2"\n')
        (folder / "ca.pem").write_bytes(Authority("My CA").pem)
        self.words = ["install", "--root", self.tree.root, "--cert", str(folder / "ca.pem"), "--cloud", "c8y"]
        for place in PLACES:
            twin = self.outside / place
            twin.parent.mkdir(parents=True, exist_ok=True)
            if "." in twin.name or twin.name in ("os-release", "passwd"):
                twin.write_bytes(self.content(twin.name))
            else:
                twin.mkdir(exist_ok=True)
        self._monkeypatch = monkeypatch

    @staticmethod
    def content(name: str) -> bytes:
        return {
            "os-release": b"ID=plan9\n",
            "passwd": b"tedge:x:666:666::/:\n",
            "ca-certificates.conf": b"own.crt\n",
            "tedge.toml": b'[config]\nversion = "2"\n[canary]\nx = 1\n',
        }.get(name, OUTSIDE.pem)

    def links(self, place: str) -> list[str]:
        """Ways to write a link at ``place`` that would lead outside, if it were followed as the host does."""
        depth = place.count("/")
        twin = self.outside / place
        return [
            str(twin),
            "../" * (depth + 2) + f"outside/{place}",
            f"/../../outside/{place}",
            "../" * 40 + str(twin).lstrip("/"),
            f"/proc/self/root{twin}",
            os.path.basename(place),
            f"/{place}/x",
            "/",
            "..",
            ".",
            "",
        ]

    def put(self, place: str, text: str) -> None:
        path = self.tree.path / place
        # A link that was put before must never be followed: it may lead to the host's own files.
        if os.path.realpath(path.parent) != os.fspath(path.parent) or not path.parent.is_dir():
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.is_symlink() or path.exists():
            path.unlink()
        path.symlink_to(text or "/")

    def run(self) -> int:
        with self._monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["rootfs-trust", *self.words])
            with pytest.raises(SystemExit) as exit_:
                main()
        return exit_.value.code or 0


def watch(monkeypatch, world) -> list[str]:
    """Every path outside the tree that is opened: by a descriptor, what counts is where it leads."""
    opened: list[str] = []
    real = os.open

    def open_(path, flags, *words, **options):
        fd = real(path, flags, *words, **options)
        where = os.readlink(f"/proc/self/fd/{fd}")
        if where.startswith(str(world.outside)):
            opened.append(where)
        return fd

    monkeypatch.setattr(os, "open", open_)
    return opened


@pytest.mark.parametrize("place", PLACES)
def test_links_out_of_the_tree(world, monkeypatch, capfd, place):
    before = snapshot(world.outside)
    parent = sorted(os.listdir(world.outside.parent / "in"))
    opened = watch(monkeypatch, world)
    for text in world.links(place):
        world.put(place, text)
        status = world.run()
        out, err = capfd.readouterr()
        assert status in STATUS, (text, err)
        assert (status == 0) == (" error: " not in err)
        assert opened == [] and snapshot(world.outside) == before, text
        assert OUTSIDE.sha256 not in out + err and "canary" not in out + err
        assert OUTSIDE.pem not in b"".join(
            each[4] for each in snapshot(world.tree.path).values() if isinstance(each[4], bytes)
        )
    assert sorted(os.listdir(world.outside.parent / "in")) == parent


def test_the_watch_sees_what_it_should(world, monkeypatch):
    opened = watch(monkeypatch, world)
    os.close(os.open(world.outside / "etc", os.O_PATH))
    assert opened == [str(world.outside / "etc")]


def test_an_absolute_link_leads_to_the_same_place_in_the_tree(world, capfd):
    """What the device would do: the link's text names a place of its own."""
    for place in ("etc/ssl", "usr/local/share/ca-certificates", "etc/tedge"):
        shutil.move(world.tree.path / place, world.tree.path / f"data-{os.path.basename(place)}")
        (world.tree.path / place).symlink_to(f"/data-{os.path.basename(place)}")
    assert world.run() == 0
    assert (world.tree.path / "data-ssl/certs/ca-certificates.crt").is_file()
    assert (world.tree.path / "data-ca-certificates/ca.crt").is_file()
    assert b"root_cert_path" in world.tree.read("data-tedge/tedge.toml")
    before = snapshot(world.tree.path)
    assert world.run() == 0
    assert snapshot(world.tree.path) == before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_mixture_of_links(tmp_path_factory, monkeypatch, capfd, data):
    world = World(tmp_path_factory.mktemp("world"), monkeypatch)
    for place in data.draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4, unique=True)):
        other = data.draw(st.sampled_from(PLACES))
        world.put(place, data.draw(st.sampled_from([*world.links(place), f"/{other}", f"../{other}"])))
    before = snapshot(world.outside)
    with monkeypatch.context() as patched:
        opened = watch(patched, world)
        status = world.run()
    assert status in STATUS, capfd.readouterr().err
    assert opened == [] and snapshot(world.outside) == before
    with Root(world.tree.root) as root:
        folders = [root.real_path(place) for place in ("/etc/ssl/certs", "/usr/local/share/ca-certificates")]
        new = root.real_path("/usr/local/share/ca-certificates/ca.crt")
        read_as_another = [place for place in PLACES if new and root.real_path(f"/{place}") == new]
    # One folder for both makes each source somebody's own file in the hash directory, and a link to the new
    # source makes a list or a source of it once it is there: on the device as here.
    if status == 0 and folders[0] != folders[1] and len(read_as_another) < 2:
        tree = snapshot(world.tree.path)
        assert world.run() == 0
        assert snapshot(world.tree.path) == tree
    capfd.readouterr()
