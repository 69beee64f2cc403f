"""init: a first rootfs-trust.toml that install takes as it is."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.command import REPOSITORY

MINE = Authority("My\n[[anchor]] Root")


@pytest.fixture
def here(tmp_path, command) -> Path:
    """The directory in which the fixture ``command`` runs commands."""
    (tmp_path / "cwd/my-ca.pem").write_bytes(MINE.pem)
    return tmp_path / "cwd"


@pytest.fixture
def init(command, debian, here):
    def run(*words: object, status: int = 0) -> dict:
        result = command("init", "--root", debian.path, *words)
        assert result.status == status, result.err
        return tomllib.loads((here / "rootfs-trust.toml").read_text()) if not status else {}

    return run


def test_what_is_written_installs(init, command, debian):
    written = init("--cert", "my-ca.pem", "--cloud", "c8y@Edge")
    assert written["anchor"] == [{"file": "my-ca.pem", "name": "my-ca", "sha256": MINE.sha256}]
    assert written["cloud"] == [{"kind": "c8y", "profile": "edge"}]
    assert written["store"] == {"layout": "auto", "base": "keep"}
    assert command("install", "--root", debian.path).status == 0
    assert (debian.path / "usr/local/share/ca-certificates/my-ca.crt").read_bytes() == MINE.pem
    assert b"[c8y.profiles.edge]" in debian.read("etc/tedge/tedge.toml")


def test_init_without_answers_writes_a_commented_config(init, here):
    written = init()
    assert "anchor" not in written and "cloud" not in written
    text = (here / "rootfs-trust.toml").read_text()
    assert "# [[anchor]]\n" in text and "# [[cloud]]\n" in text and "(0 anchors now)" in text


def test_the_clouds_of_the_rootfs_are_known(init, debian):
    debian.write("etc/tedge/tedge.toml", b'[azure]\nurl = "x"\n[c8y]\nroot_cert_path = "/x"\n[c8y.profiles.edge]\n')
    debian.write("etc/tedge/mappers/aws.two/mapper.toml", b'cloud_type = "aws"\n')
    assert init()["cloud"] == [
        {"kind": "c8y", "profile": "edge"},
        {"kind": "az"},
        {"kind": "aws", "profile": "two"},
    ]


def test_several_certificates_have_no_pin(init, here):
    (here / "my-ca.pem").write_bytes(MINE.pem + Authority("Other").pem)
    assert init("--cert", "my-ca.pem")["anchor"] == [{"file": "my-ca.pem"}]


def test_files_are_named_from_the_place_of_the_config(init, command, debian, here):
    (here / "conf").mkdir()
    assert command("init", "--root", debian.path, "--cert", "my-ca.pem", "--config", "conf/trust.toml").status == 0
    assert tomllib.loads((here / "conf/trust.toml").read_text())["anchor"][0]["file"] == "../my-ca.pem"
    assert command("install", "--root", debian.path, "--config", "conf/trust.toml").status == 0


def test_a_file_that_is_there_stays(init, here):
    (here / "rootfs-trust.toml").write_text("# mine\n")
    init(status=3)
    assert (here / "rootfs-trust.toml").read_text() == "# mine\n"


@pytest.mark.parametrize("words", [("--cert", "none.pem"), ("--cloud", "gcp"), ("--cloud", "c8y@"), ("--root", "none")])
def test_what_is_wrong_is_refused_and_nothing_written(init, here, words):
    init(*words, status=2)
    assert not (here / "rootfs-trust.toml").exists()


def test_init_asks_only_for_what_the_rootfs_does_not_show(debian, here):
    """On a terminal: the certificate and the cloud, each until an empty answer."""
    leader, follower = pty.openpty()
    words = [sys.executable, "-m", "rootfs_trust", "init", "--root", str(debian.path)]
    process = subprocess.Popen(
        words,
        cwd=here,
        env={"PATH": "/usr/bin", "PYTHONPATH": str(REPOSITORY), "TERM": "dumb"},
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    os.write(leader, b"my-ca.pem\n\naz\n\n")
    out, _ = process.communicate(timeout=60)
    os.close(leader)
    os.close(follower)
    assert process.returncode == 0, out
    written = tomllib.loads((here / "rootfs-trust.toml").read_text())
    assert (written["anchor"][0]["name"], written["cloud"]) == ("my-ca", [{"kind": "az"}])
    assert b"layout debian, 0 anchors" in out
