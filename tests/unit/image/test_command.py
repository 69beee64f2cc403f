"""``rootfs-trust image`` on made-up images and archives of every form."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rootfs_trust.errors import InputError, Problem
from tests.support.debian_tree import contents, snapshot
from tests.support.filesystem_images import MAKERS
from tests.support.images import (
    DOCKER,
    OCI,
    LayoutDirectory,
    Tarball,
    digest,
    docker_archive,
    entries,
    unpacked,
    zstd,
)
from tests.support.peers import peer
from tests.support.unpacking import unpack

ANCHOR = "usr/local/share/ca-certificates/my-ca.crt"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def test_an_image_gets_one_layer_with_only_what_changes(base, layout, image, tmp_path, authority):
    layout.index(layout.image(base, annotations={"org.opencontainers.image.ref.name": "registry/app:1"}))
    before = snapshot(layout.path)
    result = image(layout.path)
    assert (result.status, result.err) == (0, "")
    out = LayoutDirectory(tmp_path / "out")
    assert result.document["changed"] and result.document["digest"] == out.manifests[0]["digest"]
    assert result.document["layout"] == "debian" and list(result.anchors) == ["my-ca"]
    assert [each["platform"] for each in result.document["images"]] == ["linux/amd64"]
    layer = entries(out.top_layer())
    files = {name for name, entry in layer.items() if entry[0] != tarfile.DIRTYPE}
    links = {name for name in files if layer[name][0] == tarfile.SYMTYPE}
    assert files - links == {ANCHOR, BUNDLE} and len(links) == 2
    assert layer[ANCHOR][1:] == (0o644, (0, 0), "", authority.pem)
    assert out.manifests[0]["annotations"] == {"org.opencontainers.image.ref.name": "registry/app:1"}
    old, new = layout.manifest(), out.manifest()
    assert new["layers"][:-1] == old["layers"] and new["mediaType"] == old["mediaType"]
    assert new["layers"][-1]["mediaType"] == old["layers"][-1]["mediaType"]
    assert new["annotations"] == {
        "org.opencontainers.image.base.digest": layout.manifests[0]["digest"],
        "org.opencontainers.image.base.name": "registry/app:1",
    }
    assert out.config()["history"] == [
        {"created_by": "test"},
        {"created": layout.config()["created"], "created_by": "rootfs-trust image"},
    ]
    assert out.config()["created"] == layout.config()["created"]
    assert snapshot(layout.path) == before and sorted(os.listdir(tmp_path / "out")) == [
        "blobs",
        "index.json",
        "oci-layout",
    ]


def test_the_layer_is_in_order_without_a_path_twice_and_keeps_what_directories_are(base, layout, image, tmp_path):
    upper = Tarball().directory("etc", mode=0o711, uid=7, gid=8, mtime=1_600_000_000).directory("etc/ssl", mode=0o700)
    layout.index(layout.image(base, upper.end()))
    assert image(layout.path).status == 0
    with tarfile.open(fileobj=io.BytesIO(LayoutDirectory(tmp_path / "out").top_layer())) as tar:
        members = tar.getmembers()
    names = [each.name for each in members]
    assert names == sorted(set(names)) and not any(name.startswith(("/", ".")) for name in names)
    etc = next(each for each in members if each.name == "etc")
    assert (etc.mode, etc.uid, etc.gid, etc.mtime) == (0o711, 7, 8, 1_600_000_000)
    assert {each.uname + each.gname for each in members} == {""}
    assert next(each for each in members if each.name == "etc/ssl/certs").mtime == 1_700_000_000


def test_the_same_input_gives_the_same_digest_and_a_second_run_changes_nothing(base, layout, image, tmp_path):
    layout.index(layout.image(base))
    one, two = (image(layout.path, dest=tmp_path / name).document["digest"] for name in ("one", "two"))
    assert one == two
    again = image(tmp_path / "one", dest=tmp_path / "again").document
    assert (again["changed"], again["digest"], again["actions"]) == (False, one, [])
    assert snapshot_of_contents(tmp_path / "again") == snapshot_of_contents(tmp_path / "one")


def snapshot_of_contents(directory: Path) -> dict[str, bytes]:
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()}


@pytest.mark.parametrize("pack", ["gzip", "zstd", ""])
@pytest.mark.parametrize("family", [OCI, DOCKER], ids=["oci", "docker"])
def test_media_types_stay_in_the_family(base, layout, image, tmp_path, family, pack):
    layout.index(layout.image(base, family=family, pack=pack))
    assert image(layout.path).status == 0
    out = LayoutDirectory(tmp_path / "out")
    types = [each["mediaType"] for each in out.manifest()["layers"]]
    assert len(types) == 2 and len(set(types)) == 1
    assert ANCHOR in entries(out.top_layer())
    assert ("annotations" in out.manifest()) == (family is OCI)


def test_every_platform_is_changed_and_attestations_are_dropped(base, layout, image, tmp_path):
    other = Tarball().file("etc/os-release", b"ID=debian\n").directory("usr/share/ca-certificates").end()
    amd64 = layout.image(base, platform={"os": "linux", "architecture": "amd64"})
    arm64 = layout.image(
        other, architecture="arm64", platform={"os": "linux", "architecture": "arm64", "variant": "v8"}
    )
    about = {"vnd.docker.reference.digest": arm64["digest"], "vnd.docker.reference.type": "attestation-manifest"}
    attestation = layout.image(Tarball().file("a").end(), annotations=about)
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json"}
    inner = layout.put_json({**index, "manifests": [attestation, amd64, arm64]}, index["mediaType"])
    layout.index({**inner, "annotations": {"org.opencontainers.image.ref.name": "1"}}, arm64)
    result = image(layout.path)
    assert result.status == 0 and result.warnings == [("attestation", attestation["digest"])]
    assert [each["platform"] for each in result.document["images"]] == ["linux/amd64", "linux/arm64"]
    out = LayoutDirectory(tmp_path / "out")
    inner = out.json(out.manifests[0])
    assert [each["platform"].get("variant") for each in inner["manifests"]] == [None, "v8"]
    assert inner["manifests"][1]["digest"] == out.manifests[1]["digest"]
    assert [each["digest"] for each in result.document["images"]] == [each["digest"] for each in inner["manifests"]]
    assert result.document["digest"] == digest((tmp_path / "out/index.json").read_bytes())
    for each in inner["manifests"]:
        top = unpacked(out.blob(out.json(each)["layers"][-1]))
        assert ANCHOR in entries(top)


def test_artefacts_that_are_not_images_stay_as_they_are(base, layout, image, tmp_path):
    blob = layout.put(b"chart", "application/vnd.cncf.helm.chart.content.v1.tar+gzip")
    config = layout.put_json({}, "application/vnd.cncf.helm.config.v1+json")
    manifest = {"schemaVersion": 2, "config": config, "layers": [blob]}
    chart = layout.put_json(manifest, OCI["manifest"])
    layout.index(chart, layout.image(base))
    assert image(layout.path).status == 0
    out = LayoutDirectory(tmp_path / "out")
    assert out.manifests[0] == chart and out.blob(blob) == b"chart" and out.manifests[1] != layout.manifests[1]
    layout.index(chart)
    alone = image(layout.path, dest=tmp_path / "other")
    assert (alone.status, alone.errors) == (2, [("image", str(layout.path))])


def test_a_removed_file_becomes_a_whiteout(base, layout, image, command, tmp_path, authority):
    layout.index(layout.image(base))
    assert image(layout.path).status == 0
    sha256 = authority.sha256
    result = command("image", tmp_path / "out", tmp_path / "gone", "--without", f"sha256:{sha256.upper()}")
    assert result.status == 0, result.err
    layer = entries(LayoutDirectory(tmp_path / "gone").top_layer())
    whiteouts = sorted(name for name in layer if "/.wh." in name)
    assert "usr/local/share/ca-certificates/.wh.my-ca.crt" in whiteouts and len(whiteouts) == 3
    assert all(layer[name][0] == tarfile.REGTYPE and layer[name][4] == b"" for name in whiteouts)
    listed = json.loads(command("list", "--root", tmp_path / "gone", "--format", "json").out)
    assert sha256 not in {each["sha256"] for each in listed["anchors"]} and len(listed["anchors"]) == 3
    bad = command("image", tmp_path / "out", tmp_path / "bad", "--without", "sha256:12", "--format", "json")
    assert (bad.status, bad.errors) == (2, [("usage", "")])


def test_links_to_usr_are_never_replaced_by_directories(debian, layout, image, tmp_path):
    """The layout's directories are reached by links: nothing may be written over them."""
    (debian.path / "usr/local").rename(debian.path / "var/local")
    (debian.path / "usr/local").symlink_to("../var/local")
    (debian.path / "etc/ssl").rename(debian.path / "var/ssl")
    (debian.path / "etc/ssl").symlink_to("/var/ssl")
    layout.index(layout.image(Tarball().tree(debian.path, "").end()))
    assert image(layout.path).status == 0
    names = set(entries(LayoutDirectory(tmp_path / "out").top_layer()))
    assert {"var/local/share/ca-certificates/my-ca.crt", "var/ssl/certs/ca-certificates.crt"} <= names
    assert not any(name.startswith(("usr/local", "etc/ssl")) for name in names)


