"""The order of a plan does not depend on the hash seed of Python: the same input gives the same order of actions."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from rootfs_trust.x509 import encode
from tests.support.authority import Authority
from tests.support.command import REPOSITORY
from tests.support.layout_trees import FAMILIES, LayoutTree

MINE = [Authority(f"My Root {number}") for number in range(8)]
OTHERS = [Authority(f"Their Root {number}") for number in range(8)]
BLOCKLIST = "etc/pki/ca-trust/source/blocklist"
PEM = b"".join(each.pem for each in OTHERS)


@pytest.fixture
def config(tmp_path) -> str:
    """A configuration that trusts nothing else, and writes into many new directories."""
    (tmp_path / "own.j2").write_text("text")
    (tmp_path / "cas.pem").write_bytes(b"".join(each.pem for each in MINE))
    tables = ['[store]\nbase = "none"\n[[anchor]]\nfile = "cas.pem"\n']
    tables += (f'[[render]]\ntemplate = "own.j2"\ndest = "/opt/{n}/new/own.conf"\n' for n in range(8))
    (tmp_path / "rt.toml").write_text("".join(tables))
    return str(tmp_path / "rt.toml")


def plan(root: str, config: str, seed: int, status: int = 0) -> dict[str, list[dict[str, str]]]:
    words = [sys.executable, "-m", "rootfs_trust", "install", "--root", root, "--config", config]
    words += ["--dry-run", "--format", "json", "--drop-unsourced"]
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    done = subprocess.run(words, cwd=REPOSITORY, env=environment, capture_output=True, check=False)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["debian", "fedora", "buildroot", "bundle-only"])
def test_the_order_of_a_plan_is_the_same_under_every_hash_seed(config, tmp_path, name):
    tree = LayoutTree(tmp_path / "tree", next(each for each in FAMILIES if each.name == name))
    if tree.family.local:
        tree.write(f"{tree.family.local[1:]}/others.crt", PEM)
    if name == "fedora":
        for number, each in enumerate(MINE):
            tree.write(f"{BLOCKLIST}/{number}.crt", encode(each.der))
    first, second = (plan(tree.root, config, seed)["actions"] for seed in (1, 2))
    assert first == second
    made = [each["path"] for each in first if each["action"] == "directory" and each["path"].startswith("/opt")]
    assert made == ["/opt", *(path for n in range(8) for path in (f"/opt/{n}", f"/opt/{n}/new"))]


def test_the_order_of_conflicts_is_the_same_under_every_hash_seed(config, debian):
    for number in range(8):
        debian.write(f"opt/{number}", b"a file in the way of a directory")
    first, second = (plan(debian.root, config, seed, status=3)["errors"] for seed in (1, 2))
    assert first == second
    assert [each["path"] for each in first] == [f"/opt/{number}" for number in range(8)]
