"""A tree full of links that lead out of it: what is outside is neither written nor read."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rootfs_trust.rootfs.root_directory import RootDirectory
from tests.support.debian_tree import snapshot
from tests.support.hostile import KINDS, OUTSIDE, PLACES, World, watch

STATUS = (0, 2, 3)
LOOKED = (0, 1, 2)
"""Exit statuses of what only looks."""


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A Debian tree, and beside it what no run may touch or even read."""
    return World(tmp_path, monkeypatch)


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


@pytest.mark.parametrize("place", PLACES)
def test_looking_does_not_follow_links_out_of_the_tree(world, monkeypatch, capfd, place):
    before = snapshot(world.outside)
    opened = watch(monkeypatch, world)
    for text in world.links(place):
        world.put(place, text)
        tree = snapshot(world.tree.path)
        for words in world.looking:
            status = world.run(*words)
            out, err = capfd.readouterr()
            assert status in (0, 1), (words, text, err)
            assert OUTSIDE.sha256 not in out + err and "canary" not in out + err
        assert opened == [] and snapshot(world.outside) == before, text
        assert snapshot(world.tree.path) == tree


def test_the_watch_reports_writes_outside_the_tree(world, monkeypatch):
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
        what = data.draw(st.sampled_from([*world.links(place), f"/{other}", f"../{other}", *KINDS]))
        if what in KINDS:
            world.put_kind(place, what)
        else:
            world.put(place, what)
    before = snapshot(world.outside)
    with monkeypatch.context() as patched:
        opened = watch(patched, world)
        searched = [world.run(*words) for words in world.looking]
        status = [world.run(*world.commands["remove"]), world.run()][-1]
        searched += [world.run(*words) for words in world.looking]
    assert status in STATUS, capfd.readouterr().err
    assert set(searched) <= {0, 1, 2}, capfd.readouterr().err
    assert opened == [] and snapshot(world.outside) == before
    with RootDirectory(world.tree.root) as root:
        directories = [root.real_path(place) for place in ("/etc/ssl/certs", "/usr/local/share/ca-certificates")]
        new = root.real_path("/usr/local/share/ca-certificates/ca.crt")
        read_as_another = [place for place in PLACES if new and root.real_path(f"/{place}") == new]
    # One directory for both makes each source somebody's own file in the hash directory, and a link to the new
    # source makes a list or a source of it once it is there: on the device as here.
    if status == 0 and directories[0] != directories[1] and len(read_as_another) < 2:
        tree = snapshot(world.tree.path)
        assert world.run() == 0
        assert snapshot(world.tree.path) == tree
    capfd.readouterr()


@pytest.mark.parametrize("place", PLACES)
def test_what_nobody_should_open(world, capfd, place):
    """FIFOs, sockets, endless devices, a file of a tebibyte: told, and never waited for."""
    for kind in KINDS:
        world.put_kind(place, kind)
        for command in world.commands.values():
            status = world.run(*command)
            err = capfd.readouterr().err
            assert status in STATUS, (kind, command, err)
            assert (status == 0) == (" error: " not in err)
        for words in world.looking:
            status = world.run(*words)
            assert status in LOOKED, (kind, words, status)
            assert "Traceback" not in capfd.readouterr().err


def test_a_file_that_is_too_large_is_reported(world, capfd):
    world.put_kind("usr/local/share/ca-certificates/own.crt", "sparse")
    assert world.run() == 2
    assert "/usr/local/share/ca-certificates/own.crt: is larger than 67108864 bytes" in capfd.readouterr().err


@pytest.mark.parametrize("place", ["etc/ssl/certs", "usr/local/share/ca-certificates", "usr/share/ca-certificates"])
def test_names_that_programs_stumble_over(world, capfd, place):
    world.put_odd_names(place)
    for command in world.commands.values():
        assert world.run(*command) in STATUS, (command, capfd.readouterr().err)
    for words in world.looking:
        assert world.run(*words) in LOOKED, (words, capfd.readouterr().err)
    before = snapshot(world.tree.path)
    assert world.run() in STATUS
    if world.run() == 0:
        assert snapshot(world.tree.path)["etc/ssl/certs"][:3] == before["etc/ssl/certs"][:3]
    capfd.readouterr()