def test_env_sets_variables_for_runtimes_with_a_separate_store(base, layout, image, tmp_path):
    set_already = ["PATH=/bin", "PIP_CERT=/mine.pem", "JAVA_TOOL_OPTIONS=-Xmx1g"]
    java = Tarball().directory("usr/lib/jvm/x/bin").file("usr/lib/jvm/x/bin/java", mode=0o755)
    java.file("etc/ca-certificates/update.d/jks-keystore", mode=0o755).file(
        "etc/default/cacerts", b"cacerts_updates=yes\n"
    )
    layout.index(layout.image(base, java.end(), config={"config": {"Env": set_already, "User": "app"}}))
    result = image(layout.path, "--env")
    assert (result.status, result.warnings) == (0, [("environment", "PIP_CERT")])
    config = LayoutDirectory(tmp_path / "out").config()["config"]
    bundle = f"/{BUNDLE}"
    assert config["User"] == "app" and set(config["Env"]) == {
        "PATH=/bin",
        "PIP_CERT=/mine.pem",
        "JAVA_TOOL_OPTIONS=-Xmx1g -Djavax.net.ssl.trustStore=/etc/ssl/certs/java/cacerts",
        f"SSL_CERT_FILE={bundle}",
        f"REQUESTS_CA_BUNDLE={bundle}",
        f"NODE_EXTRA_CA_CERTS={bundle}",
    }
    again = image(tmp_path / "out", "--env", dest=tmp_path / "again").document
    assert (again["changed"], again["digest"]) == (False, result.document["digest"])


