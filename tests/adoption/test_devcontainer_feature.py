"""The Dev Container Feature: its install.sh runs on a tree, with the options as a dev container tool gives them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.authority import Authority
from tests.support.command import PACKAGE, REPOSITORY
from tests.support.debian_tree import DebianTree
from tests.support.peers import PLAIN_ENVIRONMENT, peer

FEATURE = REPOSITORY / "recipes/devcontainer-feature"
CA = Authority("Company Root")


@pytest.fixture
def feature(tmp_path):
    """The directory that make.sh leaves, with a stand-in for the single file."""
    (tmp_path / "company.pem").write_bytes(CA.pem)
    recipe = tmp_path / "checkout/recipes/devcontainer-feature"
    recipe.parent.mkdir(parents=True)
    recipe.symlink_to(FEATURE)
    made = tmp_path / "company-ca"
    (made / "certs").mkdir(parents=True)
    for path in (FEATURE / "company-ca").iterdir():
        (made / path.name).write_bytes(path.read_bytes())
    (made / "certs/company.pem").write_bytes(CA.pem)
    return made


def install(feature, tree, **options: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **PLAIN_ENVIRONMENT,
        "PYTHONPATH": PACKAGE,
        "ROOTFS_TRUST": f"{sys.executable} -m rootfs_trust",
        "ROOTFS": str(tree.path),
        "PATH": f"{sys.prefix}/bin:{PLAIN_ENVIRONMENT['PATH']}",
        **options,
    }
    command = [peer("sh"), str(feature / "install.sh")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_certificates_get_into_the_store_and_the_runtimes(feature, tmp_path):
    tree = DebianTree(tmp_path / "rootfs")
    tree.write("usr/lib/python3/dist-packages/certifi/cacert.pem", Authority("Public").pem)
    tree.write("usr/bin/node", b"\x7fELF")
    assert install(feature, tree, RUNTIMES="auto").returncode == 0
    assert CA.pem in tree.read("etc/ssl/certs/ca-certificates.crt")
    assert CA.pem in tree.read("usr/lib/python3/dist-packages/certifi/cacert.pem")
    assert "Nothing to do" in install(feature, tree).stdout


def test_runtimes_can_be_left_alone(feature, tmp_path):
    tree = DebianTree(tmp_path / "rootfs")
    tree.write("usr/lib/python3/dist-packages/certifi/cacert.pem", Authority("Public").pem)
    assert install(feature, tree, RUNTIMES="none").returncode == 0
    assert CA.pem not in tree.read("usr/lib/python3/dist-packages/certifi/cacert.pem")


def test_a_private_key_stops_the_build(feature, tmp_path):
    (feature / "certs/company.key").write_bytes(CA.key_pem)
    done = install(feature, DebianTree(tmp_path / "rootfs"))
    assert done.returncode == 2
    assert "company.key: the file contains a private key" in done.stderr


def test_a_container_without_python_is_reported(feature, tmp_path):
    done = install(feature, DebianTree(tmp_path / "rootfs"), PATH=str(tmp_path))
    assert done.returncode != 0
    done = subprocess.run(
        ["/bin/sh", "-c", f'dirname() {{ /usr/bin/dirname "$@"; }}; . {feature}/install.sh'],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Python 3.11 or newer is needed" in done.stderr


def test_the_metadata_says_what_install_sh_reads(feature):
    metadata = json.loads((feature / "devcontainer-feature.json").read_text())
    assert metadata["id"] == feature.name
    script = (feature / "install.sh").read_text()
    assert all(f"${{{name.upper()}:-{each['default']}}}" in script for name, each in metadata["options"].items())


@pytest.mark.slow
def test_make_sh_and_the_single_file(tmp_path):
    (tmp_path / "company.pem").write_bytes(CA.pem)
    made, tree = tmp_path / "company-ca", DebianTree(tmp_path / "rootfs")
    subprocess.run(["sh", FEATURE / "make.sh", made, tmp_path / "company.pem"], check=True, timeout=600)
    environment = {
        "ROOTFS": str(tree.path),
        "PATH": f"{sys.prefix}/bin:{PLAIN_ENVIRONMENT['PATH']}",
        "HOME": str(tmp_path),
    }
    subprocess.run(["sh", made / "install.sh"], env=environment, check=True, timeout=60)
    assert CA.pem in tree.read("etc/ssl/certs/ca-certificates.crt")
