"""thin-edge.io's settings on a tree on disk, by the command line."""

from __future__ import annotations

import os
import tomllib

import pytest

TOML = "etc/tedge/tedge.toml"
PASSWD = b"root:x:0:0::/root:/bin/sh\ntedge:x:951:950::/home/tedge:/bin/false\n"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change owners")


def test_the_main_job(install, debian, authority, tmp_path):
    (tmp_path / "my-ca.pem").write_bytes(authority.pem)
    debian.write("etc/passwd", PASSWD)
    result = install("--cert", tmp_path / "my-ca.pem", "--cloud", "c8y")
    assert (result.status, result.warnings) == (0, [])
    assert ("put", f"/{TOML}") in result.actions
    assert tomllib.loads(debian.read(TOML).decode()) == {
        "config": {"version": "2"},
        "c8y": {"root_cert_path": "/etc/ssl/certs", "proxy": {"ca_path": "/etc/ssl/certs"}},
    }
    assert result.document["changed"] is True
    assert install("--cert", tmp_path / "my-ca.pem", "--cloud", "c8y").document["changed"] is False


@as_root
def test_directory_and_file_belong_to_the_roots_own_tedge_user(install, debian):
    (debian.path / "etc/tedge").rmdir()
    debian.write("etc/passwd", PASSWD)
    os.chown(debian.path, 0, 0)
    assert install("--cloud", "az").status == 0
    for path in ("etc/tedge", TOML):
        status = (debian.path / path).stat()
        assert (status.st_uid, status.st_gid) == (951, 950)
    assert (debian.path / "etc/ssl/certs/ca-certificates.crt").stat().st_uid == 0


@as_root
def test_an_edited_file_keeps_owner_mode_and_attributes(install, debian):
    file = debian.write(TOML, b'# mine\n[config]\nversion = "2"\n')
    os.chown(file, 12, 34)
    file.chmod(0o640)
    os.setxattr(file, "user.label", b"tedge")
    debian.write("etc/passwd", PASSWD)
    assert install("--cloud", "aws").status == 0
    status = file.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (12, 34, 0o640)
    assert os.getxattr(file, "user.label") == b"tedge"
    assert file.read_bytes().startswith(b"# mine\n")


def test_without_a_cloud_even_a_broken_file_is_left_alone(install, debian):
    debian.write(TOML, b"this is not TOML [")
    assert install().status == 0
    assert debian.read(TOML) == b"this is not TOML ["


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'[config]\nversion = "2"\n[c8y\n', "line 3"),
        (b"a = 1\n\n\nb\n", "line 4"),
        (b"[config]\nversion = 2\n", "config.version"),
        (b'a = "\xff"\n', "UTF-8"),
        (b"[mqtt]\nport = 1\nbind.port = 2\n", "mqtt.bind.port"),
        (b"c8y = 1\n", "cannot be edited safely"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(refused, debian, content, says):
    debian.write(TOML, content)
    result = refused("--cloud", "c8y")
    assert result.errors == [("thin-edge-toml", f"/{TOML}")]
    assert says in result.document["errors"][0]["message"]


def test_all_refused_settings_are_reported_at_once(refused, install, debian):
    debian.write("data/plain/x", b"")
    words = ("c8y.root_cert_path=/data/plain", "az.root_cert_path=/none", "mqtt.client.auth.ca_file=/data/plain")
    result = refused(*(word for each in words for word in ("--set", each)))
    assert result.errors == [("thin-edge-setting", "")] * 3
    assert "rehash" in result.document["errors"][0]["hint"]
    assert "--set-at-run-time" in result.document["errors"][1]["hint"]
    later = install(*(word for each in words for word in ("--set-at-run-time", each)))
    assert later.status == 0
    assert [id for id, _ in later.warnings] == ["thin-edge-setting"] * 3 + ["no-tedge-user"]
    assert tomllib.loads(debian.read(TOML).decode())["az"] == {"root_cert_path": "/none"}


def test_a_link_inside_the_rootfs_is_edited_at_its_end(install, debian):
    debian.write("data/tedge.toml", b'[config]\nversion = "2"\n')
    (debian.path / TOML).symlink_to("/data/tedge.toml")
    result = install("--cloud", "az")
    assert result.status == 0
    assert ("put", "/data/tedge.toml") in result.actions
    assert os.readlink(debian.path / TOML) == "/data/tedge.toml"
    assert b'root_cert_path = "/etc/ssl/certs"' in debian.read("data/tedge.toml")
    assert install("--cloud", "az").document["changed"] is False


@pytest.mark.parametrize("kind", ["dangling", "loop", "folder", "fifo", "outside"])
def test_another_entry_at_the_path_of_the_settings_file_is_a_conflict(refused, debian, tmp_path, kind):
    place = debian.path / TOML
    (tmp_path / "canary.toml").write_bytes(b"[az]\n")
    if kind == "folder":
        place.mkdir()
    elif kind == "fifo":
        os.mkfifo(place)
    else:
        links = {"dangling": "/data/tedge.toml", "loop": "tedge.toml", "outside": tmp_path / "canary.toml"}
        place.symlink_to(links[kind])
    result = refused("--cloud", "az", status=3)
    assert result.errors == [("conflict", f"/{TOML}")]
    assert (tmp_path / "canary.toml").read_bytes() == b"[az]\n"


def test_a_file_in_the_directories_place_is_a_conflict(refused, debian):
    (debian.path / "etc/tedge").rmdir()
    debian.write("etc/tedge", b"mine")
    assert refused("--cloud", "az", status=3).errors == [("conflict", "/etc/tedge")]
