"""What verify says of a state over an image is what openssl says in a chroot of the two merged."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.command import install, rootfs_trust
from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, peer
from tests.support.trees import RealTree

_MERGED = r"""
set -e
tree=$1 memory=$2 changes=$3 upper=$4; shift 4
mount -t tmpfs tmpfs "$memory"
mkdir "$memory/upper" "$memory/work"
mount -t overlay overlay -o "lowerdir=$tree/etc,upperdir=$memory/upper,workdir=$memory/work" "$tree/etc"
(cd "$tree/etc" && sh -e "$changes")
cp -a "$memory/upper" "$upper"
cp /dev/null "$tree/tmp/verdicts"
verdict() { if chroot "$tree" openssl verify -no-CAstore "$@" /tmp/server.pem; then echo yes; else echo no; fi; }
{ verdict -no-CAfile -CApath /etc/ssl/certs; verdict -no-CApath -CAfile /etc/ssl/certs/ca-certificates.crt; } \
    2>&1 | grep -x "yes\|no" > "$tree/tmp/verdicts"
"""

CHANGES = {
    "nothing": "",
    "the bundle of an older release": "grep -v . /dev/null > ssl/certs/ca-certificates.crt || true",
    "hash links gone": "rm ssl/certs/*.0",
    "the folder made anew": "rm -r ssl/certs; mkdir ssl/certs",
    "a CA of the device's own": "cp OWN ssl/certs/own.pem; ln -sf own.pem ssl/certs/HASH.0",
}


@pytest.fixture
def merged(new_small_tree: Callable[..., RealTree], tmp_path) -> Callable[[str, bool], tuple[Path, Path, list[bool]]]:
    """The tree, the state that the changes made over it, and what openssl said there: by directory, by bundle."""
    needs_mounts()

    def run(changes: str, installed: bool) -> tuple[Path, Path, list[bool]]:
        tree, mine = new_small_tree(), Authority("My CA")
        (tmp_path / "ca.pem").write_bytes(mine.pem)
        if installed:
            install(tree.path, "--cert", tmp_path / "ca.pem")
        tree.write("tmp/server.pem", mine.server("cloud.example").pem)
        shutil.copy(tree.path / "tmp/server.pem", tmp_path / "chain.pem")
        found_by = parse_certificate(mine.der).subject.hash
        (tmp_path / "changes").write_text(changes.replace("OWN", str(tmp_path / "ca.pem")).replace("HASH", found_by))
        (tmp_path / "memory").mkdir()
        words = [tree.path, tmp_path / "memory", tmp_path / "changes", tmp_path / "upper"]
        subprocess.run(
            [peer("unshare"), "-m", "sh", "-c", _MERGED, "sh", *map(str, words)], env=PLAIN_ENVIRONMENT, check=True
        )
        said = (tree.path / "tmp/verdicts").read_text().split()
        return tree.path, tmp_path / "upper", [each == "yes" for each in said]

    return run


@pytest.mark.parametrize("installed", [True, False], ids=["installed", "not-installed"])
@pytest.mark.parametrize("name", CHANGES)
def test_the_verdicts_are_those_of_the_merged_tree(merged, tmp_path, name, installed):
    tree, state, said = merged(CHANGES[name], installed)
    asked = ("--client", "openssl-directory", "--client", "openssl-bundle", "--format", "json")
    words = ("verify", "--root", tree, "--chain", tmp_path / "chain.pem", "--state", f"overlay:/etc={state}", *asked)
    verdicts = json.loads(rootfs_trust(*words).stdout)["verdicts"]
    assert [each["trusted"] for each in verdicts] == said
    assert (
        said
        == {
            "nothing": [installed, installed],
            "the bundle of an older release": [installed, False],
            "hash links gone": [False, installed],
            "the folder made anew": [False, False],
            "a CA of the device's own": [True, installed],
        }[name]
    )
