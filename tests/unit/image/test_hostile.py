"""Images that lie or are broken: refused with a clear error, in bounded memory, and nothing is written."""

from __future__ import annotations

import base64
import gzip
import json
import os
import tarfile
import time
from pathlib import Path

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.image import json_documents, oci
from rootfs_trust.image.host_files import DirectoryFiles
from rootfs_trust.image.model import Change, Image, NewLayer
from tests.support.images import OCI, LayoutDirectory, Tarball, digest, docker_archive
from tests.unit.cli.conftest import Command

LAYER = Tarball().directory("usr/share/ca-certificates").file("etc/os-release", b"ID=debian\n").end()
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def layout(tmp_path) -> LayoutDirectory:
    return LayoutDirectory(tmp_path / "layout")


@pytest.fixture
def refused(command, tmp_path) -> Command:
    """``image SOURCE out``, which has to be refused with one ``image`` error; the answer is its message."""

    def run(source: Path, *, names: str) -> str:
        result = command("image", source, tmp_path / "out.d" / "out", "--format", "json")
        assert result.status == 2, result
        assert [each[0] for each in result.errors] == ["image"]
        (error,) = result.document["errors"]
        assert names in error["path"] and error["hint"]
        assert list((tmp_path / "out.d").iterdir()) == []
        return error["message"]

    (tmp_path / "out.d").mkdir()
    return run


def rewritten(layout: LayoutDirectory, **changes: object) -> LayoutDirectory:
    """The layout with other fields in its one manifest."""
    manifest = {**layout.manifest(), **changes}
    return layout.index(layout.put_json(manifest, OCI["manifest"]))


def test_a_layer_with_other_bytes_than_its_digest(layout, refused):
    layout.index(layout.image(LAYER))
    blob = layout.blob_path(layout.manifest()["layers"][0]["digest"])
    content = bytearray(blob.read_bytes())
    content[4] ^= 1  # the time of gzip: what is unpacked is the same
    blob.write_bytes(content)
    assert "the content has sha256:" in refused(layout.path, names=blob.name)


def test_a_layer_that_unpacks_to_something_else_than_the_config_says(layout, refused):
    layout.index(layout.image(LAYER, config={"rootfs": {"diff_ids": [digest(b"x")]}}))
    assert "the unpacked layer is" in refused(layout.path, names=":sha256:")


def test_a_wrong_digest_or_size_of_a_config_or_manifest_is_refused(layout, refused):
    layout.index(layout.image(LAYER))
    config = layout.blob_path(layout.manifest()["config"]["digest"])
    good = config.read_bytes()
    config.write_bytes(good.replace(b"linux", b"linuy"))
    assert "the content has" in refused(layout.path, names=config.name)
    config.write_bytes(good + b" ")
    assert f"has {len(good) + 1} bytes, not {len(good)}" in refused(layout.path, names=config.name)


@pytest.mark.parametrize("bad", ["sha256:../../../../etc/passwd", "md5:" + "0" * 32, "", "sha256:" + "A" * 64])
def test_malformed_digests_are_refused(layout, refused, bad):
    layout.index({**layout.image(LAYER), "digest": bad})
    assert "instead of a digest" in refused(layout.path, names=str(layout.path))


def test_a_blob_that_is_missing_or_no_file(layout, refused):
    layout.index(layout.image(LAYER))
    blob = layout.blob_path(layout.manifest()["layers"][0]["digest"])
    blob.unlink()
    assert "does not exist" in refused(layout.path, names=blob.name)
    os.mkfifo(blob)
    assert "not a regular file" in refused(layout.path, names=blob.name)


