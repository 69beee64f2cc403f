"""Links in what is somebody else's image: none is followed, and nothing of the host gets into a message or a result."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from rootfs_trust.image.host_files import DirectoryFiles
from tests.support.images import LayoutDirectory, Tarball

SECRET = "the secret of the host " * 10
LAYER = Tarball().directory("usr/share/ca-certificates").file("etc/os-release", b"ID=debian\n").end()


@pytest.fixture
def layout(tmp_path) -> LayoutDirectory:
    layout = LayoutDirectory(tmp_path / "layout")
    return layout.index(layout.image(LAYER))


def parts(layout: LayoutDirectory) -> list[str]:
    """Every file and directory of the layout, by its path in it."""
    found = [
        os.path.relpath(os.path.join(each, name), layout.path)
        for each, directories, files in os.walk(layout.path)
        for name in (*directories, *files)
    ]
    return sorted(found)


READING = ("list", "check", "sbom", "report", "diff", "verify", "image")


def words(command: str, layout: Path, directory: Path) -> list[object]:
    chain = directory / "chain.pem"
    chain.touch()
    return {
        "list": ["list", "--root", layout],
        "check": ["check", "--root", layout],
        "sbom": ["sbom", "--root", layout],
        "report": ["report", "--root", layout, "-o", directory / "report.html"],
        "diff": ["diff", layout, layout],
        "verify": ["verify", "--root", layout, "--chain", chain],
        "image": ["image", layout, directory / "out" / "dest"],
    }[command]


@pytest.mark.parametrize("number", range(7))
def test_a_link_in_each_place_of_a_layout_is_refused(layout, command, tmp_path, number):
    """Links to files and directories of the host that are just what the image has there, and to a secret."""
    name = parts(layout)[number]
    assert len(parts(layout)) == 7
    (tmp_path / "out").mkdir()
    place, outside = layout.path / name, tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text(SECRET)
    shutil.move(place, outside / "twin")
    for target in (outside / "twin", outside / "secret", outside, Path("/etc/hostname"), Path("/dev/zero")):
        place.symlink_to(target)
        for each in READING:
            result = command(*words(each, layout.path, tmp_path))
            # What only reads does not open oci-layout, so that it may have nothing to refuse.
            assert result.status in ((0, 1, 2) if name == "oci-layout" and each != "image" else (2,)), each
            assert "secret of" not in result.out + result.err
            assert result.status or each != "image"
        place.unlink()
        assert os.listdir(tmp_path / "out") == []


def test_the_error_says_what_to_do(layout, command, tmp_path):
    blobs = layout.path / "blobs"
    shutil.move(blobs, tmp_path / "elsewhere")
    blobs.symlink_to(tmp_path / "elsewhere")
    result = command("image", layout.path, tmp_path / "dest")
    assert result.status == 2 and "symbolic link" in result.err and "cp -rL" in result.err


def test_a_link_that_takes_the_place_of_a_file_after_the_look(layout, tmp_path):
    """A blob that was asked for and is exchanged before it is read."""
    blob = DirectoryFiles(str(layout.path)).blob("index.json")
    assert blob is not None
    (layout.path / "index.json").unlink()
    (tmp_path / "secret").write_text(SECRET)
    (layout.path / "index.json").symlink_to(tmp_path / "secret")
    with pytest.raises(Exception, match="symbolic link"):
        list(blob.start(0))


def test_a_layout_given_by_a_link_of_the_caller_is_read(layout, command, tmp_path):
    (tmp_path / "name").symlink_to(layout.path)
    assert command("list", "--root", tmp_path / "name").status == 0


# -- what no image uses ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["unknown", "artefact", "attestation"])
@pytest.mark.parametrize("damaged", ["same size", "other size", "missing"])
def test_the_digest_of_an_unused_blob_is_checked(command, tmp_path, kind, damaged):
    layout = LayoutDirectory(tmp_path / "layout")
    image = layout.image(LAYER)
    content = layout.put(b"an attachment", "application/octet-stream")
    empty = layout.put(b"{}", "application/vnd.oci.empty.v1+json")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.test",
        "config": empty,
        "layers": [content],
    }
    about = {"annotations": {"vnd.docker.reference.digest": "sha256:" + "0" * 64}} if kind == "attestation" else {}
    more = content if kind == "unknown" else layout.put_json(manifest, manifest["mediaType"], **about)
    layout.index(image, more)
    dest = tmp_path / "dest"
    assert command("image", layout.path, dest).status == 0
    assert (dest / "blobs" / content["digest"].replace(":", "/")).read_bytes() == b"an attachment"
    shutil.rmtree(dest)
    blob = layout.blob_path(content["digest"])
    blob.unlink()
    if damaged != "missing":
        blob.write_bytes(b"AN ATTACHMENT" if damaged == "same size" else b"x")
    result = command("image", layout.path, dest)
    assert result.status == 2 and not dest.exists(), result


@pytest.mark.parametrize("listed", [True, False])
def test_the_digest_of_a_layer_only_in_manifest_json_is_checked(command, tmp_path, listed):
    """An archive that is a layout, too, with one image more in manifest.json than in the index."""
    layout = LayoutDirectory(tmp_path / "layout")
    image = layout.image(LAYER)
    other = layout.image(Tarball().file("etc/os-release", b"ID=alpine\n").end(), architecture="arm64")
    manifest = layout.json(other)
    layout.index(image, *([other] if listed else []))
    blob = layout.blob_path(manifest["layers"][0]["digest"])
    good = blob.read_bytes()
    entries = [
        {
            "Config": f"blobs/{each['config']['digest'].replace(':', '/')}",
            "RepoTags": None,
            "Layers": [f"blobs/{layer['digest'].replace(':', '/')}" for layer in each["layers"]],
        }
        for each in (layout.json(image), manifest)
    ]
    (layout.path / "manifest.json").write_text(json.dumps(entries))
    for content, status in ((good, 0), (good[:-1] + b"x", 2)):
        blob.write_bytes(content)
        archive = tmp_path / "image.tar"
        archive.write_bytes(Tarball().tree(layout.path, ".").end())
        assert command("image", archive, tmp_path / f"dest{status}").status == status
    assert not (tmp_path / "dest2").exists()