def test_env_alone_changes_the_config_and_adds_no_layer(base, layout, command, tmp_path):
    layout.index(layout.image(base))
    result = command("image", layout.path, tmp_path / "out", "--env", "--format", "json")
    out = LayoutDirectory(tmp_path / "out")
    assert result.document["changed"] and result.document["actions"] == []
    assert out.manifest()["layers"] == layout.manifest()["layers"]
    assert out.config()["history"][-1]["empty_layer"] is True and "created" in out.config()["history"][-1]


def test_timestamp_dates_the_layer_the_history_and_the_image(base, layout, image, tmp_path):
    layout.index(layout.image(base))
    assert image(layout.path, "--timestamp", "1800000000").status == 0
    out = LayoutDirectory(tmp_path / "out")
    assert out.config()["created"] == out.config()["history"][-1]["created"] == "2027-01-15T08:00:00Z"
    with tarfile.open(fileobj=io.BytesIO(out.top_layer())) as tar:
        assert {each.mtime for each in tar if not each.isdir()} == {1_800_000_000}


def test_a_dry_run_tells_the_digest_and_writes_nothing(base, layout, image, command, ca, tmp_path):
    layout.index(layout.image(base))
    dry = image(layout.path, "--dry-run")
    assert dry.status == 0 and not (tmp_path / "out").exists()
    assert dry.document == image(layout.path).document
    text = command("image", layout.path, tmp_path / "other", "--cert", ca, "--dry-run").out
    assert dry.document["digest"] in text and "nothing was written" in text and "my-ca.crt" in text


