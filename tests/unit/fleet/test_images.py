"""Images of a fleet: written to their new places, skipped when done, and sharing one CA layer on the same base."""

from __future__ import annotations

import os
import shutil

import pytest

from rootfs_trust.api import image as api_image
from rootfs_trust.api.install import install
from rootfs_trust.fleet import image_task, policies
from rootfs_trust.fleet.image_stamp import image_stamp
from rootfs_trust.fleet.worker import run_batch
from rootfs_trust.image import model
from rootfs_trust.image.streams import GZIP, packed
from tests.support.authority import Authority
from tests.support.debian_tree import contents as tree_contents
from tests.support.images import LayoutDirectory, Tarball, docker_archive, entries
from tests.unit.fleet.conftest import Fleet, lines, statuses
from tests.unit.fleet.test_command import run

CA = "usr/local/share/ca-certificates/ca.crt"
FILE = """
[[target]]
image = "images/*"
dest = "signed/"
config = "edge.toml"
"""


@pytest.fixture(autouse=True)
def forgotten():
    policies.load_job.cache_clear()
    image_task._shared.cache_clear()


@pytest.fixture
def base(debian, tmp_path, monkeypatch) -> bytes:
    monkeypatch.chdir(tmp_path)
    install(debian.root)
    return Tarball().tree(debian.path, "").end()


@pytest.fixture
def fleet(tmp_path, authority, base) -> Fleet:
    """Three layouts on one base, two of them alike but for the config, and an archive of docker save."""
    fleet = Fleet(tmp_path / "fleet", authority)
    fleet.file.write_text(FILE)
    app = Tarball().file("app/run", b"app").end()
    for name, layers, config in (("a", (base,), {}), ("b", (base,), {"author": "b"}), ("c", (base, app), {})):
        layout = LayoutDirectory(fleet.directory / f"images/{name}")
        layout.index(layout.image(*layers, config=config))
    (fleet.directory / "images/d.tar").write_bytes(docker_archive({"layers": [base], "tags": ["d:1"]}))
    return fleet


def signed(fleet: Fleet, name: str) -> LayoutDirectory:
    return LayoutDirectory(fleet.directory / "signed" / name)


def test_each_image_gets_its_new_place_and_is_skipped_when_done(fleet, authority):
    before = {path: path.read_bytes() for path in fleet.directory.glob("images/**/*") if path.is_file()}
    done = lines(run(fleet, "--jobs", "1", status=0).stdout.decode())
    assert [(each["target"], each["status"]) for each in done] == [
        (f"images/{name}", "changed") for name in ("a", "b", "c", "d.tar")
    ]
    assert {path: path.read_bytes() for path in before} == before
    again = lines(run(fleet, "--jobs", "2").stdout.decode())
    assert {each["status"] for each in again} == {"skipped"}
    assert [each["digest"] for each in again] == [each["digest"] for each in done]
    for name, each in zip("abc", done, strict=False):
        assert each["digest"] == signed(fleet, name).manifests[0]["digest"]
        assert entries(signed(fleet, name).top_layer())[CA][4] == authority.pem


def test_what_was_touched_is_done_again(fleet):
    run(fleet)
    shutil.rmtree(fleet.directory / "signed/a")
    (fleet.directory / "signed/d.tar").unlink()
    found = statuses(run(fleet).stdout.decode())
    assert list(found.values()) == ["changed", "skipped", "skipped", "changed"]


def test_a_new_policy_replaces_what_is_ours(fleet):
    run(fleet)
    renewed = fleet.renew()
    (fleet.directory / "signed/d.tar").write_bytes(b"touched")
    found = statuses(run(fleet, status=1).stdout.decode())
    assert list(found.values()) == ["changed", "changed", "changed", "failed"]
    assert entries(signed(fleet, "a").top_layer())[CA][4] == renewed.pem
    assert (fleet.directory / "signed/d.tar").read_bytes() == b"touched"


