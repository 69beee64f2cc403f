"""The package as it is installed: from a wheel, with its templates and recipes, away from the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder into which the wheel is unpacked, as pip does."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(REPOSITORY)], check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(site: Path, folder: Path, *words: str) -> str:
    # -P keeps the current folder, and with it the checkout, out of the module path.
    command = [sys.executable, "-P", "-m", "rootfs_trust", *words]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_the_main_job_runs_from_the_wheel(site, tmp_path):
    tree = DebianTree(tmp_path / "rootfs")
    (tmp_path / "my-ca.pem").write_bytes(Authority("My CA").pem)
    run(site, tmp_path, "install", "--root", "rootfs", "--cert", "my-ca.pem", "--cloud", "c8y")
    assert b'root_cert_path = "/etc/ssl/certs"' in tree.read("etc/tedge/tedge.toml")


def test_the_folders_of_the_package_are_those_of_the_checkout(site):
    for name in ("templates", "recipes"):
        ours = {path.relative_to(REPOSITORY / name) for path in (REPOSITORY / name).rglob("*") if path.is_file()}
        theirs = site / "rootfs_trust" / name
        assert {path for path in ours if "__pycache__" not in path.parts} == {
            path.relative_to(theirs) for path in theirs.rglob("*") if path.is_file()
        }


def test_the_version_is_said_once(site, tmp_path):
    assert run(site, tmp_path, "--version") == "rootfs-trust, version 0.1.0\n"
    assert (site / "rootfs_trust-0.1.0.dist-info").is_dir()