def test_indexes_in_indexes_without_end_and_by_the_thousand(layout, refused, monkeypatch):
    descriptor = layout.image(LAYER)
    for _ in range(6):
        descriptor = layout.put_json({"schemaVersion": 2, "manifests": [descriptor]}, INDEX)
    layout.index(descriptor)
    assert "nested more than" in refused(layout.path, names=str(layout.path))
    monkeypatch.setattr(oci, "MAX_IMAGES", 10)
    layout.index(*[layout.image(LAYER)] * 11)
    assert "more than 10 manifests" in refused(layout.path, names=str(layout.path))


def test_an_index_that_contains_itself(layout, refused):
    """Its own digest cannot stand in it, but one may be claimed."""
    claimed = digest(b"claimed")
    content = json.dumps({"manifests": [{"mediaType": INDEX, "digest": claimed, "size": 0}]}).encode()
    layout.blob_path(claimed).write_bytes(content)
    layout.index({"mediaType": INDEX, "digest": claimed, "size": len(content)})
    assert "the content has" in refused(layout.path, names=claimed[7:])


def test_documents_that_are_too_large_or_too_deep_or_none(layout, refused, monkeypatch):
    index = layout.path / "index.json"
    for text, message in (("[" * 100_000, "not a JSON"), ("[]", "instead of an object"), ("{", "not a JSON")):
        index.write_text(text)
        assert message in refused(layout.path, names="index.json")
    index.write_text('{"manifests": [1]}')
    assert "instead of an object" in refused(layout.path, names=str(layout.path))
    layout.index(layout.image(LAYER))
    monkeypatch.setattr(json_documents, "MAX_DOCUMENT", 300)
    assert "larger than 300 bytes" in refused(layout.path, names=layout.manifests[0]["digest"][7:])
    monkeypatch.setattr(json_documents, "MAX_DOCUMENT", 10)
    assert "larger than 10 bytes" in refused(layout.path, names="index.json")


def test_layers_and_diff_ids_that_do_not_match(layout, refused):
    layout.index(layout.image(LAYER))
    layers = layout.manifest()["layers"]
    rewritten(layout, layers=layers * 2)
    assert "has 2 layers in a manifest and 1 in its config" in refused(layout.path, names=str(layout.path))


def test_a_layer_type_that_is_not_a_tar(layout, refused):
    layout.index(layout.image(LAYER))
    (layer,) = layout.manifest()["layers"]
    rewritten(layout, layers=[{**layer, "mediaType": "application/vnd.oci.image.layer.v1.tar+encrypted"}])
    assert "which is not a tar archive" in refused(layout.path, names=str(layout.path))


def test_a_platform_that_is_not_an_object(layout, refused):
    layout.index({**layout.image(LAYER), "platform": ["linux"]})
    assert "instead of an object" in refused(layout.path, names=str(layout.path))


def test_a_number_that_json_has_not(layout, refused):
    content = json.dumps({**layout.json(layout.put_json({}, "x")), "a": 1}).replace("1", "1e999").encode()
    image = layout.image(LAYER)
    config = json.loads(layout.blob(layout.json(image)["config"]))
    described = layout.put(json.dumps(config).encode()[:-1] + b"," + content[1:], OCI["config"])
    layout.index(image)
    rewritten(layout, config=described)
    assert "a number that JSON does not allow" in refused(layout.path, names=":sha256:")


def test_a_layer_with_names_that_lead_out(layout, refused):
    layout.index(layout.image(Tarball().file("../../etc/evil").end()))
    assert "could lead out" in refused(layout.path, names=":sha256:")


def test_a_name_of_too_many_directories(layout, refused):
    layout.index(layout.image(Tarball().file("d/" * 255 + "file").end()))
    assert "more than 255 directories deep" in refused(layout.path, names=":sha256:")


def test_names_in_a_docker_archive_that_lead_out(tmp_path, refused):
    config = b"{}"
    for name in ("../../../etc/passwd", "/etc/passwd"):
        item = {"Config": name, "Layers": []}
        archive = Tarball().file("a.json", config).file("manifest.json", json.dumps([item]).encode()).end()
        (tmp_path / "app.tar").write_bytes(archive)
        assert "could lead out" in refused(tmp_path / "app.tar", names="app.tar")