def test_a_further_hard_link_to_a_blob_is_not_a_change(fleet):
    """As a run leaves them that is cut short: blobs of the source are linked into the result."""
    run(fleet)
    for number, blob in enumerate(sorted(fleet.directory.glob("images/*/blobs/sha256/*"))):
        (fleet.directory / f"link-{number}").hardlink_to(blob)
    assert set(statuses(run(fleet).stdout.decode()).values()) == {"skipped"}
    fleet.renew()
    for number in range(3):
        (fleet.directory / f"link-{number}").unlink()
    assert set(statuses(run(fleet).stdout.decode()).values()) == {"changed"}


def test_a_directory_that_cannot_be_listed_is_not_taken_for_an_empty_one(fleet, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(os, "listdir", fail)
    with pytest.raises(OSError, match="Input/output"):
        image_stamp(str(fleet.directory / "images/a"))


def test_conflicting_files_are_left_alone(fleet):
    (fleet.directory / "signed").mkdir()
    (fleet.directory / "signed/d.tar").write_bytes(b"something else")
    found = statuses(run(fleet, status=1).stdout.decode())
    assert list(found.values()) == ["changed", "changed", "changed", "failed"]
    assert (fleet.directory / "signed/d.tar").read_bytes() == b"something else"


def test_a_layer_is_made_once_for_images_on_the_same_layers(fleet, monkeypatch):
    made = []
    real = api_image.decide
    monkeypatch.setattr(api_image, "decide", lambda view, job, **more: made.append(view) or real(view, job, **more))
    results = run_batch(fleet.image_batch("a", "b", "c"))
    assert {each.status for each in results} == {"changed"}
    assert len(made) == 2, "a and b lie on the same layers"
    layers = [signed(fleet, name).manifest()["layers"][-1]["digest"] for name in "abc"]
    assert len(set(layers)) == 1, "the same change has the same bytes"
    assert len({each.digest for each in results}) == 3


def test_a_layer_is_packed_once_for_all_images_of_a_base_and_is_what_each_would_get(fleet, monkeypatch):
    alone = fleet.copy("alone")
    for name in "abc":
        image_task._shared.cache_clear()
        run_batch(alone.image_batch(name))
    image_task._shared.cache_clear()
    kinds = []
    monkeypatch.setattr(model, "packed", lambda stream, kind: kinds.append(kind) or packed(stream, kind))
    run_batch(fleet.image_batch("a", "b", "c"))
    assert kinds == [GZIP]
    assert tree_contents(fleet.directory / "signed") == tree_contents(alone.directory / "signed")


def test_where_other_layers_touch_what_changes_the_layer_is_another(fleet, base):
    """An attribute of a directory that the layer names, and a file of the store."""
    mode = Tarball().directory("usr/local/share/ca-certificates", mode=0o700).end()
    more = Tarball().file("usr/local/share/ca-certificates/other.crt", Authority("Other CA").pem).end()
    for name, layer in (("e", mode), ("f", more)):
        layout = LayoutDirectory(fleet.directory / f"images/{name}")
        layout.index(layout.image(base, layer))
    run_batch(fleet.image_batch("a", "e", "f"))
    assert len({signed(fleet, name).manifest()["layers"][-1]["digest"] for name in "aef"}) == 3


def test_workers_do_not_change_the_bytes(fleet):
    other = fleet.copy("other")
    one, two = run(fleet, "--jobs", "1"), run(other, "--jobs", "2")
    assert one.stdout == two.stdout
    files = [path.relative_to(fleet.directory) for path in fleet.directory.glob("signed/**/*") if path.is_file()]
    assert len(files) > 12
    assert all((fleet.directory / path).read_bytes() == (other.directory / path).read_bytes() for path in files)


def test_a_dry_run_writes_nothing(fleet):
    found = lines(run(fleet, "--dry-run").stdout.decode())
    assert {(each["status"], each["digest"]) for each in found} == {("changed", "")}
    assert not (fleet.directory / "signed").exists()


def test_a_broken_image_fails_alone(fleet):
    (fleet.directory / "images/d.tar").write_bytes(b"no archive at all" * 100)
    found = lines(run(fleet, status=1).stdout.decode())
    assert [each["status"] for each in found] == ["changed"] * 3 + ["failed"]
    assert "images/d.tar" in found[3]["error"]