def test_an_existing_destination_stays_unless_it_is_the_result(base, layout, image, tmp_path):
    layout.index(layout.image(base))
    first = image(layout.path)
    before = snapshot(tmp_path / "out")
    assert image(layout.path).document == first.document and snapshot(tmp_path / "out") == before
    (tmp_path / "out/index.json").write_text("{}")
    assert (image(layout.path).status, image(layout.path).errors) == (3, [("conflict", str(tmp_path / "out"))])
    assert (tmp_path / "out/index.json").read_text() == "{}"
    same = image(layout.path, dest=tmp_path / "layout/../layout/")
    assert (same.status, same.errors[0][0]) == (2, "usage")


def test_temporary_files_of_a_killed_run_of_image_are_deleted(base, layout, image, tmp_path):
    layout.index(layout.image(base))
    left = tmp_path / ".rootfs-trust-out"
    (left / "blobs").mkdir(parents=True)
    assert image(layout.path).status == 0 and not left.exists()


# -- archives --------------------------------------------------------------------------------------------


def archive_of(layout: LayoutDirectory, **more: bytes) -> bytes:
    tar = Tarball().tree(layout.path, "")
    for name, content in more.items():
        tar.file(name, content)
    return tar.end()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd().compress], ids=["plain", "gzip", "zstd"])
def test_a_layout_in_a_tar_file_stays_one(base, layout, image, tmp_path, pack):
    layout.index(layout.image(base))
    (tmp_path / "layout.tar").write_bytes(pack(archive_of(layout)))
    result = image(tmp_path / "layout.tar", dest=tmp_path / "out.tar")
    assert result.status == 0, result.out
    assert (tmp_path / "out.tar").read_bytes()[:4] == pack(b"")[:4] or pack is bytes
    directory = tmp_path / "unpacked"
    with tarfile.open(fileobj=io.BytesIO(unpacked((tmp_path / "out.tar").read_bytes()))) as tar:
        unpack(tar, directory)
    assert ANCHOR in entries(LayoutDirectory(directory).top_layer())
    assert result.document["digest"] == image(layout.path).document["digest"]
    assert image(tmp_path / "layout.tar", dest=tmp_path / "out.tar").document == result.document


def test_an_archive_of_docker_save_stays_one(base, image, tmp_path):
    upper = Tarball().file("etc/motd", b"hi").end()
    archive = docker_archive({"layers": [base, upper], "tags": ["app:1", "app:latest"]}, {"layers": [base]})
    (tmp_path / "app.tar").write_bytes(archive)
    result = image(tmp_path / "app.tar", dest=tmp_path / "out.tar")
    assert result.status == 0, result.out
    found = entries((tmp_path / "out.tar").read_bytes())
    first, second = json.loads(found["manifest.json"][4])
    assert first["RepoTags"] == ["app:1", "app:latest"] and len(first["Layers"]) == 3 and len(second["Layers"]) == 2
    for item in (first, second):
        config = found[item["Config"]][4]
        assert item["Config"] == f"{digest(config)[7:]}.json"
        layers = [found[name][4] for name in item["Layers"]]
        assert [digest(each) for each in layers] == json.loads(config)["rootfs"]["diff_ids"]
        assert ANCHOR in entries(layers[-1])
    assert [each["digest"][7:] + ".json" for each in result.document["images"]] == [first["Config"], second["Config"]]
    again = image(tmp_path / "out.tar", dest=tmp_path / "again.tar").document
    assert not again["changed"]
    assert (tmp_path / "again.tar").read_bytes() == (tmp_path / "out.tar").read_bytes()