def test_a_docker_archive_whose_config_or_layer_is_another(tmp_path, refused):
    good = docker_archive({"layers": [LAYER]})
    (tmp_path / "app.tar").write_bytes(good.replace(b'"linux"', b'"linuy"'))
    assert "not the one in its name" in refused(tmp_path / "app.tar", names=".json")
    (tmp_path / "app.tar").write_bytes(good.replace(b"ID=debian", b"ID=fedora"))
    assert "the layer is sha256:" in refused(tmp_path / "app.tar", names="layer.tar")


def test_links_in_an_archive_lead_inside_it(tmp_path, refused):
    archive = Tarball().link("manifest.json", "/etc/hostname").end()
    (tmp_path / "app.tar").write_bytes(archive)
    assert "does not exist" in refused(tmp_path / "app.tar", names="manifest.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no tar at all" * 100, "not an image of a known format"),
        (b"", "is empty"),
        (bytes(10240), "contains no entries"),
        (gzip.compress(LAYER)[:-20], "cut short"),
        (LAYER[:700], "not a valid tar"),
    ],
)
def test_a_file_that_is_not_an_archive(tmp_path, refused, content, message):
    (tmp_path / "rootfs.tar").write_bytes(content)
    assert message in refused(tmp_path / "rootfs.tar", names="rootfs.tar")


def test_a_source_that_is_not_there_or_no_file(command, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, id_ in (("none", "unreadable"), ("pipe", "image")):
        result = command("image", tmp_path / name, tmp_path / "out", "--format", "json")
        assert (result.status, result.errors) == (2, [(id_, str(tmp_path / name))])


def test_a_destination_that_cannot_be_written(command, layout, tmp_path):
    layout.index(layout.image(LAYER))
    result = command("image", layout.path, tmp_path / "no/such/folder", "--format", "json")
    assert (result.status, result.errors[0][0]) == (4, "apply")


def test_of_several_platforms_the_error_names_the_one(command, layout, tmp_path):
    windows = layout.image(Tarball().directory("Files").end(), architecture="amd64", config={"os": "windows"})
    layout.index(layout.image(LAYER), windows)
    result = command("image", layout.path, tmp_path / "out", "--format", "json")
    assert (result.status, result.errors) == (2, [("layout", str(layout.path))])
    assert "[windows/amd64]" in result.document["errors"][0]["message"]


def test_a_full_disk_leaves_nothing(command, layout, tmp_path, monkeypatch):
    layout.index(layout.image(LAYER))
    monkeypatch.setattr("rootfs_trust.image.destination.os.fsync", _no_space)
    for source in (layout.path, _archive(layout, tmp_path)):
        result = command("image", source, tmp_path / "out", "--format", "json")
        assert (result.status, result.errors[0][0]) == (4, "apply")
        assert not list(tmp_path.glob("*-out")) and not (tmp_path / "out").exists()


def _archive(layout: LayoutDirectory, tmp_path: Path) -> Path:
    (tmp_path / "app.tar").write_bytes(Tarball().tree(layout.path, "").end())
    return tmp_path / "app.tar"


def _no_space(fd: int) -> None:
    raise OSError(28, os.strerror(28))


def test_reading_commands_ask_which_of_several_images_is_meant(command, layout):
    layout.index(layout.image(LAYER), layout.image(LAYER, architecture="arm64"))
    result = command("list", "--root", layout.path, "--format", "json")
    assert (result.status, result.errors) == (2, [("image", str(layout.path))])
    assert "linux/amd64, linux/arm64" in result.document["errors"][0]["message"]
    assert command("list", "--root", f"{layout.path}@linux/arm64").status == 0
    assert command("diff", f"{layout.path}@linux/arm64", f"{layout.path}@linux/amd64").status == 0


@pytest.mark.parametrize("environment", [{"A": "b"}, "A=b", [1]])
def test_variables_that_are_not_list_of_texts(environment):
    with pytest.raises(InputError, match="a list of strings"):
        json_documents.new_config({"config": {"Env": environment}}, None, Change(environment={"A": "b"}))


def test_an_unpacked_layer_that_is_not_a_digest(command, layout):
    layout.index(layout.image(LAYER, config={"rootfs": {"diff_ids": ["/"]}}))
    result = command("list", "--root", layout.path, "--format", "json")
    assert (result.status, result.errors) == (2, [("image", str(layout.path))])
    assert "has '/' instead of a digest" in result.document["errors"][0]["message"]


@pytest.mark.parametrize("layers", [None, []])
def test_an_image_without_layers_gets_its_first(layout, tmp_path, layers):
    layout.index(layout.image(config={"rootfs": {"diff_ids": []}}))
    rewritten(layout, layers=layers)
    old = layout.manifest()["layers"]
    renewal = oci.UpdatedLayout(DirectoryFiles(str(layout.path)), lambda _: Change(NewLayer(LAYER)))
    assert not old
    assert len(renewal.run().digests) == 1


# -- descriptors and documents ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "descriptor",
    [
        {},
        {"mediaType": "application/vnd.test"},
        {"mediaType": OCI["manifest"]},
        {"mediaType": INDEX, "digest": None, "size": 1},
        {"mediaType": ["x"], "digest": 1, "size": True},
        {"digest": {}, "annotations": {"vnd.docker.reference.digest": "x"}},
    ],
)
def test_a_descriptor_without_a_valid_digest_is_refused(layout, refused, descriptor):
    layout.index(layout.image(LAYER), descriptor)
    assert "instead of a digest" in refused(layout.path, names=str(layout.path))


