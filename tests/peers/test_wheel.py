"""The package as it is installed: from a wheel, with its templates and recipes, away from the checkout."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree, contents

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A directory into which the wheel is unpacked, as pip does."""
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(directory), str(REPOSITORY)], check=True, timeout=300)
    (wheel,) = directory.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory / "site")
    return directory / "site"


def run(site: Path, directory: Path, *words: str) -> str:
    # -P keeps the current directory, and with it the checkout, out of the module path.
    command = [sys.executable, "-P", "-m", "rootfs_trust", *words]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        command, cwd=directory, env=environment, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_the_main_job_runs_from_the_wheel(site, tmp_path):
    tree = DebianTree(tmp_path / "rootfs")
    (tmp_path / "my-ca.pem").write_bytes(Authority("My CA").pem)
    run(site, tmp_path, "install", "--root", "rootfs", "--cert", "my-ca.pem", "--cloud", "c8y")
    assert b'root_cert_path = "/etc/ssl/certs"' in tree.read("etc/tedge/tedge.toml")


def test_the_directories_of_the_package_are_those_of_the_checkout(site):
    for name in ("templates", "recipes"):
        ours = {path.relative_to(REPOSITORY / name) for path in (REPOSITORY / name).rglob("*") if path.is_file()}
        theirs = site / "rootfs_trust" / name
        assert {path for path in ours if "__pycache__" not in path.parts} == {
            path.relative_to(theirs) for path in theirs.rglob("*") if path.is_file()
        }


def test_the_table_of_public_roots_is_in_the_package(site, tmp_path):
    assert {path.name for path in (site / "rootfs_trust/root_data").iterdir()} == {"roots.json"}
    tree = DebianTree(tmp_path / "rootfs")
    run(site, tmp_path, "install", "--root", "rootfs")
    found = json.loads(run(site, tmp_path, "list", "--root", tree.root, "--format", "json"))
    assert {anchor["status"] for anchor in found["anchors"]} == {"unlisted"}


def test_the_version_is_said_once(site, tmp_path):
    assert run(site, tmp_path, "--version") == "rootfs-trust, version 0.1.0\n"
    assert (site / "rootfs_trust-0.1.0.dist-info").is_dir()


def test_wheel_and_sdist_are_the_same_bytes_wherever_they_are_built(tmp_path):
    """Two copies of the checkout, other directories, other times of the files."""
    digests = []
    for name in ("one", "another/place"):
        copy = tmp_path / name
        ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist")
        shutil.copytree(REPOSITORY, copy, ignore=ignored, symlinks=True, copy_function=shutil.copy)
        shutil.copy(REPOSITORY / ".gitignore", copy)
        code = "import hatchling.build as b; b.build_wheel('out'); b.build_sdist('out')"
        subprocess.run([sys.executable, "-c", f"import os; os.mkdir('out'); {code}"], cwd=copy, check=True, timeout=120)
        digests.append({path.name: sha256(path.read_bytes()).hexdigest() for path in (copy / "out").iterdir()})
    assert len(digests[0]) == 2 and digests[0] == digests[1]


@pytest.mark.slow
def test_the_single_file_runs_with_nothing_but_python(tmp_path):
    copy = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist")
    shutil.copytree(REPOSITORY, copy, ignore=ignored, symlinks=True)
    subprocess.run(["sh", "recipes/single-file/build.sh"], cwd=copy, check=True, timeout=300, stdout=subprocess.DEVNULL)
    tree, other = DebianTree(tmp_path / "rootfs"), DebianTree(tmp_path / "other")
    (tmp_path / "my-ca.pem").write_bytes(Authority("My CA").pem)
    words = ["install", "--cert", "my-ca.pem", "--cloud", "c8y", "--timestamp", "1700000000", "--root"]
    environment = {"PATH": os.environ["PATH"], "SHIV_ROOT": str(tmp_path / "shiv")}
    alone = [sys.executable, "-I", "-S", copy / "build/rootfs-trust.pyz"]
    subprocess.run([*alone, *words, "rootfs"], cwd=tmp_path, env=environment, check=True, timeout=60)
    subprocess.run([sys.executable, "-m", "rootfs_trust", *words, "other"], cwd=tmp_path, check=True, timeout=60)
    assert contents(tree.path) == contents(other.path)