def test_an_archive_that_is_both_is_renewed_as_both(base, layout, image, tmp_path):
    """As Docker 25 and later save them."""
    layout.index(layout.image(base, pack=""))
    manifest = layout.manifest()
    name = {each["digest"]: f"blobs/sha256/{each['digest'][7:]}" for each in (manifest["config"], *manifest["layers"])}
    layers = [name[each["digest"]] for each in manifest["layers"]]
    sources = {manifest["layers"][0]["digest"]: manifest["layers"][0]}
    item = {
        "Config": name[manifest["config"]["digest"]],
        "RepoTags": ["a:1"],
        "Layers": layers,
        "LayerSources": sources,
    }
    archive = archive_of(layout, **{"manifest.json": json.dumps([item]).encode()})
    (tmp_path / "app.tar").write_bytes(archive)
    assert image(tmp_path / "app.tar", dest=tmp_path / "out.tar").status == 0
    found = entries((tmp_path / "out.tar").read_bytes())
    (new,) = json.loads(found["manifest.json"][4])
    config = found[new["Config"]][4]
    assert [digest(found[each][4]) for each in new["Layers"]] == json.loads(config)["rootfs"]["diff_ids"]
    assert list(new["LayerSources"]) == json.loads(config)["rootfs"]["diff_ids"] and len(new["Layers"]) == 2
    (described,) = json.loads(found["index.json"][4])["manifests"]
    document = json.loads(found[f"blobs/sha256/{described['digest'][7:]}"][4])
    assert document["config"]["digest"] == digest(config)


# -- root filesystems ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, zstd().compress], ids=["", "gz", "xz", "zst"])
def test_only_changed_entries_of_a_rootfs_tar_differ(debian, base, image, command, ca, tmp_path, pack):
    (tmp_path / "rootfs.tar").write_bytes(pack(Tarball().tree(debian.path, ".").end()))
    result = image(tmp_path / "rootfs.tar", dest=tmp_path / "out.tar")
    assert result.status == 0, result.out
    written = (tmp_path / "out.tar").read_bytes()
    assert result.document["digest"] == digest(written)
    new = lzma.decompress(written) if pack is lzma.compress else unpacked(written)
    before, after = entries(Tarball().tree(debian.path, ".").end()), entries(new)
    assert list(after)[: len(before)] == list(before)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {BUNDLE} and ANCHOR in set(after) - set(before)
    assert command("install", "--root", debian.path, "--cert", ca).status == 0
    wanted = entries(Tarball().tree(debian.path, ".").end())
    assert after == wanted
    again = image(tmp_path / "out.tar", dest=tmp_path / "again.tar").document
    assert not again["changed"] and (tmp_path / "again.tar").read_bytes() == written


def rootfs(extra: Callable[[Tarball], object] = lambda _: None) -> bytes:
    tar = Tarball().directory("./etc/ssl/certs").directory("./var/lib/dpkg").directory("./usr/share/ca-certificates")
    tar.file("./etc/ca-certificates.conf").file("./etc/os-release", b"ID=debian\n")
    extra(tar)
    return tar.end()


def test_entries_pass_through_with_their_headers_and_replaced_ones_keep_theirs(image, tmp_path, authority):
    label, capability = b"system_u:object_r:cert_t:s0", b"\x01\x00\x00\x02\xff"
    xattr = {"SCHILY.xattr.security.selinux": label.decode(), "SCHILY.acl.access": "user::rw-"}

    def extra(tar: Tarball) -> None:
        tar.file(f"./{BUNDLE}", b"", mode=0o640, uid=5, gid=6, uname="five", gname="six", pax_headers=xattr)
        cap = {"SCHILY.xattr.security.capability": capability.decode("utf-8", "surrogateescape")}
        tar.file("./bin/ping", b"ping" * 1000, mode=0o4755, pax_headers=cap, mtime=1_600_000_000.25)
        tar.add("./dev/null", tarfile.CHRTYPE, devmajor=1, devminor=3)
        tar.file("./" + "long/" * 40 + "name", b"x").file("./\udcff", b"y")

    (tmp_path / "rootfs.tar").write_bytes(rootfs(extra))
    assert image(tmp_path / "rootfs.tar", dest=tmp_path / "out.tar").status == 0
    old, new = (tmp_path / "rootfs.tar").read_bytes(), (tmp_path / "out.tar").read_bytes()
    assert headers(old)["./bin/ping"][1] in new and headers(old)["./dev/null"][1] in new
    bundle = headers(new)[f"./{BUNDLE}"][0]
    assert (bundle.mode, bundle.uid, bundle.gid, bundle.uname, bundle.gname) == (0o640, 5, 6, "five", "six")
    assert bundle.pax_headers == xattr and entries(new)[BUNDLE][4] == authority.pem
    unchanged = [name for name in headers(old) if name != f"./{BUNDLE}"]
    assert [headers(old)[name][1] for name in unchanged] == [headers(new)[name][1] for name in unchanged]