def test_what_is_embedded_in_a_descriptor_is_the_blob(layout, refused, command, tmp_path):
    """Whoever reads the copy does not read the blob."""
    image = layout.image(LAYER)
    content = layout.blob_path(image["digest"]).read_bytes()
    for data in (base64.b64encode(b"another").decode(), "no base64", ["x"], None):
        layout.index({**image, "data": data})
        assert "with other content" in refused(layout.path, names=image["digest"])
    layout.index({**image, "data": base64.b64encode(content).decode()})
    assert command("image", layout.path, tmp_path / "good").status == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"imageLayoutVersion": "2.0.0"}', '{"imageLayoutVersion": 1}'])
def test_a_layout_of_another_version(layout, refused, text):
    layout.index(layout.image(LAYER))
    (layout.path / "oci-layout").write_text(text)
    refused(layout.path, names="oci-layout")


def test_what_is_written_of_a_document_is_what_was_read(layout, tmp_path):
    """The documents without a digest change after they were read."""
    layout.index(layout.image(LAYER))
    names = ("index.json", "oci-layout")
    old = [(layout.path / name).read_bytes() for name in names]

    def late(_: Image) -> Change:
        for name in names:
            (layout.path / name).write_text('{"manifests": []}')
        return Change()

    parts = oci.UpdatedLayout(DirectoryFiles(str(layout.path)), late).run().parts
    assert [parts[name].read(1000) for name in names] == old


@pytest.mark.parametrize("form", ["layout", "archive"])
def test_a_large_document_that_is_named_a_thousand_times(layout, command, tmp_path, form):
    if form == "layout":
        layout.index(*[layout.image(LAYER, config={"junk": "x" * 7_000_000})] * 900)
        path = layout.path
    else:
        path = tmp_path / "app.tar"
        config = json.dumps({"rootfs": {"diff_ids": []}, "junk": "x" * 7_000_000}).encode()
        items = [{"Config": "a.json", "Layers": []}] * 900
        path.write_bytes(Tarball().file("a.json", config).file("manifest.json", json.dumps(items).encode()).end())
    start = time.monotonic()
    result = command("list", "--root", path, "--format", "json")
    assert (result.status, result.errors) == (2, [("image", str(path))])
    assert "bytes of JSON documents" in result.document["errors"][0]["message"]
    assert time.monotonic() - start < 20


