"""``rehash --root``: links lead where they lead on the device; without it, a device's directory is refused."""

from __future__ import annotations

import os

import pytest

from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority

ONE, TWO = Authority("One"), Authority("Two")
HASH, OTHER_HASH = (parse_certificate(each.der).subject.hash for each in (ONE, TWO))
SOURCE = "usr/local/share/ca-certificates/one.crt"


@pytest.fixture
def directory(debian):
    """A directory of the device with an absolute link, its hash link, and a file."""
    debian.write(SOURCE, ONE.pem)
    debian.write("etc/app/cas/two.pem", TWO.pem)
    directory = debian.path / "etc/app/cas"
    (directory / "one.pem").symlink_to(f"/{SOURCE}")
    (directory / f"{HASH}.0").symlink_to("one.pem")
    return directory


def test_absolute_links_lead_inside_the_root(command, debian, directory):
    result = command("rehash", "--root", debian.path, "/etc/app/cas")
    assert (result.status, result.err) == (0, "")
    assert {name: os.readlink(directory / name) for name in (f"{HASH}.0", f"{OTHER_HASH}.0")} == {
        f"{HASH}.0": "one.pem",
        f"{OTHER_HASH}.0": "two.pem",
    }
    again = command("rehash", "--root", debian.path, "/etc/app/cas/", "--format", "json")
    assert again.document["changed"] is False


def test_paths_in_the_answer_are_the_devices(command, debian, directory):
    actions = command("rehash", "--root", debian.path, "/etc/app/cas", "--format", "json").document["actions"]
    assert [each["path"] for each in actions] == [f"/etc/app/cas/{OTHER_HASH}.0"]


def test_no_link_leads_out_of_the_root(command, debian, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/one.pem").write_bytes(ONE.pem)
    (debian.path / "etc/out").symlink_to(tmp_path / "outside")
    assert command("rehash", "--root", debian.path, "/etc/out").status == 2
    assert command("rehash", "--root", debian.path, "/../../outside").status == 2
    assert os.listdir(tmp_path / "outside") == ["one.pem"]


def test_a_relative_directory_is_wrong_use(command, debian, directory):
    result = command("rehash", "--root", debian.path, "etc/app/cas", "--format", "json")
    assert (result.status, result.errors) == (2, [("usage", "etc/app/cas")])


def test_a_directory_of_another_root_is_a_conflict_and_keeps_its_links(command, debian, directory):
    result = command("rehash", directory, "--format", "json")
    assert (result.status, result.errors) == (3, [("conflict", str(directory))])
    assert f"--root {debian.path} /etc/app/cas" in result.out
    assert os.readlink(directory / f"{HASH}.0") == "one.pem"


def test_a_directory_with_only_dangling_links_is_refused(command, tmp_path):
    (tmp_path / "cas").mkdir()
    (tmp_path / "cas/one.pem").symlink_to("/nonexistent/one.crt")
    assert command("rehash", tmp_path / "cas").status == 3


def test_a_stale_link_among_others_is_a_warning(command, tmp_path):
    (tmp_path / "cas").mkdir()
    (tmp_path / "one.crt").write_bytes(ONE.pem)
    (tmp_path / "cas/one.pem").symlink_to(tmp_path / "one.crt")
    (tmp_path / "cas/gone.pem").symlink_to("/nonexistent/gone.crt")
    result = command("rehash", tmp_path / "cas", "--format", "json")
    assert (result.status, result.warnings) == (0, [("dangling-link", f"{tmp_path}/cas/gone.pem")])
    assert os.readlink(tmp_path / "cas" / f"{HASH}.0") == "one.pem"


def test_a_path_that_is_not_a_directory_and_one_that_does_not_exist_have_different_errors(command, debian):
    debian.write("etc/app/file", b"")
    messages = {
        path: command("rehash", "--root", debian.path, path, "--format", "json").document["errors"][0]["message"]
        for path in ("/etc/app/file", "/etc/app/gone")
    }
    assert messages == {"/etc/app/file": "is not a directory", "/etc/app/gone": "does not exist"}