def headers(archive: bytes) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    """Each entry's header and its raw bytes, up to the next one."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = tar.getmembers()
    ends = [each.offset for each in found[1:]] + [len(archive)]
    return {each.name: (each, archive[each.offset : end].rstrip(b"\0")) for each, end in zip(found, ends, strict=True)}


@pytest.mark.parametrize("last", [True, False])
def test_a_replaced_file_leaves_its_other_names_what_they_had(image, tmp_path, last):
    other = "./opt/copy"

    def extra(tar: Tarball) -> None:
        names = [other, f"./{BUNDLE}"] if last else [f"./{BUNDLE}", other]
        tar.directory("./opt").file(names[0], b"", mode=0o600).hard_link(names[1], names[0])
        tar.hard_link("./opt/third", f"./{BUNDLE}").hard_link("./opt/fourth", other)

    (tmp_path / "rootfs.tar").write_bytes(rootfs(extra))
    assert image(tmp_path / "rootfs.tar", dest=tmp_path / "out.tar").status == 0
    directory = tmp_path / "unpacked"
    with tarfile.open(tmp_path / "out.tar") as tar:
        unpack(tar, directory)
    assert (directory / BUNDLE).stat().st_size > 0
    stats = [(directory / "opt" / name).stat() for name in ("copy", "third", "fourth")]
    assert {each.st_ino for each in stats} == {stats[0].st_ino} and stats[0].st_size == 0


def test_a_path_that_is_there_twice_is_not_brought_back(image, command, tmp_path, authority):
    def extra(tar: Tarball) -> None:
        tar.directory("./usr/local/share/ca-certificates")
        for _ in range(2):
            tar.file("./usr/local/share/ca-certificates/x.crt", authority.pem)

    (tmp_path / "rootfs.tar").write_bytes(rootfs(extra))
    result = command("image", tmp_path / "rootfs.tar", tmp_path / "out.tar", "--without", "x")
    assert result.status == 0, result.err
    assert "x.crt" not in "".join(entries((tmp_path / "out.tar").read_bytes()))


def test_env_is_only_for_images(image, tmp_path):
    (tmp_path / "rootfs.tar").write_bytes(rootfs())
    result = image(tmp_path / "rootfs.tar", "--env")
    assert (result.status, result.errors) == (2, [("usage", str(tmp_path / "rootfs.tar"))])


def test_a_directory_is_copied_whole_and_changed_there(debian, base, image, command, ca, tmp_path):
    debian.write("opt/a", b"a").chmod(0o4711)
    os.link(debian.path / "opt/a", debian.path / "opt/b")
    (debian.path / "opt/link").symlink_to("/nowhere")
    os.mkfifo(debian.path / "opt/pipe")
    os.utime(debian.path / "opt", (1_600_000_000, 1_600_000_000))
    before = snapshot(debian.path)
    result = image(debian.path)
    assert result.status == 0 and result.document["digest"] is None
    assert snapshot(debian.path) == before
    assert (tmp_path / "out/opt/a").stat().st_ino == (tmp_path / "out/opt/b").stat().st_ino
    after = snapshot(tmp_path / "out")
    assert {name: after[name] for name in before if name.startswith("opt")} == {
        name: before[name] for name in before if name.startswith("opt")
    }
    assert (tmp_path / "out" / ANCHOR).exists() and not list(tmp_path.glob(".rootfs-trust*"))
    assert (image(debian.path).status, image(debian.path, dest=debian.path / "in").status) == (3, 2)
    assert image(debian.path, "--dry-run", dest=tmp_path / "dry").document["actions"] == result.document["actions"]
    assert not (tmp_path / "dry").exists()


@pytest.mark.parametrize("form", ["gnu", "oldgnu", "posix", "ustar", "v7"])
def test_archives_of_gnu_tar_in_every_format_come_out_as_installed_on_the_disk(debian, command, ca, tmp_path, form):
    debian.write("opt/" + "x" * 60 + "/name", b"x")
    os.link(debian.path / "usr/share/ca-certificates/mozilla/Alpha_Root.crt", debian.path / "opt/linked")
    with open(debian.write("opt/sparse", b"begins"), "r+b") as file:
        file.truncate(1 << 20)
        file.seek(1 << 19)
        file.write(b"middle")
    if form in ("gnu", "posix"):
        debian.write("opt/" + "long/" * 30 + "z" * 150, b"x")
    assert command("install", "--root", debian.path).status == 0
    sparse = ["-S"] if form in ("gnu", "oldgnu", "posix") else []
    words = [peer("tar"), *sparse, f"--format={form}", "-C", debian.path, "-cf", tmp_path / "rootfs.tar", "."]
    subprocess.run(words, check=True)
    assert command("image", tmp_path / "rootfs.tar", tmp_path / "out.tar", "--cert", ca).status == 0
    (tmp_path / "new").mkdir()
    done = subprocess.run(
        [peer("tar"), "-C", tmp_path / "new", "-xpf", tmp_path / "out.tar"], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert command("install", "--root", debian.path, "--cert", ca).status == 0
    assert contents(tmp_path / "new") == contents(debian.path)


def test_a_signed_file_is_a_conflict_unless_it_will_be_signed(base, layout, image, tmp_path):
    names = ("security.ima", "security.evm", "security.selinux")
    xattrs = {f"SCHILY.xattr.{name}": "value" for name in names}
    content = entries(base)[BUNDLE][4]
    layout.index(layout.image(base, Tarball().file(BUNDLE, content, pax_headers=xattrs).end()))
    refused = image(layout.path)
    assert (refused.status, refused.errors) == (3, [("conflict", f"/{BUNDLE}")] * 2)
    assert image(layout.path, "--will-be-signed").status == 0
    layer = LayoutDirectory(tmp_path / "out").top_layer()
    assert headers(layer)[BUNDLE][0].pax_headers == {"SCHILY.xattr.security.selinux": "value"}


def test_layers_that_are_packed_in_a_docker_archive_get_a_packed_one(base, image, tmp_path):
    """As go-containerregistry, and with it kaniko and ko, write them."""
    archive = docker_archive({"layers": [base]})
    found = entries(archive)
    (item,) = json.loads(found["manifest.json"][4])
    item["Layers"] = ["base.tar.gz"]
    tar = Tarball().file(item["Config"], found[item["Config"]][4]).file("base.tar.gz", gzip.compress(base))
    (tmp_path / "app.tar").write_bytes(tar.file("manifest.json", json.dumps([item]).encode()).end())
    assert image(tmp_path / "app.tar", dest=tmp_path / "out.tar").status == 0
    new = entries((tmp_path / "out.tar").read_bytes())
    (item,) = json.loads(new["manifest.json"][4])
    top = new[item["Layers"][1]][4]
    assert item["Layers"][1] == f"{digest(top)[7:]}.tar.gz" and ANCHOR in entries(gzip.decompress(top))
    assert gzip.decompress(new["base.tar.gz"][4]) == base


@pytest.mark.parametrize("form", ["layout", "tar", "directory", pytest.param("ext4", marks=pytest.mark.integration)])
def test_a_new_image_that_cannot_be_checked_is_not_kept(form, base, layout, debian, command, ca, tmp_path, monkeypatch):
    """A failing disk: the second look comes before the image gets its name."""
    layout.index(layout.image(base))
    sources = {"layout": layout.path, "directory": debian.path, "tar": tmp_path / "a.tar", "ext4": tmp_path / "a.img"}
    sources["tar"].write_bytes(base)
    if form == "ext4":
        MAKERS["ext4"](debian.path, sources["ext4"])

    def fail(*_, **__):
        raise InputError(Problem("unreadable", "/etc/ssl", "cannot be read: Input/output error"))

    monkeypatch.setattr("rootfs_trust.api.apply_plan.make_plan", fail)
    result = command("image", sources[form], tmp_path / "out", "--cert", ca)
    reason = "/etc/ssl: the result could not be checked: cannot be read: Input/output error"
    hint = "fix the cause and run the same command again"
    assert result.err == f"rootfs-trust: error: {tmp_path / 'out'}: {reason}; nothing was written; {hint}\n"
    assert result.status == 4
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".rootfs-trust*"))