def test_an_archive_of_too_many_images(tmp_path, refused):
    items = json.dumps([{"Config": "a.json", "Layers": []}] * 1001).encode()
    (tmp_path / "app.tar").write_bytes(Tarball().file("a.json", b"{}").file("manifest.json", items).end())
    assert "more than 1000 images" in refused(tmp_path / "app.tar", names="manifest.json")


# -- files of docker archives that are something else, too -------------------------------------------------


def test_a_layer_of_two_images_is_checked_against_both_digests(tmp_path, refused):
    """What one image says of it is no check of what another one says, which has the digests of a third."""
    one, other = LAYER, Tarball().directory("usr/share/ca-certificates").file("etc/os-release", b"ID=ubuntu\n").end()
    images = [
        {"rootfs": {"diff_ids": [digest(content)]}, "n": number} for number, content in enumerate((one, other, one))
    ]
    layers = ("one.tar", "other.tar", "other.tar")
    tar = Tarball().file("one.tar", one).file("other.tar", other)
    for number, image in enumerate(images):
        tar.file(f"{number}.json", json.dumps(image).encode())
    items = [{"Config": f"{number}.json", "Layers": [name]} for number, name in enumerate(layers)]
    (tmp_path / "app.tar").write_bytes(tar.file("manifest.json", json.dumps(items).encode()).end())
    assert "the layer is sha256:" in refused(tmp_path / "app.tar", names="other.tar")


def test_a_layer_that_has_the_name_of_the_new_one(tmp_path, refused, command):
    """The new layer's bytes, and so its name, are known to whoever makes the image."""
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive({"layers": [LAYER]}))
    assert command("image", path, tmp_path / "good.tar").status == 0
    with tarfile.open(tmp_path / "good.tar") as tar:
        new = json.load(tar.extractfile("manifest.json"))[0]["Layers"][-1]
    with tarfile.open(path) as tar:
        config = json.load(tar.extractfile("manifest.json"))[0]["Config"]
        items = json.dumps([{"Config": config, "Layers": [new]}]).encode()
        archive = Tarball().file(config, tar.extractfile(config).read()).file(new, LAYER)
    path.write_bytes(archive.file("manifest.json", items).end())
    assert "has the name of a file of the new image" in refused(path, names=new)


@pytest.mark.parametrize("name", ["manifest.json", "./manifest.json", "repositories", ".//oci-layout"])
def test_a_part_of_an_image_that_has_a_name_of_the_format(tmp_path, refused, name):
    for item in ({"Config": name, "Layers": []}, {"Config": "a.json", "Layers": [name]}):
        config = json.dumps({"rootfs": {"diff_ids": [digest(b"")] * len(item["Layers"])}}).encode()
        archive = Tarball().file("a.json", config).file("manifest.json", json.dumps([item]).encode())
        (tmp_path / "app.tar").write_bytes(archive.file("repositories", b"{}").end())
        assert "cannot be part of an image" in refused(tmp_path / "app.tar", names=name)


@pytest.mark.parametrize("diff_id", ["md5:" + "0" * 32, "", "sha256:" + "A" * 64, "x"])
def test_an_unpacked_layer_of_an_archive_that_is_not_a_digest(tmp_path, refused, diff_id):
    config = json.dumps({"rootfs": {"diff_ids": [diff_id]}}).encode()
    items = json.dumps([{"Config": "a.json", "Layers": ["l.tar"]}]).encode()
    archive = Tarball().file("a.json", config).file("l.tar", LAYER).file("manifest.json", items).end()
    (tmp_path / "app.tar").write_bytes(archive)
    assert "instead of a digest" in refused(tmp_path / "app.tar", names="l.tar")
