"""A freshly extracted arm64 tree: no program of it can run here, none of its maintainer scripts ever ran.

Afterwards its own openssl, under qemu's user mode, judges what it got.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.command import install
from tests.support.debian_tree import snapshot
from tests.support.peers import PLAIN_ENVIRONMENT
from tests.support.trees import CONF, LOCAL, STORE, ForeignTree

BUNDLE = f"{STORE}/ca-certificates.crt"
DIRECTORY_ALONE = ("-no-CAfile", "-no-CAstore", "-CApath", f"/{STORE}")
BUNDLE_ALONE = ("-no-CApath", "-no-CAstore", "-CAfile", f"/{BUNDLE}")
SAME_TIME = ("--timestamp", "1700000000")

NewTree = Callable[..., ForeignTree]


@pytest.fixture
def main_job(authority: Authority, tmp_path: Path) -> tuple[str | Path, ...]:
    """The options of the README's main job."""
    file = tmp_path / "my-ca.pem"
    file.write_bytes(authority.pem)
    return "--cert", file, "--cloud", "c8y"


def test_the_main_job_completes_the_store_of_a_tree_that_was_never_configured(
    arm64_tree: ForeignTree, main_job: tuple[str | Path, ...], authority: Authority
):
    store = arm64_tree.path / STORE
    assert list(store.iterdir()) == []
    assert not (arm64_tree.path / CONF).exists()
    install(arm64_tree.path, *main_job, environment={})
    shipped = arm64_tree.shipped()
    assert len(shipped) > 100
    assert (arm64_tree.path / BUNDLE).read_bytes() == b"".join(file.read_bytes() for file in shipped) + authority.pem
    assert (arm64_tree.path / LOCAL / "my-ca.crt").read_bytes() == authority.pem
    links = arm64_tree.hash_links()
    assert len(links) == len(shipped) + 1
    assert {(store / end).is_symlink() for end in links.values()} == {True}


def test_openssl_rehash_changes_nothing_in_the_store(arm64_tree: ForeignTree, main_job: tuple[str | Path, ...]):
    install(arm64_tree.path, *main_job, environment={})
    store = arm64_tree.store()
    arm64_tree.run("/usr/bin/openssl", "rehash", f"/{STORE}")
    assert arm64_tree.store() == store
    for name in arm64_tree.hash_links():
        (arm64_tree.path / STORE / name).unlink()
    arm64_tree.run("/usr/bin/openssl", "rehash", f"/{STORE}")
    assert arm64_tree.store() == store, "nor when it makes every link anew"


@pytest.mark.parametrize(
    "places", [DIRECTORY_ALONE, BUNDLE_ALONE, ()], ids=["hash directory", "bundle", "where openssl looks by itself"]
)
def test_the_trees_own_openssl_verifies_a_server_of_the_private_ca(
    new_arm64_tree: NewTree,
    main_job: tuple[str | Path, ...],
    authority: Authority,
    places: tuple[str, ...],
):
    without, tree = new_arm64_tree(), new_arm64_tree()
    install(without.path, environment={})
    install(tree.path, *main_job, environment={})
    intermediate = Authority("Plant Issuing CA", issuer=authority)
    for each in (without, tree):
        each.write("tmp/server.pem", intermediate.server("mqtt.plant.example").pem)
        each.write("tmp/intermediate.pem", intermediate.pem)
    words = ("/usr/bin/openssl", "verify", *places, "-purpose", "sslserver", "-verify_hostname", "mqtt.plant.example")
    words += ("-untrusted", "/tmp/intermediate.pem", "/tmp/server.pem")
    refused = without.run(*words, check=False)
    assert refused.returncode != 0
    assert "unable to get local issuer certificate" in refused.stderr
    assert tree.run(*words).stdout == "/tmp/server.pem: OK\n"


@pytest.mark.parametrize(
    ("environment", "umask"),
    [
        (PLAIN_ENVIRONMENT, 0o022),
        ({**PLAIN_ENVIRONMENT, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, 0o077),
        ({"PATH": "", "TZ": "Pacific/Kiritimati", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "1"}, 0o000),
    ],
    ids=["ordinary PATH", "ASCII locale and closed umask", "another time zone and open umask"],
)
def test_the_environment_makes_no_difference_to_the_tree(
    new_arm64_tree: NewTree, main_job: tuple[str | Path, ...], environment: dict[str, str], umask: int
):
    empty, other = new_arm64_tree(), new_arm64_tree()
    install(empty.path, *main_job, *SAME_TIME, environment={})
    install(other.path, *main_job, *SAME_TIME, environment=environment, umask=umask)
    for part in ("etc", "usr/local"):
        assert snapshot(other.path / part) == snapshot(empty.path / part)
