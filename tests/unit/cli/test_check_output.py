"""How ``check`` prints many findings: those of one cause once, three examples of a kind, the number of the others."""

from __future__ import annotations

import shutil

import pytest

from rootfs_trust import InstallOptions, install
from tests.support.authority import Authority, small_rsa_key
from tests.support.debian_tree import DebianTree

COUNT = 149
NAMES = [f"root-{number:03}" for number in range(COUNT)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A Debian tree with many roots, as its own tool leaves it."""
    path = tmp_path_factory.mktemp("stage") / "stage"
    tree = DebianTree(path)
    key = small_rsa_key(1024)
    for name in NAMES:
        tree.write(f"usr/share/ca-certificates/mozilla/{name}.crt", Authority(name, key=key).pem)
    lines = "".join(f"mozilla/{name}.crt\n" for name in NAMES)
    tree.write("etc/ca-certificates.conf", lines.encode())
    install(str(path), InstallOptions())
    return path


@pytest.fixture
def copied(stage, tmp_path):
    """A minimal image with /etc/ssl/certs of the stage, as COPY of a Dockerfile leaves it."""
    image = tmp_path / "image"
    (image / "etc/ssl").mkdir(parents=True)
    shutil.copytree(stage / "etc/ssl/certs", image / "etc/ssl/certs", symlinks=True)
    return image


def test_a_store_that_was_copied_without_its_sources_is_one_cause(command, copied):
    result = command("check", "--root", copied)
    lines = result.out.splitlines()
    assert len(lines) < 25 and result.status == 1
    assert lines[0].startswith(
        f"error dangling-link: {COUNT} links in /etc/ssl/certs point to /usr/share/ca-certificates, "
        "which does not exist: root-000.pem, root-001.pem, root-002.pem and 146 others"
    )
    assert lines[1].startswith("    fix: copy /usr/share/ca-certificates into the root filesystem as well")


def test_its_fix_works(command, stage, copied):
    (copied / "usr/share").mkdir(parents=True)
    shutil.copytree(stage / "usr/share/ca-certificates", copied / "usr/share/ca-certificates")
    found = command("check", "--root", copied, "--format", "json").document["findings"]
    assert {each["level"] for each in found} <= {"note"}


def test_v_names_all_and_json_and_sarif_have_all(command, copied):
    text = command("check", "--root", copied, "-v").out
    assert all(f"{name}.pem" in text for name in NAMES)
    found = command("check", "--root", copied, "--format", "json").document["findings"]
    assert sum(each["id"] == "dangling-link" for each in found) == COUNT
    (run,) = command("check", "--root", copied, "--format", "sarif").document["runs"]
    assert sum(each["ruleId"] == "dangling-link" for each in run["results"]) == COUNT


def test_three_examples_of_a_kind_and_directory(command, tmp_path):
    tree = DebianTree(tmp_path / "tree")
    install(str(tree.path), InstallOptions())
    for number in range(5):
        tree.write(f"usr/local/share/ca-certificates/empty{number}.crt", b"")
    lines = [line for line in command("check", "--root", tree.path).out.splitlines() if "no-certificate" in line]
    assert len(lines) == 4
    assert lines[3] == "warning no-certificate: 2 more in /usr/local/share/ca-certificates; -v names all"
