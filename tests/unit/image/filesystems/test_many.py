"""Two images of any kinds are compared, and a fleet has images of every kind."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.filesystem_images import MAKERS, partitioned, tar
from tests.support.images import LayoutDirectory, Tarball

pytestmark = pytest.mark.integration  # programs make the images

KINDS = ("directory", "layout", "tar", "cpio.gz", "ext4", "squashfs-xz", "erofs", "gpt-ext4")


@pytest.fixture
def made(debian, command, authority, tmp_path) -> dict[str, dict[str, Path]]:
    """A tree without and with an anchor, as images of all kinds."""
    certificate = tmp_path / "new.pem"
    certificate.write_bytes(authority.pem)
    found: dict[str, dict[str, Path]] = {}
    for name, words in (("old", ()), ("new", ("--cert", certificate))):
        assert command("install", "--root", debian.path, *words).status == 0
        found[name] = {}
        for kind in KINDS[1:]:
            path = found[name][kind] = tmp_path / f"{name}-{kind}"
            if kind == "layout":
                directory = LayoutDirectory(path)
                directory.index(directory.image(Tarball().tree(debian.path, "").end()))
            elif kind == "tar":
                tar(debian.path, path)
            else:
                MAKERS[kind](debian.path, path)
    found["old"]["directory"] = found["new"]["directory"] = debian.path
    return found


def test_any_two_kinds_are_compared(made, command, authority):
    pairs = [(one, other) for one, other in itertools.permutations(KINDS, 2) if one != "directory"]
    for one, other in pairs:
        result = command("diff", made["old"][one], made["new"][other], "--format", "json")
        assert result.status == 1, (one, other, result)
        document = result.document
        assert [len(document[key]) for key in ("added", "removed", "renewed", "settings")] == [1, 0, 0, 0]
        assert document["added"][0]["sha256"] == authority.sha256
        assert command("diff", made["new"][one], made["new"][other]).status == 0


def test_a_fleet_of_images(made, command, tmp_path):
    (tmp_path / "more.pem").write_bytes(Authority("More").pem)
    (tmp_path / "edge.toml").write_text('[[anchor]]\nfile = "more.pem"\n')
    (tmp_path / "fleet.toml").write_text('[[target]]\nimage = "new-*"\ndest = "signed/"\nconfig = "edge.toml"\n')
    kinds = sorted(kind for kind in KINDS if kind != "directory")
    result = command("fleet", tmp_path / "fleet.toml")
    assert result.status == 0, result.err
    lines = {line["target"]: line for line in map(json.loads, result.out.splitlines())}
    assert {name: line["status"] for name, line in lines.items()} == {f"new-{kind}": "changed" for kind in kinds}
    for kind in kinds:
        anchors = command("list", "--root", tmp_path / f"signed/new-{kind}", "--format", "json").document["anchors"]
        assert "more" in [anchor["name"] for anchor in anchors], kind
    again = command("fleet", tmp_path / "fleet.toml")
    assert {json.loads(line)["status"] for line in again.out.splitlines()} == {"skipped"}


def test_a_partition_of_each_disk_image_of_a_fleet(made, command, tmp_path):
    """``FILE#N``: the partition is checked, and written in a copy of the whole disk image."""
    systems = made["new"]["squashfs-xz"].read_bytes(), made["old"]["ext4"].read_bytes()
    for name in ("a.wic", "b.wic"):
        partitioned(tmp_path / name, "gpt", [b"boot", *systems])
    (tmp_path / "rootfs#7").write_bytes(systems[1])
    (tmp_path / "more.pem").write_bytes(Authority("More").pem)
    (tmp_path / "edge.toml").write_text('[[anchor]]\nfile = "more.pem"\n')
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('[[target]]\nimage = "*.wic#3"\ndest = "signed/"\nconfig = "edge.toml"\n')
    result = command("fleet", fleet)
    assert result.status == 0, result.err
    lines = list(map(json.loads, result.out.splitlines()))
    assert [(line["target"], line["status"]) for line in lines] == [("a.wic#3", "changed"), ("b.wic#3", "changed")]
    assert {json.loads(line)["status"] for line in command("fleet", fleet).out.splitlines()} == {"skipped"}
    for partition, has in (("2", False), ("3", True)):
        listed = command("list", "--root", tmp_path / f"signed/b.wic#{partition}", "--format", "json").document
        assert ("more" in [anchor["name"] for anchor in listed["anchors"]]) is has
    (tmp_path / "a.wic").touch()
    again = [json.loads(line)["status"] for line in command("fleet", fleet).out.splitlines()]
    assert again == ["changed", "skipped"]
    fleet.write_text('[[target]]\nimage = "*.wic#2"\n[[target]]\nimage = "rootfs#7"\n[[target]]\nimage = "a.wic#9"\n')
    lines = [json.loads(line) for line in command("fleet", fleet, "--check").out.splitlines() if line.startswith("{")]
    statuses = {line["target"]: line["status"] for line in lines}
    assert statuses == {"a.wic#2": "ok", "b.wic#2": "ok", "rootfs#7": "ok", "a.wic#9": "failed"}
    assert "has no partition 9" in lines[-1]["error"]


def test_two_partitions_of_one_disk_image_cannot_both_be_written(made, command, tmp_path):
    partitioned(
        tmp_path / "a.wic", "gpt", [b"boot", made["old"]["ext4"].read_bytes(), made["new"]["ext4"].read_bytes()]
    )
    (tmp_path / "edge.toml").write_text("")
    table = '[[target]]\nimage = "a.wic#{}"\ndest = "signed/"\nconfig = "edge.toml"\n'
    (tmp_path / "fleet.toml").write_text(table.format(2) + table.format(3))
    result = command("fleet", tmp_path / "fleet.toml")
    assert (result.status, "a.wic#3 writes where a.wic#2 of target[0].image does" in result.err) == (2, True)


def test_a_fleet_of_images_is_checked(made, command, tmp_path):
    (tmp_path / "fleet.toml").write_text('[[target]]\nimage = "new-*"\n')
    (tmp_path / "new-broken").write_bytes(made["new"]["ext4"].read_bytes()[:50_000])
    result = command("fleet", tmp_path / "fleet.toml", "--check")
    lines = [json.loads(line) for line in result.out.splitlines() if line.startswith("{")]
    statuses = {line["target"]: line["status"] for line in lines if "status" in line}
    assert statuses.pop("new-broken") == "failed"
    assert set(statuses.values()) == {"ok"}
    assert result.status == 1
